"""What can be predicted of chorales without learning to remember: lines to draw beside a learning curve.

From h_0 alone (how often each key sounds) over the present chord and Markov chains to a random recurrent network of
which only the read-out learns. All losses are in bits per output unit per time step, as that of the networks.
"""

from collections.abc import Sequence

import numpy as np

from encoding import pack
from encoding.transitions import Piece
from experiments.observables.estimate import Fit, mean_fit
from experiments.observables.given import entries, pieces
from experiments.observables.logistic import RIDGE_ELSEWHERE, fit_logistic, logistic_nll, with_one
from experiments.observables.markov import markov_loss
from experiments.observables.reservoir import packed_both, reservoir_loss

NO_RIDGE = 1e-6  # nats; adds less than 1e-6 bits to the loss of the paper's 80 chorales


def h0_loss(chorales: Sequence[Piece], other: Sequence[Piece] | None = None) -> float:
    """NLL of independent keys that sound as often as they did, in bits per output unit per time step.

        NLL = (1/N) sum_i H_2(p_i),    p_i = n_i/n;   on other pieces (n_i + 1/2)/(n + 1), so that no key is impossible

    0.2802 for the 80 chorales of Hertz & Tyrcha 2024.

    Args:
        chorales: those that were counted; as everywhere, the first chord of each is no target.
        other: pieces to be scored instead.

    Raises:
        InputError: no transitions.
    """
    learned = pack(pieces("chorales", chorales)).targets > 0
    if other is None:
        n_sounds, n_silent = learned.sum(0), (~learned).sum(0)
        cost = sum(np.where(n > 0, -n * np.log2(np.maximum(n, 1) / len(learned)), 0.0) for n in (n_sounds, n_silent))
        return float(np.sum(cost) / learned.size)
    chance = (learned.sum(0) + 0.5) / (len(learned) + 1)
    return float(-np.log2(np.where(pack(pieces("other", other)).targets > 0, chance, 1 - chance)).mean())


def logistic_loss(
    chorales: Sequence[Piece],
    other: Sequence[Piece] | None = None,
    standardisation: str = "global",
    *,
    ridge: float | None = None,
) -> float:
    """NLL of logistic regression on the present chord (W and h_0 alone), in bits per output unit per time step.

        O(t) = tanh[W S(t) + h_0],    NLL + ridge/2 (W^2 + h_0^2) at its minimum

    0.2201 for the 80 chorales of Hertz & Tyrcha 2024, however their chords are rescaled.

    Args:
        chorales: what is learned.
        other: pieces to be scored instead; they take the rescaling of `chorales`.
        standardisation: how chords are rescaled, see `encoding.standardise`; matters to the ridge only.
        ridge: in nats, positive; None: 1e-6 on `chorales` themselves, which is none, and 10 for `other`.

    Raises:
        InputError: a ridge that is not positive, or no transitions.
    """
    learned, scored = packed_both(chorales, other, standardisation)
    if ridge is None:
        ridge = NO_RIDGE if other is None else RIDGE_ELSEWHERE
    weights = fit_logistic(with_one(learned.inputs), learned.targets, ridge=ridge)
    return logistic_nll(with_one(scored.inputs), scored.targets, weights)


def baselines(
    chorales: Sequence[Piece],
    other: Sequence[Piece] | None = None,
    *,
    orders: Sequence[int] = (1, 2, 3, 4),
    width: int = 64,
    seeds: Sequence[int] = (0, 1, 2),
) -> dict[str, float | Fit]:
    """All baselines by name, in bits per output unit per time step; that of random networks with its error.

    Args:
        chorales: what is learned.
        other: pieces to be scored instead.
        orders: of the Markov chains.
        width: of the reservoir.
        seeds: of the reservoirs; none: without them.

    Raises:
        InputError: as of each of them.
    """
    losses: dict[str, float | Fit] = {"h0": h0_loss(chorales, other), "logistic": logistic_loss(chorales, other)}
    losses |= {f"markov {order}": markov_loss(chorales, order, other) for order in entries("orders", orders)}
    if seeds := entries("seeds", seeds):
        drawn = [reservoir_loss(chorales, width, seed=seed, other=other) for seed in seeds]
        losses[f"reservoir {width}"] = mean_fit(np.array(drawn))
    return losses
