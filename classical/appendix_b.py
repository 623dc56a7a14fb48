"""The learning rule of Hertz & Tyrcha 2024 as their Appendix B writes it, chord by chord: the slow twin of DeepRNN.

One network, plain loops, double precision; every line is one equation. It exists to be compared with: `DeepRNN` with
`rule="delayed"` must agree with it to rounding, step after step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass
class AppendixB:
    """One network learning by (B1) to (B10).

    Attributes:
        weights: J0.., M0.., K, W or none, h0; K reads as many units as it has columns.
        depth: number of layers.
        inputs, targets: of each chorale, (n_steps, n_inputs) and (n_steps, 54).
        published_boundary: mu = delta = 0 at the first chord, instead of mu = 0 before it.
        unitary: M_l and J_l (l > 0) move as complex matrices, see `classical.unitary`.
        past: the deltas of the last two learning steps, latest first; each by chorale, (depth, n_steps, width).
    """

    weights: dict[str, Array]
    depth: int
    inputs: Sequence[Array]
    targets: Sequence[Array]
    published_boundary: bool = False
    unitary: bool = False
    past: list[list[Array]] = field(default_factory=list)

    def step(self, eta: float, batch: Sequence[tuple[int, int]]) -> None:
        """One learning step from the slots (chorale, time) of `batch`; a slot drawn twice counts twice."""
        active = [self._activations(chorale) for chorale in self.inputs]
        errors = [self._target_errors(c, mu) for c, mu in enumerate(active)]
        deltas = [self._deltas(c, active[c], errors[c]) for c in range(len(self.inputs))]
        changes = {name: np.zeros_like(value) for name, value in self.weights.items()}
        for chorale, t in batch:
            self._add(changes, chorale, t, active[chorale], errors[chorale], deltas[chorale])
        if self.unitary:
            for name in (*(f"M{layer}" for layer in range(self.depth)), *(f"J{n}" for n in range(1, self.depth))):
                changes[name] = _complex_part(changes[name])
        for name, change in changes.items():
            self.weights[name] = self.weights[name] + eta / len(batch) * change
        for layer in range(self.depth):
            u, _, vh = np.linalg.svd(self.weights[f"M{layer}"])  # all singular values set to 1
            self.weights[f"M{layer}"] = u @ vh
        self.past = [deltas, *self.past[:1]]

    def _activations(self, chords: Array) -> Array:
        """mu_l(t) of eqs. (1) and (2), (depth, n_steps, width)."""
        w, width = self.weights, len(self.weights["M0"])
        mu = np.zeros((self.depth, len(chords), width))
        for t in range(len(chords)):
            if t == 0 and self.published_boundary:
                continue
            for layer in range(self.depth):
                below = chords[t] if layer == 0 else mu[layer - 1, t]
                before = mu[layer, t - 1] if t else np.zeros(width)
                mu[layer, t] = np.tanh(w[f"J{layer}"] @ below + w[f"M{layer}"] @ before)
        return mu

    def _target_errors(self, chorale: int, mu: Array) -> Array:
        """eps(t) = S(t+1) - tanh H(t), with H of (B1)."""
        w = self.weights
        direct = w.get("W", np.zeros((54, self.inputs[chorale].shape[1])))
        fields = [
            w["K"] @ top[: w["K"].shape[1]] + direct @ chord + w["h0"]
            for top, chord in zip(mu[-1], self.inputs[chorale], strict=True)
        ]
        return self.targets[chorale] - np.tanh(fields)

    def _deltas(self, chorale: int, mu: Array, errors: Array) -> Array:
        """(B8) and (B10), delta(t+1) on the right being the mean of the previous two learning steps."""
        w, delta = self.weights, np.zeros_like(mu)
        k = np.pad(w["K"], ((0, 0), (0, mu.shape[2] - w["K"].shape[1])))  # 0 for the units that K does not read
        for t in range(len(errors)):
            if t == 0 and self.published_boundary:
                continue
            for layer in reversed(range(self.depth)):
                above = k.T @ errors[t] if layer == self.depth - 1 else w[f"J{layer + 1}"].T @ delta[layer + 1, t]
                later = self._remembered(chorale, layer, t + 1, mu)
                delta[layer, t] = (1 - mu[layer, t] ** 2) * (above + w[f"M{layer}"].T @ later)
        return delta

    def _remembered(self, chorale: int, layer: int, t: int, mu: Array) -> Array:
        """Zero beyond the end of the chorale, and before there was a learning step."""
        if t >= mu.shape[1]:
            return np.zeros(mu.shape[2])
        return sum((deltas[chorale][layer, t] for deltas in self.past), np.zeros(mu.shape[2])) / 2

    def _add(self, changes: Mapping[str, Array], chorale: int, t: int, mu: Array, errors: Array, delta: Array) -> None:
        """The outer products of one slot, (B2) to (B7)."""
        chord = self.inputs[chorale][t]
        if "W" in changes:
            changes["W"][:] += np.outer(errors[t], chord)
        changes["K"][:] += np.outer(errors[t], mu[-1, t, : changes["K"].shape[1]])
        changes["h0"][:] += errors[t]
        for layer in range(self.depth):
            changes[f"J{layer}"][:] += np.outer(delta[layer, t], mu[layer - 1, t] if layer else chord)
            if t:
                changes[f"M{layer}"][:] += np.outer(delta[layer, t], mu[layer, t - 1])


def _complex_part(change: Array) -> Array:
    """P(G) = (G - I G I)/2, I the multiplication by i."""
    one = np.eye(len(change) // 2)
    i = np.block([[0 * one, -one], [one, 0 * one]])
    return (change - i @ change @ i) / 2
