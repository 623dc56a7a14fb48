"""From features to fields, costs and errors, and the slopes of the readout, compiled: what `quantum.readout` says.

    e = exp(-2 |H|),    tanh |H| = (1 - e) / (1 + e),    ln(1 + exp(-2 S H)) = max(-2 S H, 0) + ln(1 + e)

Outputs stand sixteen side by side, padded; sums over slots run in the order of the slots.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

from numba import njit

from quantum.kernels.observables import folded
from quantum.kernels.vectors import (
    KEPT,
    LANES,
    above,
    add,
    div,
    exponential,
    fma,
    load,
    log_of_one_and,
    magnitude,
    mul,
    number,
    signed,
    splat,
    store,
    sub,
)  # fmt: skip


@njit(**KEPT)
def errors_of(weights, columns, features, inputs, targets, n_outputs, errors, costs, totals):
    """dE/dH of every slot, (n_slots, wide), and the sum of all costs in nats; `costs` and `totals` are room for 16.

    weights are K, W and h_0, transposed, (n_f + n_inputs + 1, wide), and K reads the `columns` of the features. Behind
    the outputs stands padding, whose costs are not counted.
    """
    wide, n_f = targets.shape[1], len(columns)
    n_in, every = len(weights) - n_f - 1, 0.0
    h, w, s = errors.reshape(-1), weights.reshape(-1), targets.reshape(-1)
    for start in range(0, wide, LANES):
        for lane in range(LANES):
            totals[lane] = 0
        for slot in range(len(targets)):
            fields, place = load(w, (n_f + n_in) * wide + start), slot * wide + start
            for k in range(n_f):
                fields = fma(splat(features[slot, columns[k]]), load(w, k * wide + start), fields)
            for k in range(n_in):
                fields = fma(splat(inputs[slot, k]), load(w, (n_f + k) * wide + start), fields)
            target = load(s, place)
            small = exponential(mul(number(fields, -2.0), magnitude(fields)))
            one = number(fields, 1.0)
            tanh = signed(div(sub(one, small), add(one, small)), fields)
            store(h, place, sub(tanh, target))
            cost = add(
                above(mul(number(fields, -2.0), mul(target, fields)), number(fields, 0.0)), log_of_one_and(small)
            )
            store(costs, 0, cost)
            for lane in range(LANES):
                totals[lane] += costs[lane]
        for lane in range(min(LANES, n_outputs - start)):
            every += totals[lane]
    return every


@njit(**KEPT)
def readout_slopes(weights, columns, features, inputs, errors, share, slopes, of_features, lanes, sums, read):
    """Slopes in the places of the weights, and dE/d features, of the mean over slots that `share` weighs."""
    wide, n_f = errors.shape[1], len(columns)
    n_in = len(weights) - n_f - 1
    made, error, w, found = slopes.reshape(-1), errors.reshape(-1), weights.reshape(-1), of_features.reshape(-1)
    for place in range(len(made)):
        made[place] = 0
    for place in range(len(found)):
        found[place] = 0
    for slot in range(len(errors)):
        if share[slot] == 0:
            continue
        for start in range(0, wide, LANES):
            place = slot * wide + start
            weighed = mul(splat(share[slot]), load(error, place))
            store(error, place, weighed)
            for k in range(n_f):
                there = k * wide + start
                factor = splat(features[slot, columns[k]])
                store(made, there, fma(factor, weighed, load(made, there)))
            for k in range(n_in):
                there = (n_f + k) * wide + start
                store(made, there, fma(splat(inputs[slot, k]), weighed, load(made, there)))
            there = (n_f + n_in) * wide + start
            store(made, there, add(weighed, load(made, there)))
        for k in range(n_f):
            total = number(load(error, slot * wide), 0.0)
            for start in range(0, wide, LANES):
                total = fma(load(error, slot * wide + start), load(w, k * wide + start), total)
            store(lanes, k * LANES, total)
        folded(lanes, n_f, sums, read, 0)
        for k in range(n_f):
            of_features[slot, columns[k]] = read[0, k]
