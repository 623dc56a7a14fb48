"""Twins: copies of one machine go on from the same state, with other noise, or with the same noise and a small field.

Clone test. Copies made at tau_w go on with different noise. In a corridor their overlap stays above a limit, however
long one waits; where valleys branch without end they part for good (Barrat, Burioni & Mezard 1996).

    q(tau) = w^a . w^b / (|w^a| |w^b|),      D_ab(tau) = < (w_i^a - w_i^b)^2 >_i,     at tau_w + tau

Response. A field h_i = +-h, drawn once for each weight, pulls one twin while both have the same noise:

    w <- w - eta (dE/dw - h),    chi(tau) = (1 / (N h^2)) sum_i h_i [w_i^h(tau_w + tau) - w_i(tau_w + tau)]

beside C = (1/N) sum_i w_i(tau_w + tau) w_i(tau_w) and D = < [w_i(tau_w + tau) - w_i(tau_w)]^2 >_i of the twin without a
field. In equilibrium chi = D / (2T) (fluctuation-dissipation theorem); see `observables.fluctuation_dissipation`.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError, checked_seed
from encoding.errors import shown
from encoding.given import number, whole
from encoding.memory import check_room
from experiments.abilities import checked_system, signs
from experiments.observables import Correlation, Displacement, TwoTimeCurve
from experiments.observables.given import LARGEST, SMALLEST, entries, is_word, numbers
from experiments.system import System

MOST_CLONES = 1000  # all pairs are compared


class ClonesOverlap(TwoTimeCurve):
    """q(tau) of clones made at tau_w, mean over all pairs, (n, R)."""


class ClonesDisplacement(TwoTimeCurve):
    """D_ab(tau) of clones made at tau_w, mean over all pairs, (n, R)."""


class CloneTest(NamedTuple):
    """How clones part: curves over proper times tau > 0 since they were made, whole steps.

    NaN once a replica of one of them is frozen. `.mean()` of each curve has its error over replicas.

    Attributes:
        overlap: q(tau), from 1 on.
        displacement: D_ab(tau), from 0 on.
    """

    overlap: ClonesOverlap
    displacement: ClonesDisplacement


def clone_test(
    system: System, rate: float, *, lags: ArrayLike, n_clones: int = 1, waiting: float | None = None, seed: int = 0
) -> CloneTest:
    """Go on from the present state of `system` with other noise, more than once, and compare.

    `system` itself is not moved: it has learned until tau_w. One of the machines compared goes on as it would. Without
    noise clones never part: q = 1, D = 0.

    Args:
        system: at tau_w.
        rate: eta, the same for all replicas.
        lags: proper times tau, each rounded to whole steps, at least one.
        n_clones: clones beside the machine that goes on as `system` would; all pairs are averaged.
        waiting: tau_w, which the system does not know; what counts in tau / tau_w wants it.
        seed: of the clones' noise.

    Raises:
        InputError: no system, rate not positive, lags of no step, no clone or more than 1000, or waiting below 0.
    """
    system, steps, since = checked_system("system", system), _whole_steps(lags, rate), _waited(waiting)
    n_clones = whole("n_clones", n_clones, most=MOST_CLONES)
    state = sum(array.nbytes for array in system.state().values())
    check_room(2.0 * n_clones * state, f"n_clones = {n_clones} clones")
    rng = np.random.Generator(np.random.Philox(key=[checked_seed(seed), 0]))
    noises = rng.integers(1 << 62, size=n_clones).tolist()  # far from the seeds that people give
    machines = [twin(system), *(system.clone(noise) for noise in noises)]
    alive, rows = np.ones(system.n_replicas, bool), []
    for n in np.diff(steps, prepend=0).tolist():
        alive &= np.all([_go_on(machine, rate, n) for machine in machines], axis=0)
        pairs = list(combinations([machine.weights().astype(np.float64) for machine in machines], 2))
        with np.errstate(over="ignore", invalid="ignore"):  # of machines that diverge
            apart = [[_overlap(a, b) for a, b in pairs], [((a - b) ** 2).mean(1) for a, b in pairs]]
        rows.append(np.where(alive, np.mean(apart, axis=1), np.nan))
    overlap, displacement = np.array(rows).swapaxes(0, 1)
    lag = np.asarray(steps * float(rate), np.float64)
    return CloneTest(
        ClonesOverlap(since, lag, overlap, None, stopped=~alive),
        ClonesDisplacement(since, lag, displacement, None, stopped=~alive),
    )


class Susceptibility(TwoTimeCurve):
    """chi(tau_w + tau, tau_w), (n, R), in the unit of a time: weight per field."""


class Response(NamedTuple):
    """What a small field does, beside how the machine moves without it.

    Curves over proper times tau > 0 since the field is on, whole steps, of the weights in the field (`group`); NaN once
    a replica is frozen. `.mean()` of each has its error over replicas.

    Attributes:
        response: chi(tau_w + tau, tau_w), from 0 on.
        correlation: C(tau_w + tau, tau_w), not normalised, means not taken off.
        displacement: D(tau_w, tau_w + tau), from 0 on.
        start: C(tau_w, tau_w), where the correlation begins, (R,).
    """

    response: Susceptibility
    correlation: Correlation
    displacement: Displacement
    start: NDArray[np.float64]


def response(
    system: System,
    rate: float,
    *,
    field: float,
    lags: ArrayLike,
    groups: Sequence[str] | None = None,
    chunk: int = 1,
    waiting: float | None = None,
    seed: int = 0,
) -> Response:
    """Twins with the same noise, one of them in a random field that is switched on now; `system` is not moved.

    The field acts between chunks of steps: after n of them its weights are pushed by n eta h. They are pushed in a
    `state()` that holds "weights" as `weights()` shows them, so that all else (the errors that the delayed rule
    remembers) is kept; by `put` where a state holds none. A chunk of 1 is the rule above to the letter. One of n pushes
    late, so where the curvature k pulls weights back chi is too large, by about n eta k / 2 of itself. What a machine
    holds to (orthogonal matrices) is restored by its next step, not between the push and the look.

    Args:
        system: at tau_w.
        rate: eta, the same for all replicas.
        field: its size h, small: twice as large, chi should stay. In float32 eta h well above 1e-8.
        lags: proper times tau, each rounded to whole steps, at least one.
        groups: of weights in the field, which chi, C and D run over; None: all. Leave out those not learned.
        chunk: steps between two pushes.
        waiting: tau_w, which the system does not know; what counts in tau / tau_w wants it.
        seed: of the field.

    Raises:
        InputError: no system, rate, field or chunk not positive, lags of no step, no such group, or waiting below 0.
    """
    system = checked_system("system", system)
    steps, since, names = _whole_steps(lags, rate), _waited(waiting), _chosen(system, groups)
    size, chunk = number("field", field, above=0, least=SMALLEST, most=LARGEST), whole("chunk", chunk)
    layout, here = system.layout(), np.zeros(system.weights().shape, bool)
    for name in names:
        here[:, layout[name].slice] = True
    h = size * signs(seed, here.shape) * here
    chi, correlation, displacement = _pulled(system, steps, rate, h, chunk).swapaxes(0, 1)
    group = None if groups is None else "+".join(names)
    start = _mean_over(here, system.weights().astype(np.float64) ** 2)
    lag = np.asarray(steps * float(rate), np.float64)
    frozen = np.isnan(chi[-1])
    return Response(
        Susceptibility(since, lag, chi, group, stopped=frozen),
        Correlation(since, lag, correlation, group, raw=True, stopped=frozen),
        Displacement(since, lag, displacement, group, stopped=frozen),
        start,
    )


def _pulled(
    system: System, steps: NDArray[np.int64], rate: float, h: NDArray[np.float64], chunk: int
) -> NDArray[np.float64]:
    """chi, C and D after so many steps of a twin in the field h and of one that is free, (n, 3, R)."""
    free, pulled, start = twin(system), twin(system), system.weights().astype(np.float64)
    alive, rows, here = np.ones(system.n_replicas, bool), [], h != 0
    square = (h**2).max()
    for n in np.diff(steps, prepend=0).tolist():
        alive &= _go_on(free, rate, n)
        for made in range(0, n, chunk):
            more = min(chunk, n - made)
            alive &= _go_on(pulled, rate, more)
            _push(pulled, np.where(alive[:, None], more * rate * h, 0))
        now, moved = (machine.weights().astype(np.float64) for machine in (free, pulled))
        with np.errstate(over="ignore", invalid="ignore"):  # of machines that diverge
            row = [_mean_over(here, each) for each in (h * (moved - now) / square, now * start, (now - start) ** 2)]
        rows.append(np.where(alive, row, np.nan))
    return np.array(rows)


def _mean_over(here: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the weights that are meant, (R,)."""
    return (here * values).sum(1) / here.sum(1)


def twin(system: System) -> System:
    """A copy that goes on as `system` would, with the same noise.

    Raises:
        InputError: no system.
    """
    system = checked_system("system", system)
    copy = system.clone(0)
    copy.restore(system.state())
    return copy


def _go_on(machine: System, rate: float, n: int) -> NDArray[np.bool_]:
    """`n` steps; which replicas stayed finite, (R,)."""
    return np.all(np.isfinite(machine.step(rate, n)), axis=0)


def _push(machine: System, shift: NDArray[np.float64]) -> None:
    """Shift the weights, and leave all else of the state where that can be done."""
    state = machine.state()
    weights = state.get("weights")
    if weights is not None and weights.shape == shift.shape:
        machine.restore(state | {"weights": (weights + shift).astype(weights.dtype)})
    else:
        machine.put(machine.weights() + shift)


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normalised overlap, (R,); NaN where there are no weights but 0."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.where(norms > 0, (a * b).sum(1), np.nan) / np.where(norms > 0, norms, 1)


def _chosen(system: System, groups: Sequence[str] | None) -> list[str]:
    """The names of the groups that are meant."""
    layout = system.layout()
    names = list(layout) if groups is None else [groups] if isinstance(groups, str) else entries("groups", groups)
    if not names or not all(is_word(name, list(layout)) for name in names):
        raise InputError(f"groups are some of {', '.join(layout)}; got {shown(names) if names else 'none'}")
    return names


def _waited(waiting: float | None) -> float:
    return np.nan if waiting is None else number("waiting", waiting, least=0)


def _whole_steps(lags: ArrayLike, rate: float) -> NDArray[np.int64]:
    """Rising numbers of steps at `rate`, each once; none of 0, where nothing has moved."""
    eta = number("rate", rate, above=0, least=SMALLEST, most=LARGEST)
    wanted = numbers(lags, "lags", "n_lags", any_size=True)
    if (wanted < 0).any():
        raise InputError(f"lags are proper times of at least 0, in a list; got {shown(lags)}")
    if float(wanted.max()) / eta > 1 << 31:
        raise InputError(f"lags are at most 2^31 steps; got {wanted.max():g} at rate {eta:g}")
    steps = np.unique(np.rint(wanted / eta).astype(np.int64))
    if not steps[-1]:
        raise InputError(f"lags are proper times of at least one step of {eta:g}; got {shown(lags)}")
    return steps[steps > 0]
