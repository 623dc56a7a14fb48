"""What deep perceptrons learn from, and what they make of it.

    S_l,i = sgn( N^-1/2 sum_j J_l,ij S_(l-1),j ),   l = 1 .. L,   sgn(0) = 1

Weights are whole multiples of 2^-16, between -8 and 8, kept as the whole numbers 2^16 J. A sum of N of them and of
their opposites is then a whole number too: a field that was changed weight by weight for a million sweeps is, to the
last bit, what one would find by adding all up again, in whatever order. As real numbers they are normal to 1 part in
10^5, and single precision holds each of them exactly.

All is a function of the seed `disorder` (Purpose.DISORDER): the teacher, inputs, which spins noise flips, and other
inputs to test on.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classical.perceptron.bits import LARGEST, ONE
from classical.perceptron.machine_settings import DeepPerceptronSettings
from encoding import Purpose, stream

N_TEST = 1000  # other patterns, on which teacher and students are compared

Spins = NDArray[np.int8]
Weights = NDArray[np.int32]


class Patterns(NamedTuple):
    """What is learned.

    Attributes:
        inputs: (M, N), +-1.
        outputs: that a machine should have, (M, N).
        teacher: weights of the machine that made them, (L, N, N), None where outputs are random.
        taught: inputs as the teacher saw them, (M, N); those of the students differ where noise flipped a spin.
        test: other inputs, (N_TEST, N).
    """

    inputs: Spins
    outputs: Spins
    teacher: Weights | None
    taught: Spins
    test: Spins


def patterns(settings: DeepPerceptronSettings) -> Patterns:
    """What machines with these settings learn from."""
    shape = settings.n_patterns, settings.width

    def draws(part: int) -> np.random.Generator:
        return stream(settings.disorder, 0, Purpose.DISORDER, part)

    def noisy(spins: Spins, part: int) -> Spins:
        flipped = draws(part).random(spins.shape) < (1 - settings.r) / 2
        return np.where(flipped, -spins, spins)

    taught, test = _signs(draws(1), shape), _signs(draws(2), (N_TEST, settings.width))
    if settings.scenario == "random":
        return Patterns(taught, _signs(draws(3), shape), None, taught, test)
    teacher = normal_weights(draws(0), settings)
    outputs = last_spins(teacher, taught)
    return Patterns(noisy(taught, 4), noisy(outputs, 5), teacher, taught, test)


def normal_weights(rng: np.random.Generator, settings: DeepPerceptronSettings) -> Weights:
    """Weights of a machine drawn at random, (L, N, N)."""
    drawn = rng.standard_normal((settings.depth, settings.width, settings.width))
    return np.clip(np.rint(ONE * drawn), -LARGEST, LARGEST).astype(np.int32)


def fields(weights: Weights, spins: Spins) -> NDArray[np.int64]:
    """2^16 sum_j J_ij S_j of a layer with weights (N, N), for spins (M, N) below: (M, N).

    BLAS multiplies in double precision, in which all sums up to 2^53 are exact.
    """
    return (spins.astype(np.float64) @ weights.T.astype(np.float64)).astype(np.int64)


def signs(h: NDArray[np.int64]) -> Spins:
    """Spins in these fields."""
    return np.where(h < 0, np.int8(-1), np.int8(1))


def all_spins(weights: Weights, inputs: Spins) -> Spins:
    """Spins of all layers, the input included, of a machine with weights (L, N, N), (M, L + 1, N)."""
    spins = np.empty((len(inputs), len(weights) + 1, inputs.shape[1]), np.int8)
    spins[:, 0] = inputs
    for layer, bonds in enumerate(weights):
        spins[:, layer + 1] = signs(fields(bonds, spins[:, layer]))
    return spins


def last_spins(weights: Weights, inputs: Spins) -> Spins:
    """Spins of the last layer, (M, N)."""
    spins = inputs
    for bonds in weights:
        spins = signs(fields(bonds, spins))
    return spins


def _signs(rng: np.random.Generator, shape: tuple[int, int]) -> Spins:
    return (2 * rng.integers(0, 2, shape, np.int8) - 1).astype(np.int8)
