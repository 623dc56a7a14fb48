"""Averages over a hierarchy of states: how a constraint, or a spin, answers fields whose spread grows level by level.

Fields have variance v_0 <= .. <= v_k at the levels. From f_k, the free energy in one state, Parisi's recursion

    f_(i-1)(h) = (1/m_i) ln int Dz exp[m_i f_i(h + sqrt(v_i - v_(i-1)) z)]                           (Parisi 1980)

goes to the whole system; the answers are <(f_i')^2>, fields at level i weighed by exp(m_j f_j) of all j <= i.

    bonds: v = lambda, f_k = ln H(-h/sqrt(1 - lambda_k))        spins: v = eps, f_k = ln 2 cosh h

Grids stretch: their points lie densest, by width/20, around h = 0, where f_k has its layer of that width (sqrt(1 -
lambda_k), or 1). So nothing is lost as lambda -> 1. `hierarchy_steps` has the loops.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from classical.perceptron.compiled import compiled
from classical.perceptron.gaussian import nodes, pressure

Array = NDArray[np.float64]

SPACING = 0.0625  # of the grid, in asinh(h/width)
SIGMAS = 8.0  # of the fields that are looked at
TINY = 1e-18  # a step of so little variance, in layers squared, is none
DECIDED = 12.0  # m s beyond which spins are up or down whatever a larger step: f grows by m s^2/2, and no more happens
LEAST = 1e-14  # of a variance
KAPPA = float(np.sqrt(2 / np.pi))  # between the pull of a teacher and what `taught_fields` probe
Function = Callable[[Array], Array]


class Answers(NamedTuple):
    """What a layer answers.

    Attributes:
        squares: <(f_i')^2>, (k + 1,).
        mean: <f_0'>.
        free: <f_0>.
        probed: f_0' averaged over other fields, if they were given.
    """

    squares: Array
    mean: float
    free: float
    probed: float


class Fields(NamedTuple):
    """Fields at level 0 with their weights; `probe` are others at which f_0' is asked for."""

    h: Array
    weight: Array
    probe: Array | None = None
    probe_weight: Array | None = None


def bonds(variances: Array, m: Array, fields: Fields | None = None) -> Answers:
    """K_i of a layer of bonds at lambda_i, (k + 1,), and levels m, (k,)."""
    width = float(np.sqrt(1 - variances[-1]))

    def f(h: Array) -> Array:
        return log_ndtr(h / width)

    def slope(h: Array) -> Array:
        return pressure(-h / width) / width

    return _answers(variances, m, width, f, slope, fields, concave=True)


def spins(variances: Array, m: Array, fields: Fields | None = None) -> Answers:
    """q_i of a layer of spins at eps_i, (k + 1,), and levels m, (k,)."""
    return _answers(variances, m, 1.0, lambda h: np.logaddexp(h, -h), np.tanh, fields, concave=False)


def normal_fields(variance: float, layer: float, *, mean: float = 0.0) -> Fields:
    """Fields normal around a mean, for functions with a layer of this width around h = 0."""
    spread = np.sqrt(max(variance, LEAST))
    z, weight = nodes(np.array(layer / spread), np.array(-mean / spread))
    return Fields(mean + spread * z, weight)


def taught_fields(felt: Array, with_teacher: float) -> Fields:
    """Fields of bonds that feel lambda_i, (k + 1,), whose teacher meets the constraint.

        P_0(u) = 2 N(u; 0, lambda_0) H(-lambda^r u/sqrt(lambda_0 (lambda_0 - lambda^r^2)))

    And those at which f_0' gives the pull of the teacher, N(u; 0, lambda_0 - lambda^r^2).
    """
    width, rest = np.sqrt(1 - felt[-1]), max(felt[0] - with_teacher**2, LEAST)
    spread = np.sqrt(max(felt[0], LEAST))
    tilt = with_teacher / np.sqrt(rest)  # of z = u/sqrt(lambda_0): a layer of width 1/tilt
    z, weight = nodes(np.array(min(width / spread, 1 / max(tilt, LEAST))))
    weight = 2 * weight * np.exp(log_ndtr(tilt * z))
    beside, its_weight = nodes(np.array(width / np.sqrt(rest)))
    return Fields(spread * z, weight / weight.sum(), np.sqrt(rest) * beside, its_weight)


def _answers(
    variances: Array, m: Array, width: float, f: Function, slope: Function, fields: Fields | None, *, concave: bool
) -> Answers:
    scale = min(width, 1.0)
    fields = fields or normal_fields(float(variances[0]), scale)
    if not m.size:
        return _without_levels(f, slope, fields)
    rises = np.diff(variances, prepend=variances[0])
    all_of = np.sqrt(np.where(rises > TINY * scale**2, rises, 0.0))
    levels = np.concatenate([[0.0], m])
    kept = all_of if concave else np.minimum(all_of, DECIDED / np.maximum(levels, TINY))
    seen, beyond = float(variances[0] + (kept**2).sum()), float((levels * (all_of**2 - kept**2)).sum() / 2)
    reached = SIGMAS * np.sqrt(seen) + (0.0 if concave else seen)  # fields pull spins along
    farthest = max(reached, float(np.abs(fields.h).max())) + SIGMAS * scale
    half = int(np.ceil(np.arcsinh(farthest / scale) / SPACING)) + 2
    h = scale * np.sinh(np.arange(-half, half + 1) * SPACING)
    squares, mean, free, first = steps().answer(
        scale, SPACING, f(h), slope(h), concave, kept, levels, fields.h, fields.weight
    )
    probed = np.nan
    if fields.probe is not None:
        probed = float(steps().read(scale, SPACING, first, fields.probe) @ fields.probe_weight)
    return Answers(squares, float(mean), float(free) + beyond, probed)


def _without_levels(f: Function, slope: Function, fields: Fields) -> Answers:
    """One state only: nothing to go through."""
    first = slope(fields.h)
    probed = np.nan
    if fields.probe is not None and fields.probe_weight is not None:
        probed = float(fields.probe_weight @ slope(fields.probe))
    squares = np.array([fields.weight @ first**2])
    return Answers(squares, float(fields.weight @ first), float(fields.weight @ f(fields.h)), probed)


def steps() -> Any:
    """The module `hierarchy_steps`, compiled."""
    return compiled("hierarchy_steps", advice="all theory with levels needs them")
