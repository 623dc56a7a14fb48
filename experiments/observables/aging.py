"""How far the weights wander in units of the noise that drives them: the displacement of a system at constant noise.

    Gamma(tau) = (1/p) <var_mu(dE_mu/dw_ij)>_ij                                             (Hertz & Tyrcha 2024, eq. 6)
    Delta(tau_w, tau_w + tau) = int_{tau_w}^{tau_w + tau} dD(tau_w, tau') / Gamma(tau')                          (eq. 7)

Without noise (full gradient, Monte Carlo at T = 0, infinite shots) there is no Delta: D is returned, and labelled so.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import flag
from experiments.observables.displacement import Displacement, displacement
from experiments.observables.given import LARGEST, SMALLEST, is_word, trajectory_of
from experiments.observables.moments import align, chosen_groups
from experiments.observables.two_times import TwoTimeCurve

if TYPE_CHECKING:
    from experiments.trajectory import Trajectory

HELD = 2.0  # how far beyond the looks at Gamma the nearest is taken, as a factor in tau: Gamma varies slowly

Kind = Literal["noise", "tangent"]


@dataclass(frozen=True, eq=False)
class Aging(TwoTimeCurve):
    """Delta(tau_w, tau_w + tau), or D where there is no noise.

    Attributes:
        quantity: "Delta", or "D": the plain displacement, for Gamma is 0.
    """

    quantity: Literal["Delta", "D"]


class Noise(NamedTuple):
    """Gamma at its looks.

    Attributes:
        time: proper times, (n,).
        gamma: (n, R); NaN where the replica has no look there that counts.
    """

    time: NDArray[np.float64]
    gamma: NDArray[np.float64]


def noise(trajectory: "Trajectory", *, group: str | None = None, kind: Kind = "noise") -> Noise:
    """Gamma of eq. (6) along the run, averaged over groups by their numbers of weights.

    Args:
        trajectory: with looks at the noise.
        group: of weights: a name, the letter of a family, or None for all.
        kind: "noise", or "tangent": without the part that the polar factor takes away from orthogonal matrices.

    Raises:
        InputError: no such group or kind, or Gamma was never looked at.
    """
    trajectory = trajectory_of("trajectory", trajectory)
    if not is_word(kind, ("noise", "tangent")):
        raise InputError(f'the kind of noise is "noise" or "tangent"; got {shown(kind)}')
    if kind == "tangent" and "tangent_noise" not in trajectory.measured:
        raise InputError('this run did not measure the tangent noise: take kind="noise"')
    by_group = trajectory.noise if kind == "noise" else trajectory.measured["tangent_noise"]  # (n_looks, R, n_groups)
    names = list(trajectory.layout)
    places = [names.index(name) for name in chosen_groups(trajectory.layout, group)]
    slices = [trajectory.layout[names[place]].slice for place in places]
    counts = np.array([each.stop - each.start for each in slices], np.float64)
    gamma = by_group[:, :, places] @ (counts / counts.sum())
    if np.isinf(gamma[trajectory.valid]).any() or (np.abs(gamma[trajectory.valid]) > LARGEST).any():
        raise InputError(f"Gamma is a finite number of at most {LARGEST:g}; got one beyond: leave these looks out")
    known = trajectory.valid & np.isfinite(gamma)
    if not known.any():
        raise InputError("Gamma was never looked at: learn with Looks(noise=...), or take displacement")
    time, row = align(trajectory.time, known)
    columns = np.arange(gamma.shape[1])
    return Noise(time, np.where(row >= 0, gamma[row, columns], np.nan))


def aging(
    trajectory: "Trajectory",
    waiting: float,
    *,
    group: str | None = None,
    kind: Kind = "noise",
    temperature: Literal["running", "waiting"] = "running",
    periodic: bool = False,
) -> Aging:
    """Displacement since `waiting` in units of the noise, summed over the looks at the weights (eq. 7).

        Delta = sum_k [D_k - D_(k-1)] / Gamma_k,    Gamma_k = mean of Gamma(tau') from look k-1 to look k

    Exact where dDelta/dtau is constant between looks, as in free diffusion. Between its own looks Gamma is a power of
    tau (linear in ln Gamma against ln tau); beyond them the nearest is held, up to a factor 2 in tau.

    Args:
        trajectory: with weights and looks at the noise.
        waiting: tau_w > 0, the proper time of a look of the weights.
        group: of weights: a name, the letter of a family, or None for all.
        kind: of noise, see `noise`.
        temperature: "running", or "waiting": Gamma(tau) = Gamma(tau_w) throughout (Baity-Jesi et al. 2018).
        periodic: angles by the distance around the circle, see `displacement`.

    Raises:
        InputError: as `displacement` and `noise` do; Gamma was not looked at from tau_w to the end, or it is 0 for some
            replicas or looks only.
    """
    if not is_word(temperature, ("running", "waiting")):
        raise InputError(f'the temperature is "running" or "waiting"; got {shown(temperature)}')
    moved = displacement(trajectory, waiting, group=group, periodic=periodic)
    if not moved.waiting > 0:
        raise InputError("aging is looked at from a waiting time above 0; got 0: take displacement, or a later look")
    seen = _after_start(noise(trajectory, group=group, kind=kind))
    if (seen.gamma[np.isfinite(seen.gamma)] == 0).all():
        return Aging(moved.waiting, moved.lag, moved.value, group, "D", stopped=moved.stopped)
    delta = _accumulated(moved, seen, temperature)
    return Aging(moved.waiting, moved.lag, delta, group, "Delta", stopped=moved.stopped)


def aging_by_group(
    trajectory: "Trajectory",
    waiting: float,
    *,
    kind: Kind = "noise",
    temperature: Literal["running", "waiting"] = "running",
    periodic: bool = False,
) -> dict[str, Aging]:
    """`aging` of each group of weights by itself, in units of its own noise; D for a group without any.

    Args:
        trajectory: with weights and looks at the noise.
        waiting: tau_w > 0, the proper time of a look of the weights.
        kind: of noise, see `noise`.
        temperature: see `aging`.
        periodic: for those groups that have a period.

    Raises:
        InputError: as `aging` does; which group it was is said.
    """
    trajectory, periodic = trajectory_of("trajectory", trajectory), flag("periodic", periodic)
    found = {}
    for name, each in trajectory.layout.items():
        around = periodic and each.period is not None
        try:
            found[name] = aging(trajectory, waiting, group=name, kind=kind, temperature=temperature, periodic=around)
        except InputError as refused:
            raise InputError(f"group {name}: {refused}") from None
    return found


def _after_start(seen: Noise) -> Noise:
    """The looks after time 0: there output weights are 0, and so is the noise of all behind them."""
    after = seen.time > 0
    if not np.isfinite(seen.gamma[after]).any():
        raise InputError("Gamma was not looked at after time 0: learn with Looks(noise=...), or take displacement")
    return Noise(seen.time[after], seen.gamma[after])


def _accumulated(moved: Displacement, seen: Noise, temperature: str) -> NDArray[np.float64]:
    """Sum of dD / Gamma over the looks of each replica, (n, R)."""
    delta = np.full_like(moved.value, np.nan)
    for replica, value in enumerate(moved.value.T):
        known, looked = np.isfinite(value), np.isfinite(seen.gamma[:, replica])
        if known.any():
            times = moved.waiting + np.append(0, moved.lag[known])
            driving = _driving(times, seen.time[looked], seen.gamma[looked, replica], temperature, replica)
            delta[known, replica] = np.cumsum(np.diff(value[known], prepend=0) / driving)
    return delta


def _driving(
    times: NDArray[np.float64], looks: NDArray[np.float64], gamma: NDArray[np.float64], temperature: str, replica: int
) -> NDArray[np.float64]:
    """Gamma of one replica for each interval between `times`, the first of which is tau_w, (n - 1,)."""
    if temperature == "waiting":
        return np.repeat(_near(times[:1], looks, gamma, replica).at(times[:1]), len(times) - 1)
    return _near(times, looks, gamma, replica).mean(times)


class _Gamma(NamedTuple):
    """Gamma of one replica as a function of time: a power of tau between its looks."""

    time: NDArray[np.float64]
    gamma: NDArray[np.float64]

    def at(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Interpolated, linear in the logarithms."""
        return np.exp(np.interp(np.log(time), np.log(self.time), np.log(self.gamma)))

    def mean(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Averages from each of `time` to the next, (n - 1,).

        The integral of a power a^s .. b^s is ln(b/a) times the logarithmic mean of tau Gamma at a and b.
        """
        inside = self.time[(self.time > time[0]) & (self.time < time[-1])]
        grid = np.union1d(time, inside)
        height = np.log(grid * self.at(grid))
        rise, width = np.diff(height), np.log1p(np.diff(grid) / grid[:-1])
        flat = np.abs(rise) < 1e-12
        growth = np.where(flat, 1.0, np.expm1(rise) / np.where(flat, 1.0, rise))
        parts = np.exp(height[:-1]) * growth * width  # summed by interval: in a running sum a small Gamma would be lost
        return np.add.reduceat(parts, np.searchsorted(grid, time[:-1])) / np.diff(time)


def _near(needed: NDArray[np.float64], time: NDArray[np.float64], gamma: NDArray[np.float64], replica: int) -> _Gamma:
    """The looks at Gamma that matter from the first to the last time needed."""
    first, last = needed[0], needed[-1]
    if len(time) == 0 or time[0] > HELD * first or time[-1] < last / HELD:
        where = f"from {time[0]:g} to {time[-1]:g}" if len(time) else "nowhere"
        raise InputError(
            f"Gamma is needed from time {first:g} to {last:g}; replica {replica} looked at it {where}: take "
            'temperature="waiting", displacement, or learn with more looks at the noise'
        )
    low = max(int(np.searchsorted(time, first, "right")) - 1, 0)
    high = int(np.searchsorted(time, last)) + 1
    time, gamma = time[low:high], gamma[low:high]
    if not (gamma >= SMALLEST).all():
        at, least = time[~(gamma >= SMALLEST)][0], gamma[~(gamma >= SMALLEST)][0]
        raise InputError(
            f"Gamma is positive throughout, or 0 throughout; got {least:g} for replica {replica} at time {at:g}: take "
            "displacement"
        )
    return _Gamma(time, gamma)
