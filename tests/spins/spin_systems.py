"""Small systems of spins that several tests ask the same things of."""

import numpy as np

from classical.orthogonal import random_orthogonal
from classical.spins import Bonds, chain, random_bonds


def drawn(seed):
    return np.random.default_rng(seed)


def recurrent(rng, width=6, inputs=4, outputs=3, scale=1.0):
    """Blocks of a recurrent network of two layers with a path from the inputs to the outputs."""
    within = [random_orthogonal(rng, width) for _ in range(2)]
    return {
        (0, 1): rng.standard_normal((inputs, width)) / 2,
        (1, 2): scale * random_orthogonal(rng, width),
        (1, 1): scale * hollow(within[0]),
        (2, 2): scale * hollow(within[1]),
        (2, 3): rng.standard_normal((width, outputs)) / 2,
        (0, 3): rng.standard_normal((inputs, outputs)) / 2,
    }


def hollow(m):
    """M + M^T without its diagonal."""
    return (m + m.T) * (1 - np.eye(len(m)))


def ferromagnet(n=40, j=0.1):
    return Bonds({(0, 0): j * (1 - np.eye(n))})


def pulled(seed, strength, sizes=(14, 11, 9, 3)):
    """A random chain, and one direction in it pulled out of the bulk."""
    rng = drawn(seed)
    blocks = [
        block + strength * np.outer(*(v / np.linalg.norm(v) for v in (rng.standard_normal(n) for n in block.shape)))
        for block in random_bonds(list(sizes), 2.0, seed=seed).blocks.values()
    ]
    return chain(blocks)


def hidden(n):
    """A strong layer that never melts, and a weak uniform one, far below, that does: two minima over beta."""
    rng = drawn(0)
    strong, between = 10 * rng.standard_normal((n, n)) / np.sqrt(n), 0.001 * rng.standard_normal((n, n))
    return chain([strong, between, 6 / n * np.ones((n, n))])


def weak(j, n=5):
    x = drawn(12).standard_normal((n, n))
    return Bonds({(0, 0): j * hollow(x)})
