"""Averages over a hierarchy of states: how a constraint, or a spin, answers fields whose spread grows level by level.

Fields have variance v_0 <= .. <= v_k at the levels. From f_k, the free energy in one state, Parisi's recursion

    f_(i-1)(h) = (1/m_i) ln int Dz exp[m_i f_i(h + sqrt(v_i - v_(i-1)) z)]                           (Parisi 1980)

goes to the whole system; the answers are <(f_i')^2>, each level averaged with the weights of the states above it.

    bonds: v = lambda, f_k = ln H(-h/sqrt(1 - lambda_k))        spins: v = eps, f_k = ln 2 cosh h

Grids stretch: their points lie densest, by width/20, around h = 0, where f_k has its layer of that width (sqrt(1 -
lambda_k), or 1). So nothing is lost as lambda -> 1. `hierarchy_steps` has the loops.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from classical.perceptron.gaussian import gauss, pressure

Array = NDArray[np.float64]

SPACING = 0.05  # of the grid, in asinh(h/width)
SIGMAS = 8.0  # of the fields that are looked at
REACH, FINEST, COARSEST = 6.5, 1201, 0.75  # nodes in z: until where, how many at most, and how far apart at most
LAYER = {"bonds": 1.0, "spins": 0.6}  # spacing of the nodes in widths of the layer: poles of f' are pi times as far
Function = Callable[[Array], Array]


class Answers(NamedTuple):
    """What a layer answers.

    Attributes:
        squares: <(f_i')^2>, (k + 1,).
        mean: <f_0'>.
        probed: f_0' averaged over other fields, if they were given.
    """

    squares: Array
    mean: float
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
    return _answers(
        variances, m, width, "bonds", lambda h: log_ndtr(h / width), lambda h: pressure(-h / width) / width, fields
    )


def spins(variances: Array, m: Array, fields: Fields | None = None) -> Answers:
    """q_i of a layer of spins at eps_i, (k + 1,), and levels m, (k,)."""
    return _answers(variances, m, 1.0, "spins", lambda h: np.logaddexp(h, -h), np.tanh, fields)


def normal_fields(variance: float, *, mean: float = 0.0) -> Fields:
    """Fields normal around a mean."""
    z, weight = _nodes(COARSEST / 3)
    return Fields(mean + np.sqrt(variance) * z, weight)


def taught_fields(variance: float, with_teacher: float) -> Fields:
    """Fields of bonds whose teacher meets the constraint, and those at which f_0' gives the pull of the teacher.

        P_0(u) = 2 N(u; 0, lambda_0) H(-lambda^r u/sqrt(lambda_0 (lambda_0 - lambda^r^2)))

    The others are N(u; 0, lambda_0 - lambda^r^2).
    """
    rest = max(variance - with_teacher**2, 1e-14)
    spread = np.sqrt(variance)
    tilt = with_teacher / np.sqrt(rest)  # of z = u/sqrt(lambda_0): a layer of width 1/tilt
    z, weight = _nodes(min(COARSEST / 3, 1 / max(tilt, 1.0)))
    weight = 2 * weight * np.exp(log_ndtr(tilt * z))
    beside, its_weight = _nodes(COARSEST / 3)
    return Fields(spread * z, weight / weight.sum(), np.sqrt(rest) * beside, its_weight)


def _answers(
    variances: Array, m: Array, width: float, kind: str, f: Function, slope: Function, fields: Fields | None
) -> Answers:
    fields = fields or normal_fields(float(variances[0]))
    steps = np.sqrt(np.maximum(np.diff(variances, prepend=variances[0]), 0.0))
    scale = min(width, 1.0)
    farthest = max(SIGMAS * np.sqrt(variances[-1]), float(np.abs(fields.h).max())) + SIGMAS * scale
    half = int(np.ceil(np.arcsinh(farthest / scale) / SPACING)) + 2
    h = scale * np.sinh(np.arange(-half, half + 1) * SPACING)
    tables = [_nodes(min(COARSEST, LAYER[kind] * width / step) if step > 0 else COARSEST) for step in steps]
    n_nodes = np.array([len(z) for z, _ in tables])
    z, weight = np.zeros((2, len(steps), n_nodes.max()))
    for i, (own, its) in enumerate(tables):
        z[i, : len(own)], weight[i, : len(own)] = own, its
    levels = np.concatenate([[0.0], m])
    compiled = _compiled()
    values, slopes = compiled.descend(scale, SPACING, f(h), slope(h), steps, levels, z, weight, n_nodes)
    shared = scale, SPACING, values, slopes, steps, levels, z, weight, n_nodes
    squares, mean = compiled.ascend(*shared, fields.h, fields.weight)
    probed = np.nan
    if fields.probe is not None:
        probed = float(compiled.read(scale, SPACING, slopes[0], fields.probe) @ fields.probe_weight)
    return Answers(squares, float(mean), probed)


@cache
def _table(n: int) -> tuple[Array, Array]:
    z = np.linspace(-REACH, REACH, n)
    weight = gauss(z)
    return z, weight / weight.sum()


def _nodes(spacing: float) -> tuple[Array, Array]:
    """Equally spaced nodes of int Dz: the rule converges as exp(-2 pi (distance of the nearest pole)/spacing)."""
    n = 2 * int(np.ceil(REACH / spacing)) + 1
    return _table(min(n, FINEST))


@cache
def _compiled() -> Any:
    from encoding.kept import load

    return load(STEPS, [STEPS], b"hierarchy")


STEPS = "classical.perceptron.hierarchy_steps"
