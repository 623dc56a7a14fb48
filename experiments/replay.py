"""A run played again: its stored weights are put into the system, look by look, and something else is measured there.

So what was not recorded can still be known: the loss on other chorales, the outputs, the hidden activations. Outputs
do not depend on how hidden units are numbered; weights do. The displacement in function space,

    D_f(tau_w, tau_w + tau) = < [H_i,mu(tau_w + tau) - H_i,mu(tau_w)]^2 >_i,mu        (i outputs, mu time slots)

is therefore the same in every gauge: a permutation of hidden units, which changes D of eq. (5), leaves it alone.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.transitions import Piece
from experiments.abilities import ability, undisturbed
from experiments.checkpoints import vouch_weights
from experiments.observables import TwoTimeCurve, bits_per_unit_to_nats_per_step
from experiments.observables.estimate import mean_and_error
from experiments.observables.given import entries, is_word, pieces, trajectory_of
from experiments.observables.moments import moments
from experiments.store import Music, Run, system_of
from experiments.system import System
from experiments.trajectory import Trajectory

Splits = Sequence[str] | Mapping[str, Sequence[Piece]]


def replay(run: Run | System, trajectory: Trajectory | None = None) -> Generator[tuple[NDArray[np.float64], System]]:
    """The proper time of each look that took weights, (R,), and the system with these weights.

    The same system every time, as it was before when the replay is over. What else its state holds (the errors that
    the delayed rule remembers) is not that of the look. The time is NaN for a replica that was frozen, or went back.

    Args:
        run: of a store, which says what its system is; or a system with as many weights, which plays them as its own:
            on other music, if that is what it hears.
        trajectory: what the system did; None for a run, which has its own.

    Raises:
        InputError: no weights were taken, or the system is of another size.
    """
    system, trajectory = played(run, trajectory)
    return _looks(system, trajectory)


def _looks(system: System, trajectory: Trajectory) -> Generator[tuple[NDArray[np.float64], System]]:
    with undisturbed(system):
        for place, time in enumerate(times(trajectory)):
            system.put(trajectory.weights[place])
            yield time, system


def played(run: Run | System, trajectory: Trajectory | None) -> tuple[System, Trajectory]:
    """The system and the trajectory that are meant; see `replay`."""
    if isinstance(run, Run):
        if trajectory is None or trajectory is run.trajectory:
            vouch_weights(run.path, run.task["key"])
        trajectory = run.trajectory if trajectory is None else trajectory
    elif not isinstance(run, System) or isinstance(run, type):
        raise InputError(f"a Run, or a System and its Trajectory, can be played again; got {type(run).__name__}")
    if trajectory is None:
        raise InputError("a System is played again along its Trajectory; got NoneType: give trajectory")
    trajectory = trajectory_of("trajectory", trajectory)
    if not len(trajectory.weights):
        raise InputError("the run took no weights: ask for looks at them (Looks(weights=...), --keep-weights)")
    system = system_of(run, 0) if isinstance(run, Run) else run
    size, wanted = trajectory.weights.shape[1:], system.weights().shape
    if size != wanted:
        raise InputError(f"the system has weights of shape {wanted}; the trajectory has {size}: another system's?")
    return system, trajectory


def times(trajectory: Trajectory) -> NDArray[np.float64]:
    """Proper times of the looks that took weights, (n, R); NaN where a replica was frozen, or went back."""
    look = trajectory.weights_look
    return np.where(trajectory.valid[look], trajectory.time[look], np.nan)


class Generalisation(NamedTuple):
    """The NLL on music that was not learned from, along a run.

    Attributes:
        time: proper times, (n, R); NaN where a replica was frozen, or went back, and so are the losses there.
        bits: split -> bits per output unit per time step, (n, R).
        nats: split -> nats per time step, 54 ln 2 = 37.43 times as much, as the literature on these chorales has it.
    """

    time: NDArray[np.float64]
    bits: dict[str, NDArray[np.float64]]
    nats: dict[str, NDArray[np.float64]]

    def mean(self, split: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean over the replicas in bits, and its standard error (NaN for fewer than two), each (n,).

        Raises:
            InputError: no such split was asked for.
        """
        if not is_word(split, tuple(self.bits)):
            raise InputError(f"split is one of {', '.join(self.bits)}; got {shown(split)}")
        return mean_and_error(self.bits[split])


def generalisation(
    run: Run | System,
    trajectory: Trajectory | None = None,
    *,
    splits: Splits = ("valid", "test"),
) -> Generalisation:
    """The NLL of other splits at every look that took weights.

    Args:
        run: of a store, or a system.
        trajectory: of the system.
        splits: names of splits of the run's own music, all of their chorales; or name -> chorales.

    Raises:
        InputError: nothing was learned from that has splits, the system has no `loss_on`, or see `replay`.
    """
    system, trajectory = played(run, trajectory)
    loss_on, chorales = ability(system, "loss_on"), _chorales(run, splits)
    time = times(trajectory)
    seen = [[loss_on(pieces) for pieces in chorales.values()] for _ in _looks(system, trajectory)]
    losses = np.where(np.isnan(time)[:, None], np.nan, np.array(seen))  # (n, n_splits, R)
    bits = {name: losses[:, place] for place, name in enumerate(chorales)}
    nats = {name: bits_per_unit_to_nats_per_step(loss) for name, loss in bits.items()}
    return Generalisation(time, bits, nats)


def _chorales(run: Run | System, splits: Splits) -> Mapping[str, Sequence[Piece]]:
    """Name -> chorales."""
    splits = (splits,) if isinstance(splits, str) else splits
    if isinstance(splits, Mapping) and splits:
        return {name: pieces(f"splits[{shown(name)}]", chorales) for name, chorales in splits.items()}
    names = [] if isinstance(splits, Mapping) else entries("splits", splits)
    if not names or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"splits are names, as ('valid', 'test'), or name -> chorales; got {shown(splits) if names else 'none'}"
        )
    if not isinstance(run, Run) or run.task["music"] is None:
        raise InputError(f"only a run that learned from music has splits {', '.join(names)}: give name -> chorales")
    music = Music(**run.task["music"])
    return {name: music.other_split(name).load() for name in names}


class FunctionDisplacement(TwoTimeCurve):
    """D_f(tau_w, tau_w + tau) in the unit of the outputs squared; `waiting`, `lag` (n,), `value` (n, R)."""


def function_displacement(
    run: Run | System, trajectory: Trajectory | None = None, *, waiting: float
) -> FunctionDisplacement:
    """Mean-square displacement of the outputs since `waiting`, at every later look that took weights.

        D_f(tau_w, tau_w + tau) = < [H_i,mu(tau_w + tau) - H_i,mu(tau_w)]^2 >_i,mu

    Args:
        run: of a store, or a system.
        trajectory: of the system.
        waiting: tau_w, the proper time of a look of the weights (within 1e-6 of it).

    Raises:
        InputError: no such look (the nearest are named) or none after it, the system has no `outputs`, or see `replay`.
    """
    system, trajectory = played(run, trajectory)
    outputs, moment = ability(system, "outputs"), moments(trajectory, waiting)
    start, value = np.zeros(0), np.full(moment.rows.shape, np.nan)
    with undisturbed(system):
        for place in np.union1d(moment.start, moment.rows[moment.rows >= 0]):  # a replica's start is its first place
            if place < 0:
                continue
            system.put(trajectory.weights[place])
            now = outputs()
            here = (moment.start == place)[:, None, None]
            start = np.where(here, now, start if start.size else np.nan)
            far = np.mean((now - start) ** 2, (1, 2), dtype=np.float64)
            value = np.where(moment.rows == place, far, value)
    return FunctionDisplacement(moment.waiting, moment.lag, value, None, stopped=moment.stopped)


def activations_at(run: Run | System, trajectory: Trajectory | None = None, *, look: int = -1) -> NDArray[np.floating]:
    """Hidden activations of all layers at one look that took weights, (R, n_slots, n_units), as overlaps want them.

    Args:
        run: of a store, or a system.
        trajectory: of the system.
        look: which of the looks at weights, from the end where negative.

    Raises:
        InputError: there is no such look, the system has no `activations`, or see `replay`.
    """
    system, trajectory = played(run, trajectory)
    activations, n = ability(system, "activations"), len(trajectory.weights)
    if isinstance(look, bool) or not isinstance(look, int | np.integer) or not -n <= look < n:
        raise InputError(f"weights were taken at {n} looks; got look {shown(look)}")
    with undisturbed(system):
        system.put(trajectory.weights[look])
        return activations()
