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
from experiments.abilities import signs
from experiments.learning import System


class CloneTest(NamedTuple):
    """How clones part.

    Attributes:
        lag: proper times tau since the clones were made, whole steps, (n,).
        overlap: q(tau), mean over all pairs, (n, R); NaN once a replica of one of them is frozen.
        displacement: D_ab(tau), mean over all pairs, (n, R).
    """

    lag: NDArray[np.float64]
    overlap: NDArray[np.float64]
    displacement: NDArray[np.float64]


def clone_test(system: System, rate: float, *, lags: ArrayLike, n_clones: int = 1, seed: int = 0) -> CloneTest:
    """Go on from the present state of `system` with other noise, more than once, and compare.

    `system` itself is not moved: it has learned until tau_w. One of the machines compared goes on as it would. Without
    noise clones never part: q = 1, D = 0.

    Args:
        system: at tau_w.
        rate: eta, the same for all replicas.
        lags: proper times tau, each rounded to whole steps.
        n_clones: clones beside the machine that goes on as `system` would; all pairs are averaged.
        seed: of the clones' noise.

    Raises:
        InputError: a rate that is not positive, lags that are none, or fewer than one clone.
    """
    steps = _whole_steps(lags, rate)
    if isinstance(n_clones, bool) or not isinstance(n_clones, int | np.integer) or n_clones < 1:
        raise InputError(f"n_clones is a whole number of at least 1; got {n_clones!r}")
    rng = np.random.Generator(np.random.Philox(key=[checked_seed(seed), 0]))
    noises = rng.integers(1 << 62, size=n_clones).tolist()  # far from the seeds that people give
    machines = [twin(system), *(system.clone(noise) for noise in noises)]
    alive, overlaps, displacements = np.ones(system.n_replicas, bool), [], []
    for n in np.diff(steps, prepend=0).tolist():
        alive &= np.all([_go_on(machine, rate, n) for machine in machines], axis=0)
        weights = [machine.weights().astype(np.float64) for machine in machines]
        pairs = list(combinations(weights, 2))
        overlaps.append(np.where(alive, np.mean([_overlap(a, b) for a, b in pairs], axis=0), np.nan))
        displacements.append(np.where(alive, np.mean([((a - b) ** 2).mean(1) for a, b in pairs], axis=0), np.nan))
    return CloneTest(np.asarray(steps * float(rate), np.float64), np.array(overlaps), np.array(displacements))


class Response(NamedTuple):
    """What a small field does, beside how the machine moves without it; NaN once a replica is frozen.

    Attributes:
        lag: proper times tau since the field is on, whole steps, (n,).
        response: chi(tau_w + tau, tau_w), (n, R), in the unit of a time: weight per field.
        correlation: C(tau_w + tau, tau_w), not normalised, means not taken off, (n, R).
        displacement: D(tau_w, tau_w + tau), (n, R).
    """

    lag: NDArray[np.float64]
    response: NDArray[np.float64]
    correlation: NDArray[np.float64]
    displacement: NDArray[np.float64]


def response(
    system: System,
    rate: float,
    *,
    field: float,
    lags: ArrayLike,
    groups: Sequence[str] | None = None,
    chunk: int = 1,
    seed: int = 0,
) -> Response:
    """Twins with the same noise, one of them in a random field that is switched on now; `system` is not moved.

    The field acts between chunks of steps: after n of them its weights are pushed by n eta h. They are pushed in a
    `state()` that holds "weights" as `weights()` shows them, so that all else (the errors that the delayed rule
    remembers) is kept; by `put` where a state holds none. A chunk of 1 is the rule above to the letter. What a
    machine holds to (orthogonal matrices) is restored by its next step, not between the push and the look.

    Args:
        system: at tau_w.
        rate: eta, the same for all replicas.
        field: its size h, small: twice as large, chi should stay. In float32 eta h well above 1e-8.
        lags: proper times tau, each rounded to whole steps.
        groups: of weights in the field, which chi, C and D run over; None: all. Leave out those not learned.
        chunk: steps between two pushes.
        seed: of the field.

    Raises:
        InputError: rate, field or chunk not positive, lags that are none, or an unknown group.
    """
    steps = _whole_steps(lags, rate)
    h = _positive("field", field) * signs(seed, system.weights().shape) * _chosen(system, groups)
    if isinstance(chunk, bool) or not isinstance(chunk, int | np.integer) or chunk < 1:
        raise InputError(f"chunk is a whole number of steps, at least 1; got {chunk!r}")
    free, pulled, start = twin(system), twin(system), system.weights().astype(np.float64)
    alive, rows, here = np.ones(system.n_replicas, bool), [], h != 0
    n_weights = here.sum(1)
    for n in np.diff(steps, prepend=0).tolist():
        alive &= _go_on(free, rate, n)
        for made in range(0, n, chunk):
            more = min(chunk, n - made)
            alive &= _go_on(pulled, rate, more)
            _push(pulled, np.where(alive[:, None], more * rate * h, 0))
        now, moved = (machine.weights().astype(np.float64) for machine in (free, pulled))
        row = [h * (moved - now) / field**2, here * now * start, here * (now - start) ** 2]
        rows.append([np.where(alive, each.sum(1) / n_weights, np.nan) for each in row])
    chi, correlation, displacement = np.array(rows).swapaxes(0, 1)
    return Response(np.asarray(steps * float(rate), np.float64), chi, correlation, displacement)


def twin(system: System) -> System:
    """A copy that goes on as `system` would, with the same noise."""
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


def _chosen(system: System, groups: Sequence[str] | None) -> NDArray[np.float64]:
    """1 for the weights of these groups, 0 for the others, (N,)."""
    layout = system.layout()
    names = list(layout) if groups is None else [groups] if isinstance(groups, str) else list(groups)
    if not names or not set(names) <= set(layout):
        raise InputError(f"groups are some of {', '.join(layout)}; got {', '.join(map(str, names)) or 'none'}")
    chosen = np.zeros(system.weights().shape[1])
    for name in names:
        chosen[layout[name].slice] = 1
    return chosen


def _whole_steps(lags: ArrayLike, rate: float) -> NDArray[np.int64]:
    """Rising numbers of steps at `rate`, each once."""
    eta = _positive("rate", rate)
    try:
        wanted = np.asarray(lags, np.float64)
    except (TypeError, ValueError):
        wanted = np.full(1, np.nan)
    if wanted.ndim != 1 or not len(wanted) or not np.isfinite(wanted).all() or (wanted < 0).any():
        raise InputError(f"lags are finite proper times of at least 0, in a list; got {lags!r:.60}")
    if wanted.max() / eta > 1 << 31:
        raise InputError(f"lags are at most 2^31 steps; got {wanted.max():g} at rate {eta:g}")
    return np.unique(np.rint(wanted / eta).astype(np.int64))


def _positive(name: str, value: float) -> float:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not 0 < value < np.inf:
        raise InputError(f"{name} is one positive number; got {value!r}")
    return float(value)
