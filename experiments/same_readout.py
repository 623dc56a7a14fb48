"""What the readout that two systems share can say, whoever makes its features: its floor, and its constraints."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import N_KEYS, InputError, multi_hot
from encoding.clock import encoding_named
from encoding.errors import shown
from encoding.given import whole
from encoding.hearing import ClockInputs
from experiments.observables import irreducible_loss, readout_floor
from experiments.observables.irreducible import after_histories
from experiments.system import System
from experiments.task import Task
from quantum.settings import QuantumRNNSettings

Array = NDArray[np.float64]

KEYS = "keys"
LEARNED = ("angles", "J", "M", "K", "W", "h0")
ROUNDED = 9  # digits of a Bloch vector that are no rounding


def constraints(n_histories: int, n_features: int, learned: Sequence[str], *, skip: bool = False) -> int:
    """The dimension of all fields H = f K^T + h_0 on so many different histories: no rank of dH/dx is larger.

    With K frozen n_f for each history; with K learned that of the matrices of rank n_f, and h_0 moves their mean:

        n_f G,    n_f (G - 1) + N,    n_f (G + N - n_f),    n_f (G - 1 + N - n_f) + N        (G histories, N = 54 keys)

    for K and h_0 frozen; h_0, K, and both learned (fewer where there are fewer histories than features). Where W is
    learned N G is said, which no fields exceed.

    Raises:
        InputError: fewer than one history or feature, or learned that are no names of groups.

    >>> constraints(10, 4, ("angles",)), constraints(10, 4, ("angles", "K", "h0"))
    (40, 290)
    """
    n_histories, n_features = whole("n_histories", n_histories), whole("n_features", n_features)
    named = isinstance(learned, tuple | list) and all(isinstance(name, str) for name in learned)
    if not named or not set(learned) <= set(LEARNED):
        raise InputError(f"learned is a tuple of some of {', '.join(LEARNED)}; got {shown(learned)}")
    everything = N_KEYS * n_histories
    if skip and "W" in learned:
        return everything
    shift = "h0" in learned
    rows, n_read = n_histories - shift, min(n_features, N_KEYS)
    if "K" not in learned:
        return rows * n_read + N_KEYS * shift
    rank = min(rows, n_read)
    return rank * (rows + N_KEYS - rank) + N_KEYS * shift


def part_of(system: System, name: str) -> Array:
    """A group of weights of the first replica: K and h_0 of all replicas start the same."""
    group = system.layout()[name]
    return np.asarray(system.weights()[0, group.slice], np.float64).reshape(group.shape)


def floor_of(task: Task, start: System, floors: dict[Any, float]) -> float:
    """A lower bound of the NLL of any machine with the readout of `start`: that of a frozen K, or of equal histories.

    It is reached by features that are free in the box. Of a K that learns it knows the histories alone: that H - h_0
    has no more than n_f dimensions can cost more.

    `floors` keeps what was found, for runs that share their readout.
    """
    learned, heard = task.settings["learned"], heard_by(task)
    free = "K" in learned or ("W" in learned and task.settings["skip"])
    k, h0 = part_of(start, "K"), part_of(start, "h0")
    which = (task.data_sha256, heard_said(task), free, "h0" in learned, b"" if free else k.tobytes() + h0.tobytes())
    if which not in floors:
        chorales = task.chorales or []
        if free:
            floors[which] = irreducible_loss(chorales, encoding=heard)
        else:
            floors[which] = readout_floor(chorales, k, None if "h0" in learned else h0, encoding=heard)
    return floors[which]


def heard_said(task: Task) -> tuple[str, ...]:
    """What a machine hears of a chord: the keys, or an encoding of four voices as qubits by its name, or both.

    A circuit hears the encoding; its W, where it learns, hears the keys.
    """
    settings = task.settings
    if task.system == "deep-rnn":
        return (settings["encoding"] if settings["inputs"] == "clock" else KEYS,)
    return settings["encoding"], *([KEYS] if hears_roll(task) else [])


def hears_roll(task: Task) -> bool:
    """Whether all 54 keys come in: by J_0, or by a W that learns."""
    settings = task.settings
    if task.system == "deep-rnn":
        return settings["inputs"] == "roll"
    return bool(settings["skip"]) and "W" in settings["learned"]


def given_to(task: Task) -> dict[str, Any]:
    """What two machines must share to be compared, by name: notes as qubits, features, and the start of the readout."""
    settings = task.settings
    if task.system == "deep-rnn":
        n_features = settings["n_features"] or settings["width"]
    else:
        n_features = QuantumRNNSettings(**settings).n_features
    return {
        "heard:": KEYS if hears_roll(task) else settings["encoding"],
        "n_f =": n_features,
        "readout at the start:": settings["readout_start"],
    }


def heard_by(task: Task) -> Callable[[NDArray[np.integer]], NDArray]:
    """The same as a function of pitches (n_steps, 4): chords with equal images are one to the machine."""
    parts = [multi_hot if name == KEYS else _clock(name) for name in heard_said(task)]
    return lambda pitches: np.concatenate([part(pitches) for part in parts], axis=-1)


def _clock(name: str) -> Callable[[NDArray[np.integer]], NDArray]:
    clock = ClockInputs(encoding_named(name))
    return lambda pitches: np.round(clock(pitches), ROUNDED) + 0.0  # no -0.0: bytes are compared


def constraints_of(task: Task, n_features: int) -> int:
    """The constraints of a run: of the different histories of its music, as it hears them."""
    n_histories = len(after_histories(task.chorales or [], encoding=heard_by(task)))
    return constraints(n_histories, n_features, task.settings["learned"], skip=task.settings["skip"])
