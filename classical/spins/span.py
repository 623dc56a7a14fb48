"""What is known of the softest directions of a system of spins: the small matrices of J and of D between them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from classical.spins.bonds import Bonds

Array = NDArray[np.floating]

CLOSE = 1e-10  # relative, of beta
NEXT, DIGITS = 1.1, 1e-9  # factor between betas of a bracket; length of what is new in a direction


class Span:
    """Directions that were the softest somewhere: which of them is the softest at other betas."""

    def __init__(self, bonds: Bonds, v: Array) -> None:
        self._bonds, self._rows, self._pushed = bonds, np.zeros((0, bonds.n_spins)), np.zeros((0, bonds.n_spins))
        self.add(v)

    def add(self, v: Array) -> None:
        """One more direction, but for what is known of it."""
        for _ in range(2):  # what is left of a vector near the others has lost its digits once
            v = v - self._rows.T @ (self._rows @ v)
        size = float(np.linalg.norm(v))
        if size > DIGITS:
            self._rows = np.vstack([self._rows, v / size])
            self._pushed = np.vstack([self._pushed, self._bonds.apply(v / size)])
            self._inside = self._rows @ self._pushed.T
            self._stiff = (self._rows * self._bonds.squares) @ self._rows.T

    def least(self, beta: float) -> float:
        """The least eigenvalue among these directions: no less than that among all."""
        return float(np.linalg.eigvalsh(self._matrix(beta))[0])

    def _matrix(self, beta: float) -> Array:
        return np.eye(len(self._inside)) - beta * self._inside + beta**2 * self._stiff

    def _weights(self, beta: float) -> Array:
        return np.linalg.eigh(self._matrix(beta))[1][:, 0]

    def lowest_near(self, beta: float) -> tuple[float, Array]:
        """Where, from beta down- or upwards, the least eigenvalue among these directions is least, and its vector."""

        def slope(x: float) -> float:
            c = self._weights(x)
            return float(2 * x * (c @ self._stiff @ c) - c @ self._inside @ c)

        low = high = beta
        while slope(low) > 0:
            low /= NEXT
        while slope(high) < 0:
            high *= NEXT
        found: Any = brentq(slope, low, high, xtol=CLOSE * beta) if low < high else beta
        return float(found), self._weights(float(found)) @ self._rows
