"""A learning run as a family of spin models, and where each of them melts: from glass to hidden order.

Weights are bonds between Ising spins (`classical.spins`). At every look that took weights

    T_c              where the paramagnet of the linearised TAP equations ends, from above
    lambda_max(J)    the largest eigenvalue of the bonds, which pulls T_c along
    max D            the largest D_i = sum_j J_ij^2, by which a spin answers itself, -lambda_min(R) of the paper
    s_0 / s_typ      first level spacing of I - M at T_c over the median spacing: large where one mode orders alone

(Barney, Winer & Galitski 2024). Before training the least eigenvalue of I - M only comes close to zero, for spins are
few; then T is where it is least, and `melts` is False.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classical.spins import Bonds, first_spacing, largest_eigenvalue, linear_tap, melting_temperature
from encoding import InputError
from encoding.errors import shown
from encoding.given import real_numbers
from encoding.memory import check_room
from experiments.abilities import ability
from experiments.replay import played, times
from experiments.store import Run
from experiments.system import System
from experiments.trajectory import Trajectory

Array = NDArray[np.float64]


class MeltingCurve(NamedTuple):
    """Spins along a run, each (n, R), NaN where a replica was frozen, or went back, or was refused.

    Attributes:
        time: proper time of the look.
        temperature: T_c, or the T of the lowest eigenvalue where nothing melts, in the unit of the weights.
        least: the least eigenvalue of I - M there, 0 where the spins melt.
        melts: whether they do.
        largest: lambda_max(J).
        square: max_i D_i.
        spacing: s_0 / s_typ of I - M at `temperature`; NaN where levels are too few, or half of them alike.
        refused: why not, of each look and replica that has no temperature though it has weights.
        n_spins: N.
        degree: the most bonds that any spin has at any look: with three or fewer nothing can melt.
    """

    time: Array
    temperature: Array
    least: Array
    melts: NDArray[np.bool_]
    largest: Array
    square: Array
    spacing: Array
    refused: dict[tuple[int, int], str]
    n_spins: int
    degree: int


def bonds_of(system: System, weights: NDArray[np.floating] | None = None) -> Bonds:
    """A system's network as a spin model.

    Args:
        system: one with `couplings(weights)`.
        weights: (..., n_weights), of a trajectory for instance; None: those of now, (n_replicas, n_weights).

    Raises:
        InputError: no such system, or weights of another one.
    """
    blocks: Any = ability(system, "couplings")(weights)
    return Bonds(blocks)


def melting_along(run: Run | System, trajectory: Trajectory | None = None, *, spacings: bool = True) -> MeltingCurve:
    """Where the spins of a run melt, at every look that took weights.

    Args:
        run: of a store, or a system.
        trajectory: of the system.
        spacings: whether to diagonalise I - M at each look for its first spacing, which takes most of the time of
            networks of a thousand neurons; else they are NaN.

    Raises:
        InputError: the system has no `couplings`, no weights were taken, or there is no room.
    """
    system, trajectory = played(run, trajectory)
    time = times(trajectory)
    shape, known = time.shape, np.isfinite(time)
    numbers = np.full((5, *shape), np.nan)
    melts, n_spins, degree = np.zeros(shape, bool), 0, 0
    refused: dict[tuple[int, int], str] = {}
    for look in range(shape[0]):
        here = np.flatnonzero(known[look])
        if not len(here):
            continue
        bonds = bonds_of(system, np.asarray(trajectory.weights[look][here]))
        n_spins, degree = bonds.n_spins, max(degree, int(bonds.degree.max()))
        numbers[2, look, here], numbers[3, look, here] = largest_eigenvalue(bonds), bonds.squares.max(-1)
        for place, replica in enumerate(here.tolist()):
            own = bonds.one(place)
            try:
                found = melting_temperature(own)
            except InputError as told:  # one machine without an answer, not a curve without one
                refused[look, replica] = str(told)
                continue
            melts[look, replica] = found.melts
            numbers[:2, look, replica] = found.temperature, found.least
            if spacings:
                numbers[4, look, replica] = _spacing(_levels(own, float(found.temperature)))
    temperature, least, largest, square, spacing = numbers
    return MeltingCurve(time, temperature, least, melts, largest, square, spacing, refused, n_spins, degree)


def levels_at(bonds: Bonds, temperature: ArrayLike) -> list[Array]:
    """Eigenvalues of I - M of the spins that have bonds, of each system at its own T, each (n,), ascending.

    A spin without bonds has the level 1, and many such levels no spacing.

    Args:
        bonds: of systems along one axis, (R,).
        temperature: T > 0 of each, (R,).

    Raises:
        InputError: other temperatures, or there is no room.
    """
    t = real_numbers(temperature)
    if len(bonds.shape) != 1 or t is None or t.shape != bonds.shape or not (t > 0).all():
        raise InputError(
            f"levels are those of systems (R,) at temperatures (R,) above 0; got {bonds.shape} systems and "
            f"temperatures {shown(temperature)}"
        )
    return [_levels(bonds.one(r), float(each)) for r, each in enumerate(t)]


def _levels(bonds: Bonds, temperature: float) -> Array:
    check_room(40.0 * bonds.n_spins**2, f"the levels of {bonds.n_spins} spins", "leave spacings out (spacings=False)")
    bound = bonds.squares > 0
    return np.linalg.eigvalsh(linear_tap(bonds, 1 / temperature)[np.ix_(bound, bound)]).astype(np.float64)


def _spacing(levels: Array) -> float:
    """The first spacing; NaN where levels are too few, or alike, as those of equal bonds are."""
    try:
        return float(first_spacing(levels))
    except InputError:
        return np.nan
