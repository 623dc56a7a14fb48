"""Jammed states: machines about to be the last that do it, with one step of broken symmetry.

As a state jams, 1 - lambda_1(l) = m d(l) vanishes with m, which is where the number of states ends, not the room in
each (as in Krauth & Mezard 1989). With c(l) = (1 - Q_1(l))/m, p(l) = (1 - q_1(l))/m the equations of `breaking` become

    d(l) = p(l-1) + c(l) + p(l),      p(0) = p(L) = 0
    bonds, h of variance lambda_0, s^2 = 1 - lambda_0:    g(h) = int Dz exp(-y^2 theta(-y)/2d),  y = h + s z
        K_0 m^2 = <(g'/g)^2>,   K_1 m^2 = <int Dz y^2 theta(-y) exp(-y^2/2d) / g> / d^2
    spins, u of variance E_0, s^2 = E_1 - E_0:    g(u) = int Dz exp|u + s z|,  E_i = m^2 eps_i
        q_0 = <(g'/g)^2>,   p = 2 <G(u/s)/(s g)>
    sphere, r_i = m^2 R_i:    Q_0 = r_0 (c + 1 - Q_0)^2,   1 - Q_0 = (r_1 - r_0) c (c + 1 - Q_0)

(all integrals over z have closed forms), and m s, `volume`, becomes their complexity, ln of their number for each
pattern and output,

    Sigma = (1/alpha) sum_l [ln(G/c) + Q_0/G]/2 + sum_l [<ln g> - E_1 p/2 - (E_1 - E_0 q_0)/2] + sum_l <ln g>,
    G = c + 1 - Q_0

which is stationary in q_0, p, Q_0 and c, and falls as alpha grows. Where it is 0 the last state is lost.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from classical.perceptron.fixed_point import NotConverged, fixed_point
from classical.perceptron.gaussian import nodes
from classical.perceptron.layers import FROZEN, Shape, couplings, fields_of_spins
from classical.perceptron.profile import checked_problem
from encoding import InputError
from encoding.errors import shown

Array = NDArray[np.float64]

STATES_ALIKE = 0.05  # overlaps between states to start from: at 0 they would stay there
LOOSE = 1e3  # c beyond: states come apart, and none is jammed
NEWTON = 40  # steps: it is convex
BORN = 1e-4  # an overlap between states below is looked at for whether it grows


class JammedStates(NamedTuple):
    """Overlaps of jammed states.

    Attributes:
        alpha: patterns over width.
        q: q_0 of spins, between states, (L + 1,).
        Q: q_0 of bonds, (L,).
        p: (1 - q_1)/m of spins, within a state, (L + 1,).
        c: (1 - Q_1)/m of bonds, (L,).
        complexity: Sigma, in nats for each pattern and output; below 0 there are none, but for rare data.
        residual: of the equations, in overlaps and in the largest of c and p.
        n_steps: of the iteration.
    """

    alpha: float
    q: Array
    Q: Array
    p: Array
    c: Array
    complexity: float
    residual: float
    n_steps: int


class _Felt(NamedTuple):
    """Fields of all layers: K_i m^2, (L,), E_i, (L - 1,), and <ln g> of bonds and of spins."""

    answer_0: Array
    answer_1: Array
    field_0: Array
    field_1: Array
    walls: Array


def jammed_states(
    alpha: float, depth: int, *, start: JammedStates | None = None, tolerance: float = 1e-9, most: int = 20000
) -> JammedStates:
    """States of L >= 2 layers that have jammed at alpha.

    Args:
        alpha: patterns over width, M/N.
        depth: layers of weights, L.
        start: those at another alpha; None: overlaps 0.05 between states.
        tolerance: of the equations.
        most: iterations.

    Raises:
        InputError: alpha or a depth that is none, or one layer, which jams as a whole at alpha = 2; a start of another
            depth.
        NotConverged: alpha is too small for jammed states, or no solution within `most` iterations.

    >>> states = jammed_states(8, 2)
    >>> round(states.complexity, 4), states.q.round(3)
    (0.0476, array([1.   , 0.311, 1.   ]))
    """
    alpha, depth = checked_problem(alpha, depth)
    if depth == 1:
        raise InputError("jammed states need an inner layer of spins, L >= 2: one layer jams as a whole, at alpha = 2")
    shape = Shape(depth, 2)
    what = f"jammed states at alpha = {alpha:g}, L = {depth}"

    def update(x: Array) -> Array:
        spins, bonds = _apart(shape, x)
        if not bonds[:, 1].max() < LOOSE:
            raise NotConverged(f"{what}: there are none, states come apart; take a larger alpha")
        felt = _felt(spins, bonds)
        inner = np.transpose(_spins(felt.field_0, felt.field_1)[:2])
        both = spins[:-1, 0] * spins[1:, 0]
        return shape.together(inner, _sphere(alpha * both * felt.answer_0, alpha * felt.answer_1))

    if start is None:
        first = shape.together(np.tile([STATES_ALIKE, 0.0], depth - 1), np.tile([STATES_ALIKE, alpha**-2], depth))
    else:
        first = _started(start, shape)
    soft = np.arange(shape.size) % 2 == 1  # p and c, which are small together
    found = fixed_point(
        update,
        first,
        within=lambda new, old: np.where((new >= 0) & (soft | (new < 1)), new, old),
        frail=lambda x: lambda v: np.where(~soft & (x < BORN), v, 0.0)[None],
        unit=lambda x: np.where(soft, x[soft].max(), 1.0),
        tolerance=tolerance,
        most=most,
        what=what,
    )
    spins, bonds = _apart(shape, found.x)
    (q, p), (Q, c) = spins.T, bonds.T
    return JammedStates(alpha, q, Q, p, c, complexity(alpha, q, p, Q, c), found.residual, found.n_steps)


def _started(start: JammedStates, shape: Shape) -> Array:
    if not isinstance(start, JammedStates) or len(start.Q) != shape.depth:
        got = f"{len(start.Q)} layers" if isinstance(start, JammedStates) else shown(start)
        raise InputError(f"a start is jammed states of {shape.depth} layers; got {got}")
    return shape.together(np.transpose([start.q, start.p])[1:-1], np.transpose([start.Q, start.c]))


def complexity(alpha: float, q: Array, p: Array, Q: Array, c: Array) -> float:
    """Sigma of any overlaps, (L + 1,), (L + 1,), (L,), (L,), whether or not they solve the equations."""
    felt = _felt(np.transpose([q, p]), np.transpose([Q, c]))
    ways = _spins(felt.field_0, felt.field_1)[2]
    room = c + 1 - Q
    sphere = (np.log(room / c) + Q / room).sum() / (2 * alpha)
    spins = ways - felt.field_1 * p[1:-1] / 2 - (felt.field_1 - felt.field_0 * q[1:-1]) / 2
    return float(sphere + spins.sum() + felt.walls.sum())


def _apart(shape: Shape, x: Array) -> tuple[Array, Array]:
    """(q_0, p) of spins, (L + 1, 2), input and output included, which are given: p = 0; (Q_0, c) of bonds, (L, 2)."""
    spins, bonds = shape.apart(x)
    spins[[0, -1], 1] = 0.0
    return spins, bonds


def _felt(spins: Array, bonds: Array) -> _Felt:
    (q, p), (Q, c) = spins.T, bonds.T
    answer_0, answer_1, walls = _bonds(couplings(q, Q), p[:-1] + c + p[1:])
    return _Felt(answer_0, answer_1, fields_of_spins(q, Q, answer_0), answer_1[:-1] + answer_1[1:], walls)


def _bonds(alike: Array, d: Array) -> tuple[Array, Array, Array]:
    """K_0 m^2, K_1 m^2 and <ln g> of layers with lambda_0 and d, (L,) each."""
    s = np.sqrt(1 - alike)[:, None]
    z, weight = nodes(np.ones_like(alike))
    h, d = np.sqrt(alike)[:, None] * z, d[:, None]
    narrower = 1 + s * s / d  # y < 0 has the mean h/narrower and the variance s^2/narrower before it is cut
    width = s / np.sqrt(narrower)
    edge = -h / (narrower * width)
    fed = log_ndtr(h / s)
    hurt = -np.log(narrower) / 2 - h * h / (2 * d * narrower) + log_ndtr(edge)
    free = np.logaddexp(fed, hurt)
    share, cut = np.exp(hurt - free), np.exp(_log_gauss(edge) - log_ndtr(edge))
    mean = width * (edge + cut)  # of -y, where y < 0
    square = width * width * (1 + edge * (edge + cut))
    averages = [(weight * g).sum(-1) for g in ((share * mean / d) ** 2, share * square / (d * d), free)]
    return averages[0], averages[1], averages[2]


def _spins(field_0: Array, field_1: Array) -> tuple[Array, Array, Array]:
    """q_0, p and <ln g> of layers that feel E_0 and E_1, (L - 1,) each."""
    variance = (field_1 - np.minimum(field_0, field_1 * FROZEN))[:, None]
    s = np.sqrt(variance)
    z, weight = nodes(np.ones_like(field_0))
    u = np.sqrt(field_0)[:, None] * z
    up, down = (sign * u + variance / 2 + log_ndtr(sign * u / s + s) for sign in (1, -1))
    free = np.logaddexp(up, down)
    at_zero = np.exp(_log_gauss(u / s) - free) / s
    averages = [(weight * g).sum(-1) for g in (np.tanh((up - down) / 2) ** 2, 2 * at_zero, free)]
    return averages[0], averages[1], averages[2]


def _sphere(between: Array, within: Array) -> Array:
    """Q_0 and c, (L, 2), from r_0 and r_1: G = c + 1 - Q_0 solves 1 = r_0 G^2 + (r_1 - r_0) G^2/(1 + (r_1 - r_0) G)."""
    more = np.maximum(within - between, 0.0)
    room = (1 + np.sqrt(1 + 4 / within)) / 2  # where r_0 = 0; from above Newton's steps come down to the root
    for _ in range(NEWTON):
        value = between * more * room**3 + (between + more) * room**2 - more * room - 1
        slope = 3 * between * more * room**2 + 2 * (between + more) * room - more
        room = room - value / slope
    return np.transpose([between * room**2, room / (1 + more * room)])


def _log_gauss(x: Array) -> Array:
    return -x * x / 2 - np.log(2 * np.pi) / 2
