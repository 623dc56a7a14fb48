"""A network that has learned nothing but to be read: random recurrent weights, trained read-out.

The deep recurrent network at depth 1 before it learns (Hertz & Tyrcha 2024, Sec. II), whose J and M are left as they
were drawn: an echo state network (Jaeger 2001). What training the inside is worth is the difference from here.

    mu(t) = tanh[J S(t) + r M mu(t-1)],    O(t) = tanh[K mu(t) + W S(t) + h_0]
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from encoding import N_KEYS, InputError, Purpose, Transitions, checked_seed, pack, stream
from encoding.errors import shown
from encoding.given import number, whole
from encoding.pianoroll import STANDARDISATIONS
from encoding.transitions import Piece
from experiments.observables.given import is_word, pieces, room_for
from experiments.observables.logistic import RIDGE_ELSEWHERE, fit_logistic, logistic_nll, with_one

RIDGE = 1.0  # nats
INPUT_VARIANCE = 0.1  # of J times the number of keys: the paper's


def reservoir_loss(
    chorales: Sequence[Piece],
    width: int,
    *,
    seed: int,
    other: Sequence[Piece] | None = None,
    radius: float = 1.0,
    ridge: float | None = None,
    standardisation: str = "global",
) -> float:
    """NLL of a read-out of a random recurrent network, in bits per output unit per time step.

    J is Gaussian of variance 0.1/54, M orthogonal (uniform over the group); mu = 0 before the first chord. K, W and
    h_0 are at their optimum, with ridge/2 (K^2 + W^2 + h_0^2) nats beside the NLL of all slots.

    Args:
        chorales: what the read-out has learned.
        width: number of hidden units.
        seed: of J and M. The answer differs from seed to seed: take several.
        other: pieces to be scored instead; they take the rescaling of `chorales`.
        radius: r, the spectral radius; the paper's network has 1.
        ridge: in nats, positive; None: 1 on `chorales` themselves, and 10 for `other`.
        standardisation: how chords are rescaled, see `encoding.standardise`.

    Raises:
        InputError: no unit, more units than there is memory for, a radius that is negative, a ridge that is not
            positive, or no transitions.
    """
    width = whole("width", width)
    radius, seed = number("radius", radius, least=0, most=1e60), checked_seed(seed)
    learned, scored = packed_both(chorales, other, standardisation)
    if ridge is None:
        ridge = RIDGE if other is None else RIDGE_ELSEWHERE
    rng = stream(seed, 0, Purpose.DISORDER)
    with room_for(_bytes(width, max(learned.n_slots, scored.n_slots)), f"a reservoir of width {width}"):
        into = rng.normal(0, np.sqrt(INPUT_VARIANCE / N_KEYS), (N_KEYS, width))
        within = radius * _orthogonal(rng, width)
        weights = fit_logistic(_seen(learned, into, within), learned.targets, ridge=ridge)
        return logistic_nll(_seen(scored, into, within), scored.targets, weights)


def packed_both(
    chorales: Sequence[Piece], other: Sequence[Piece] | None, standardisation: str
) -> tuple[Transitions, Transitions]:
    """What is learned, and what is scored: `other` in the rescaling of `chorales`, or these themselves."""
    if not is_word(standardisation, STANDARDISATIONS):
        words = ", ".join(STANDARDISATIONS)
        raise InputError(f"standardisation is one of {words}; got {shown(standardisation)}")
    learned = pack(pieces("chorales", chorales), standardisation)
    return learned, learned if other is None else pack(pieces("other", other), learned.standardisation)


def _bytes(width: int, n_slots: int) -> float:
    """What the read-out takes: the curvature of each key and what solving makes of it, and the states some times."""
    n_inputs = width + N_KEYS + 1
    return 8.0 * (2 * N_KEYS * n_inputs**2 + 4 * n_inputs * n_slots)


def _seen(data: Transitions, into: NDArray[np.float64], within: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the read-out sees in each slot: state, chord, 1; (n_slots, width + 54 + 1)."""
    state = np.zeros((data.n_slots, len(within)))
    before = np.zeros((data.batch_sizes[0], len(within)))
    for start, stop in zip(data.offsets[:-1], data.offsets[1:], strict=True):
        before = np.tanh(data.inputs[start:stop] @ into + before[: stop - start] @ within)
        state[start:stop] = before
    return with_one(np.hstack([state, data.inputs]))


def _orthogonal(rng: np.random.Generator, width: int) -> NDArray[np.float64]:
    """Uniform over the orthogonal group (Mezzadri 2007)."""
    q, r = np.linalg.qr(rng.normal(size=(width, width)))
    return q * np.where(np.diag(r) < 0, -1.0, 1.0)
