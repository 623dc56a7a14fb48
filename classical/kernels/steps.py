"""Learning steps of one network, compiled: what `classical.bptt` and `DeepRNN` do, product by product.

All sums run in a fixed order, so the result does not depend on threads, on how steps are grouped, or on other replicas.
No fastmath. Rows are padded with zeros to whole vectors: w' for w hidden units, o' for o outputs, i' for i inputs and
a 1 behind them. Units that K does not read have zeros in it, as has W where there is none.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from classical.kernels.errors import HINGE, NLL, SQUARED, errors_of
from classical.kernels.tile import FRESH, LANES, NOTHING, SLOPE, TANH, gemm, gemm_two

F = np.float32
OPTIONS = {"boundscheck": False, "nogil": True, "error_model": "numpy", "cache": True}
LN2 = F(np.log(2))
ENOUGH = F(np.finfo(F).eps ** 0.5)  # an error that squared is below rounding
DONE, FROZEN, SVD = 0, 1, 2
NEW_TANH, NEW_SLOPE = FRESH + TANH, FRESH + SLOPE


class Data(NamedTuple):
    """The transitions: inputs (n, i'), targets (n, o'), offsets (n_times + 1,), slots before, the boundary.

    Behind the i inputs of a slot stands a 1: h_0 is learned as one more column of W.
    """

    inputs: NDArray
    targets: NDArray
    offsets: NDArray
    before: NDArray
    silent_start: bool


class Net(NamedTuple):
    """One network's matrices and their transposes, padded with zeros to whole vectors both ways (w', o', i')."""

    j0t: NDArray  # (i', w')
    j0: NDArray  # (w', i')
    jt: NDArray  # (d, w', w'), layer 0 unused
    j: NDArray  # (d, w', w'), layer 0 unused
    mt: NDArray  # (d, w', w')
    m: NDArray  # (d, w', w')
    kt: NDArray  # (w', o')
    k: NDArray  # (o', w')
    wt: NDArray  # (i', o'), h_0 behind the i inputs
    n_inputs: int  # i
    n_direct: int  # inputs that W reads: i, or 0 where there is none
    n_features: int  # units that K reads
    narrow: int  # 1: of the last vector of hidden units no more than NARROW are there


class Work(NamedTuple):
    """What a step needs to write on."""

    mu: NDArray  # (d, n, w')
    delta: NDArray  # (d, n, w'), where deltas are not remembered
    h: NDArray  # (n, o')
    later: NDArray  # (most slots at one time, w')
    left: NDArray  # (max(w, o), chunk)
    right_w: NDArray  # (chunk, w')
    right_i: NDArray  # (chunk, i')
    gj0: NDArray  # (w, i')
    gj: NDArray  # (d, w, w')
    gm: NDArray  # (d, w, w')
    gk: NDArray  # (o, w')
    gw: NDArray  # (o, i'), that of h_0 in column i
    square: NDArray  # (3, w, w')
    sums: NDArray  # (o',) double
    before: NDArray  # (n_weights,)
    pending: NDArray  # (n_groups,) bool: waits for its polar factor


class Rule(NamedTuple):
    """What is learned, and how."""

    starts: NDArray  # first place of each group in the flat vector, of W too where there is none
    learned: NDArray  # of J, M, K, W, h0
    orthogonal: NDArray  # of each group
    by_svd: bool  # every polar factor, not only of what is far from orthogonal
    cost: int
    delayed: bool
    unitary: bool  # M and J_l are complex matrices


@njit(**OPTIONS)
def _clear(array):
    for r in range(array.shape[0]):
        for c in range(array.shape[1]):
            array[r, c] = F(0)


@njit(**OPTIONS)
def _silence(array, n):
    """Zeros in the first n rows: mu or delta at the first chords."""
    for r in range(n):
        for c in range(array.shape[1]):
            array[r, c] = F(0)


@njit(**OPTIONS)
def _copy(source, target):
    for r in range(source.shape[0]):
        for c in range(source.shape[1]):
            target[r, c] = source[r, c]


@njit(**OPTIONS)
def _copy_row(source, target):
    for c in range(len(source)):
        target[c] = source[c]


@njit(**OPTIONS)
def _errors(h, targets, start, stop, cost, sums):
    """Fields to target errors, in place, for the slots from `start` to `stop`; their costs are added to `sums`.

    Whole vectors, padding too: there target and error are 0, and what is added to its sums is not looked at.
    """
    for column in range(0, targets.shape[1], LANES):
        if cost == NLL:
            errors_of(NLL, h, targets, start, stop, column, sums)
        elif cost == SQUARED:
            errors_of(SQUARED, h, targets, start, stop, column, sums)
        else:
            errors_of(HINGE, h, targets, start, stop, column, sums)


@njit(**OPTIONS)
def _activities(address, data, net, work, t):
    """mu_l(t) and H(t), eqs. (1) to (3)."""
    d, w, i = work.mu.shape[0], work.gj0.shape[0], net.n_inputs
    offsets = data.offsets
    a, n = offsets[t], offsets[t + 1] - offsets[t]
    before, n_before = (offsets[t - 1], w) if t else (0, 0)
    for layer in range(d):
        mu = work.mu[layer]
        if t == 0 and data.silent_start:
            _silence(mu, n)
            continue
        below, into, back, n_below = data.inputs, net.j0t, net.j0, i
        if layer:
            below, into, back, n_below = work.mu[layer - 1], net.jt[layer], net.j[layer], w
        recurrent, turned = net.mt[layer], net.m[layer]
        gemm_two(
            address,
            below,
            a,
            into,
            back,
            n_below,
            mu,
            before,
            recurrent,
            turned,
            n_before,
            mu,
            a,
            mu,
            n,
            net.narrow,
            NEW_TANH,
        )
    top, h = work.mu[d - 1], work.h
    gemm_two(address, data.inputs, a, net.wt, net.wt, i + 1, top, a, net.kt, net.kt, w, h, a, h, n, 0, FRESH)


@njit(**OPTIONS)
def _errors_back(address, data, net, work, delta, once, twice, delayed, t):
    """delta_l(t), (B8) and (B10), with delta(t + 1) of this step, or the mean of those one and two steps ago."""
    d, w, o = work.mu.shape[0], work.gj0.shape[0], work.gk.shape[0]
    offsets = data.offsets
    a, b = offsets[t], offsets[t + 1]
    going = offsets[t + 2] - b if t + 2 < len(offsets) else 0  # chorales that have a chord at t + 1
    for layer in range(d - 1, -1, -1):
        own, mu, m, mt = delta[layer], work.mu[layer], net.m[layer], net.mt[layer]
        above, back, turned, n_above = work.h, net.k, net.kt, o
        if layer < d - 1:
            above, back, turned, n_above = delta[layer + 1], net.j[layer + 1], net.jt[layer + 1], w
        later, start = own, b
        if delayed:
            _recall(once[layer], twice[layer], b, going, work.later)
            later, start = work.later, 0
        gemm_two(
            address, above, a, back, turned, n_above, later, start, m, mt, w, own, a, mu, going, net.narrow, NEW_SLOPE
        )
        gemm_two(
            address,
            above,
            a + going,
            back,
            turned,
            n_above,
            later,
            start,
            m,
            mt,
            0,
            own,
            a + going,
            mu,
            b - a - going,
            net.narrow,
            NEW_SLOPE,
        )
        if t == 0 and data.silent_start:
            _silence(own, b)


@njit(**OPTIONS)
def _forward(address, data, net, work, cost, remember, delta, once, twice):
    """Activities, target errors and costs, time by time: a block of slots stays in the cache.

    Where errors are remembered, the effective errors are made on the way: they need none of this step's later ones.

    Returns the mean cost per output unit (nll in bits).
    """
    o = work.gk.shape[0]
    offsets = data.offsets
    for i in range(len(work.sums)):
        work.sums[i] = 0.0
    for t in range(len(offsets) - 1):
        _activities(address, data, net, work, t)
        _errors(work.h, data.targets, offsets[t], offsets[t + 1], cost, work.sums)
        if remember:
            _errors_back(address, data, net, work, delta, once, twice, True, t)
    total = 0.0
    for i in range(o):
        total += work.sums[i]
    unit = np.float64(LN2) if cost == NLL else 1.0  # exactly 1 bit at the start, where every field is 0
    return total / (len(data.targets) * o * unit)


@njit(**OPTIONS)
def _recall(once, twice, start, n, later):
    """Mean of the last two steps' deltas of the n slots from `start` on."""
    for s in range(n):
        for c in range(later.shape[1]):
            later[s, c] = F(0.5) * (once[start + s, c] + twice[start + s, c])


@njit(**OPTIONS)
def _take_left(source, chosen, start, count, size, left):
    """The chosen rows of `source` as columns."""
    for c in range(count):
        row = source[chosen[start + c]]
        for i in range(size):
            left[i, c] = row[i]


@njit(**OPTIONS)
def _take_right(source, chosen, start, count, right):
    for c in range(count):
        _copy_row(source[chosen[start + c]], right[c])


@njit(**OPTIONS)
def _take_before(mu, data, chosen, start, count, right):
    """mu(t - 1) of the chosen slots, 0 at the first chord."""
    n_first = data.offsets[1]
    for c in range(count):
        s = chosen[start + c]
        if s >= n_first:
            _copy_row(mu[data.before[s - n_first]], right[c])
        else:
            for i in range(right.shape[1]):
                right[c, i] = F(0)


@njit(**OPTIONS)
def _gradients(address, data, work, delta, chosen):
    """Sums over the chosen slots of the outer products of (B2) to (B7), chunk by chunk in one chain of additions."""
    d, w, o = work.mu.shape[0], work.gj0.shape[0], work.gk.shape[0]
    for gradient in (work.gj0, work.gk, work.gw):
        _clear(gradient)
    for layer in range(d):
        _clear(work.gj[layer])
        _clear(work.gm[layer])
    left = work.left
    for start in range(0, len(chosen), left.shape[1]):
        count = min(left.shape[1], len(chosen) - start)
        _take_left(work.h, chosen, start, count, o, left)
        _take_right(data.inputs, chosen, start, count, work.right_i)
        gemm(address, left, 0, work.right_i, work.gw, 0, work.gw, o, count, NOTHING)
        for layer in range(d - 1, -1, -1):
            _take_right(work.mu[layer], chosen, start, count, work.right_w)
            if layer == d - 1:
                gemm(address, left, 0, work.right_w, work.gk, 0, work.gk, o, count, NOTHING)
            else:
                gemm(address, left, 0, work.right_w, work.gj[layer + 1], 0, work.gj[layer + 1], w, count, NOTHING)
            _take_left(delta[layer], chosen, start, count, w, left)
            _take_before(work.mu[layer], data, chosen, start, count, work.right_w)
            gemm(address, left, 0, work.right_w, work.gm[layer], 0, work.gm[layer], w, count, NOTHING)
        gemm(address, left, 0, work.right_i, work.gj0, 0, work.gj0, w, count, NOTHING)


@njit(**OPTIONS)
def _add(flat, start, gradient, rows, columns, eta, count):
    for r in range(rows):
        for c in range(columns):
            flat[start + r * columns + c] += eta * (gradient[r, c] / count)


@njit(**OPTIONS)
def _complex_linear(matrix, w):
    """P(G) of `classical.unitary`, in place: the nearest (w, w) matrix [[A, -B], [B, A]]."""
    half = w // 2
    for r in range(half):
        for c in range(half):
            real = F(0.5) * (matrix[r, c] + matrix[half + r, half + c])
            imaginary = F(0.5) * (matrix[half + r, c] - matrix[r, half + c])
            matrix[r, c] = matrix[half + r, half + c] = real
            matrix[half + r, c] = imaginary
            matrix[r, half + c] = -imaginary


@njit(**OPTIONS)
def _move(flat, work, net, starts, learned, eta, count):
    """w <- w + eta * gradient, group by group (J, M, K, W, h0)."""
    d, w, o = work.mu.shape[0], work.gj0.shape[0], work.gk.shape[0]
    if learned[0]:
        _add(flat, starts[0], work.gj0, w, net.n_inputs, eta, count)
        for layer in range(1, d):
            _add(flat, starts[layer], work.gj[layer], w, w, eta, count)
    if learned[1]:
        for layer in range(d):
            _add(flat, starts[d + layer], work.gm[layer], w, w, eta, count)
    if learned[2]:
        _add(flat, starts[2 * d], work.gk, o, net.n_features, eta, count)
    if learned[3]:
        _add(flat, starts[2 * d + 1], work.gw, o, net.n_direct, eta, count)
    if learned[4]:
        for i in range(o):
            flat[starts[2 * d + 2] + i] += eta * (work.gw[i, net.n_inputs] / count)


@njit(**OPTIONS)
def _spread(flat, start, rows, columns, straight, turned):
    """A matrix of the flat vector into its padded places."""
    for r in range(rows):
        for c in range(columns):
            x = flat[start + r * columns + c]
            straight[r, c] = x
            turned[c, r] = x


@njit(**OPTIONS)
def unpack(flat, starts, w, o, net):
    """The flat vector into the padded matrices that the products take."""
    d = net.m.shape[0]
    _spread(flat, starts[0], w, net.n_inputs, net.j0, net.j0t)
    for layer in range(d):
        if layer:
            _spread(flat, starts[layer], w, w, net.j[layer], net.jt[layer])
        _spread(flat, starts[d + layer], w, w, net.m[layer], net.mt[layer])
    _spread(flat, starts[2 * d], o, net.n_features, net.k, net.kt)
    for r in range(o):
        for c in range(net.n_direct):
            net.wt[c, r] = flat[starts[2 * d + 1] + r * net.n_direct + c]
        net.wt[net.n_inputs, r] = flat[starts[2 * d + 2] + r]


@njit(**OPTIONS)
def _nearest_orthogonal(address, flat, start, w, square):
    """The matrix at `start` to its polar factor by Newton and Schulz, as in `classical.orthogonal`.

    False, and nothing done, where |X X^T - 1| is not below 1: then it takes a singular value decomposition.
    """
    x, turned, error = square[0], square[1], square[2]
    for r in range(w):
        for c in range(w):
            x[r, c] = flat[start + r * w + c]
    for iteration in range(100):
        norm, largest = 0.0, F(0)
        _clear(error)
        for r in range(w):
            for c in range(w):
                turned[c, r] = x[r, c]
        gemm(address, x, 0, turned, error, 0, error, w, w, NOTHING)
        for r in range(w):
            error[r, r] -= F(1)
            for c in range(w):
                norm += error[r, c] * error[r, c]
                largest = max(largest, abs(error[r, c]))
                error[r, c] *= F(-0.5)
        if iteration == 0 and not norm < 1.0:
            return False
        _copy(x, turned)
        gemm(address, error, 0, turned, x, 0, x, w, w, NOTHING)
        if largest <= ENOUGH:
            break
    for r in range(w):
        for c in range(w):
            flat[start + r * w + c] = x[r, c]
    return True


@njit(**OPTIONS)
def _all_finite(flat):
    for x in flat:
        if not np.isfinite(x):
            return False
    return True


@njit(**OPTIONS)
def learn_steps(address, data, net, work, rule, flat, ring, turn, batches, eta, losses):
    """Steps of one network, as many as `losses` has places.

    ring holds the deltas of the last two steps and of this one in turn; place (turn + step) mod 3 is this step's. (One
    place is enough where they are not remembered.) batches is (n_steps, p), or (1, n) for the full gradient. flat holds
    the weights, and in the end those after the last finite step.

    Returns:
        (steps made, what ended them): DONE; FROZEN, where step number `made` would leave the finite numbers; or SVD,
        where the matrices named in work.pending are to be replaced by their polar factors before going on.
    """
    w = work.gj0.shape[0]
    for step in range(len(losses)):
        unpack(flat, rule.starts, work.gj0.shape[0], work.gk.shape[0], net)
        now = (turn + step) % len(ring)
        delta, once, twice = ring[now], ring[(now - 1) % len(ring)], ring[(now - 2) % len(ring)]
        losses[step] = _forward(address, data, net, work, rule.cost, rule.delayed, delta, once, twice)
        if not rule.delayed:
            for t in range(len(data.offsets) - 2, -1, -1):
                _errors_back(address, data, net, work, delta, delta, delta, False, t)
        waiting = False
        for i in range(len(flat)):
            work.before[i] = flat[i]
        if eta > 0:
            chosen = batches[step % len(batches)]
            _gradients(address, data, work, delta, chosen)
            if rule.unitary:
                for layer in range(len(work.gm)):
                    _complex_linear(work.gm[layer], w)
                    _complex_linear(work.gj[layer], w)  # that of layer 0 is 0
            _move(flat, work, net, rule.starts, rule.learned, eta, F(len(chosen)))
            for g in range(len(rule.orthogonal)):
                work.pending[g] = False
                if rule.orthogonal[g]:
                    if rule.unitary:  # rounding does not add up
                        _complex_linear(flat[rule.starts[g] : rule.starts[g] + w * w].reshape(w, w), w)
                    done = not rule.by_svd and _nearest_orthogonal(address, flat, rule.starts[g], w, work.square)
                    work.pending[g] = not done
                    waiting = waiting or not done
        if not (np.isfinite(losses[step]) and _all_finite(flat)):
            for i in range(len(flat)):
                flat[i] = work.before[i]
            return step, FROZEN
        if waiting:
            return step + 1, SVD
    return len(losses), DONE


@njit(**OPTIONS)
def loss_now(address, data, net, work, rule, flat):
    """The cost at these weights."""
    unpack(flat, rule.starts, work.gj0.shape[0], work.gk.shape[0], net)
    return _forward(address, data, net, work, rule.cost, False, work.mu, work.mu, work.mu)
