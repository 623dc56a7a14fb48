"""What a circuit is given for angles: numbers, or parameters to be bound later."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from qiskit.circuit import ParameterVector

from encoding import InputError
from quantum.block import Block, reencoded
from quantum.given import checked_chords, checked_numbers
from quantum.ladder import Ladder, checked_count

MOST_CHORDS = 1 << 14  # of one circuit


def numbers_or_parameters(what: str, given: Any, shape: tuple[int, ...], name: str) -> Sequence[Any]:
    """Flat: numbers, the vector of parameters that is given, or a new one."""
    n = int(np.prod(shape))
    if given is None:
        return ParameterVector(name, n)
    if isinstance(given, ParameterVector) and len(given) == n:
        return given
    if isinstance(given, ParameterVector):
        raise InputError(f"{what} are {n} parameters; got {len(given)}")
    return checked_numbers(what, given, shape).ravel().tolist()


def theta_of(given: Any, ladder: Ladder) -> Sequence[Any]:
    """The ladder's angles, the same at every chord."""
    return numbers_or_parameters("angles of the ladder", given, (ladder.n_angles,), "theta")


def theta_of_each(given: Any, ladder: Ladder, n_chords: int) -> list[Sequence[Any]]:
    """The ladder's angles at every chord, the same ones or each chord's own."""
    n = ladder.n_angles
    own = len(given) == n_chords * n != n if isinstance(given, ParameterVector) else _axes(given) == 2
    if not own:
        return [theta_of(given, ladder)] * n_chords
    flat = numbers_or_parameters("angles of the ladder at every chord", given, (n_chords, n), "theta")
    return [flat[t * n : (t + 1) * n] for t in range(n_chords)]


def turns_of(given: Any, block: Block) -> list[Any]:
    """RY's angles on H."""
    if block.schedule != "measured":
        raise InputError(f"averages of H come back where the schedule is 'measured'; here it is {block.schedule!r}")
    averages = numbers_or_parameters("averages of H", given, (block.n_history,), "z")
    beyond = [value for value in averages if isinstance(value, float) and abs(value) > 1]
    if beyond:
        raise InputError(f"averages of H are between -1 and 1; got {beyond[0]}")
    return [reencoded(value) for value in averages]


def chords_of(given: Any, block: Block) -> tuple[list[Sequence[Any]], int]:
    """The flat angles of each chord, and how many chords there are."""
    shape, n = block.chord_shape, int(np.prod(block.chord_shape))
    if isinstance(given, int | np.integer):
        n_chords = checked_count("the number of chords", int(given), most=MOST_CHORDS)
        flat = ParameterVector("x", n_chords * n)
    else:
        chords = checked_chords(given, shape)
        n_chords = len(chords)
        flat = checked_numbers("angles of chords", chords, (n_chords, *shape)).ravel().tolist()
    return [flat[t * n : (t + 1) * n] for t in range(n_chords)], n_chords


def _axes(given: Any) -> int:
    try:
        return np.ndim(given)
    except ValueError:  # ragged, which is said where numbers are checked
        return 1
