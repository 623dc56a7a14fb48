"""Lazy or rich: does a machine learn as its linearisation at the start would, or does its tangent kernel turn?

    f_lin(w) = f(w_0) + J(w_0) (w - w_0),        J = df/dw                 (f: output fields H of all time slots)
    distance = |f(w) - f_lin(w)| / |f(w) - f(w_0)|                         0: lazy (Chizat, Oyallon & Bach 2019)
    K = J J^T,   A(0, t) = tr(K_0 K_t) / (|K_0| |K_t|)                     1: the same kernel, up to a factor

(Fort et al. 2020 for the kernel's distance). Kernels are never built. For directions v_a of independent entries +-1,
phi_a = J v_a has the covariance K, and < (phi_a(s) . phi_b(t))^2 > = tr(K_s K_t) for a != b: the mean over all pairs is
that over all ways to part the directions into two independent halves, and has no bias.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError, checked_seed
from encoding.errors import shown
from encoding.given import whole
from encoding.memory import check_room
from experiments.abilities import ability, checked_system, signs, undisturbed
from experiments.differences import along, step_of
from experiments.observables.given import entries, numbers
from experiments.observables.jackknife import left_out
from experiments.replay import played, replay, times
from experiments.store import Run
from experiments.system import System
from experiments.trajectory import Trajectory

Array = NDArray[np.float64]


MOST_DIRECTIONS = 10**5  # an error of 0.3 %


class LinearisationDistance(NamedTuple):
    """How far a run is from its linearisation at its first look.

    Attributes:
        time: proper times, (n, R); NaN where a replica was frozen, or went back.
        distance: |f - f_lin| / |f - f_0|, (n, R); NaN where f = f_0, as at the first look.
        error: of the distance, from a derivative of twice the step, (n, R).
    """

    time: Array
    distance: Array
    error: Array


def linearisation_distance(run: Run | System, trajectory: Trajectory | None = None) -> LinearisationDistance:
    """|f(w) - f_lin(w)| / |f(w) - f(w_0)| at every look that took weights; w_0 are those of the first.

    Args:
        run: of a store, or a system.
        trajectory: of the system.

    Raises:
        InputError: the system has no `outputs`, moves the weights it is given, or see `experiments.replay`.
    """
    system, trajectory = played(run, trajectory)
    outputs, time = ability(system, "outputs"), times(trajectory)
    with undisturbed(system):
        system.put(trajectory.weights[0])
        start, step = system.weights().astype(np.float64), step_of(system)
        first, rows = outputs().astype(np.float64), []
        for _ in replay(system, trajectory):
            moved, direction = outputs().astype(np.float64) - first, system.weights() - start
            near, far = (along(system, outputs, start, direction, times * step) for times in (1, 2))
            length = _norm(moved)
            scale = np.where(length > 0, 1 / np.where(length > 0, length, 1), np.nan)
            rows.append((_norm(moved - near) * scale, _norm(near - far) * scale))
    distance, error = np.array(rows).swapaxes(0, 1)
    known = np.isfinite(time)
    return LinearisationDistance(time, np.where(known, distance, np.nan), np.where(known, error, np.nan))


class Alignment(NamedTuple):
    """How much the tangent kernel is still that of the start.

    Attributes:
        alignment: A(0, t), (R,); 1: the same up to a factor. Random directions can carry it beyond 1.
        error: one standard error, from leaving out each direction in turn (jackknife), (R,).
    """

    alignment: Array
    error: Array


def kernel_alignment(
    system: System,
    weights_0: ArrayLike,
    weights_t: ArrayLike,
    *,
    n_directions: int = 32,
    slots: Sequence[int] | None = None,
    seed: int = 0,
) -> Alignment:
    """Alignment of the tangent kernel at `weights_0` with that at `weights_t`; `system` is left as it was.

    Args:
        system: one with `outputs()`.
        weights_0: (R, N), say those of the start.
        weights_t: (R, N), say those of a later look.
        n_directions: random directions, at least 3. The error falls as 1 / sqrt(n_directions).
        slots: numbers of the time slots that the kernel is of; None: all. Memory grows in proportion.
        seed: of the directions.

    Raises:
        InputError: no system or one without `outputs`, weights that do not fit, slots that there are not, or fewer than
            3 directions.
    """
    outputs, seed = ability(checked_system("system", system), "outputs"), checked_seed(seed)
    n_directions = whole("n_directions", n_directions, least=3, most=MOST_DIRECTIONS)
    starts = _weights_of(system, "weights_0", weights_0), _weights_of(system, "weights_t", weights_t)
    which = _chosen_slots(slots, outputs().shape[1])
    with undisturbed(system):
        early, late = (_tangents(system, weights, which, n_directions, seed) for weights in starts)
    overlaps = [_squared_overlaps(a, b) for a, b in ((early, late), (early, early), (late, late))]  # (R, m, m) each
    every = _ratio(*(each.sum((-2, -1)) for each in overlaps))
    less = _ratio(*(each.sum((-2, -1))[:, None] - each.sum(-1) - each.sum(-2) for each in overlaps))  # (R, m)
    return Alignment(*left_out(every, less))  # a ratio of means has a bias of order 1/n


def _weights_of(system: System, name: str, given: ArrayLike) -> Array:
    """Weights that fit the system, (R, N)."""
    weights, wanted = numbers(given, name, "n_replicas", "n_weights", any_size=True), system.weights().shape
    if weights.shape != wanted:
        raise InputError(f"{name} are of shape {wanted}, as those of the system; got {weights.shape}")
    return weights


def _chosen_slots(slots: Sequence[int] | None, n_slots: int) -> NDArray[np.int64]:
    """The numbers of the slots that are meant."""
    if slots is None:
        return np.arange(n_slots)
    numbered = entries("slots", slots)
    if not numbered or not all(_is_slot(slot, n_slots) for slot in numbered):
        raise InputError(f"slots are numbers from 0 to {n_slots - 1}, in a list; got {shown(slots)}")
    return np.array(numbered, np.int64)


def _is_slot(slot: object, n_slots: int) -> bool:
    return isinstance(slot, int | np.integer) and not isinstance(slot, bool) and bool(0 <= slot < n_slots)


def _tangents(system: System, weights: ArrayLike, slots: NDArray[np.int64], n: int, seed: int) -> NDArray[np.float32]:
    """J v of `n` random directions, the same for every call, (R, n, n_outputs of these slots)."""
    outputs = ability(system, "outputs")
    system.put(weights)
    at, step = system.weights().astype(np.float64), step_of(system)
    per_replica = len(slots) * outputs().shape[2]
    check_room(16.0 * n * len(at) * per_replica, f"{n} directions of {per_replica} outputs, of {len(at)} replica(s)")
    found = np.empty((len(at), n, per_replica), np.float32)
    for k, v in enumerate(signs(seed, (n, *at.shape))):
        found[:, k] = along(system, lambda: outputs()[:, slots], at, v, step).reshape(len(at), -1)
    return found


def _squared_overlaps(a: NDArray[np.float32], b: NDArray[np.float32]) -> Array:
    """(phi_a . phi_b)^2 for a != b, 0 for a = b, (R, m, m)."""
    squares = (a @ b.mT).astype(np.float64) ** 2
    return squares * (1 - np.eye(squares.shape[1]))


def _ratio(cross: Array, one: Array, other: Array) -> Array:
    """A cosine; NaN where a kernel vanishes."""
    norms = np.sqrt(one * other)
    return np.where(norms > 0, cross, np.nan) / np.where(norms > 0, norms, 1)


def _norm(f: Array) -> Array:
    return np.sqrt((f**2).sum((1, 2)))
