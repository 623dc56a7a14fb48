"""Trained networks without their training data: outputs, losses on other music, closed-loop generation, files."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from classical.bptt import activations, fields, slots
from classical.costs import COSTS
from classical.start import groups
from encoding import N_KEYS, InputError, Standardisation, encoding_named
from encoding.closed_loop import checked_roll, closed_loop
from encoding.hearing import ClockInputs, Ear, heard, heard_last
from encoding.transitions import Piece, Transitions


class Network:
    """Replicas of a deep recurrent network at fixed weights; nothing here learns."""

    def __init__(self, weights: dict[str, NDArray[np.floating]], depth: int, boundary: str, ear: Ear) -> None:
        """Networks of the given weights, each group (n_replicas, *shape) under its name (J0.., M0.., K, W, h0).

        Without W there is none. The ear makes inputs of chords: a `Standardisation` of piano rolls, or `ClockInputs`.
        """
        self.depth, self.boundary, self.ear = depth, boundary, ear
        self._weights = {name: torch.from_numpy(np.array(group)) for name, group in weights.items()}

    @property
    def n_replicas(self) -> int:
        """How many networks."""
        return len(self._weights["h0"])

    def losses(self, chorales: Sequence[Piece]) -> NDArray[np.float64]:
        """NLL on these chorales, in bits per output unit per time step, (n_replicas,).

        Times 54 ln 2 = 37.43 it is in nats per time step, as the literature on these chorales has it.
        """
        data = slots(heard(chorales, self.ear), self.boundary, self._dtype)
        means = []
        for replica in range(self.n_replicas):  # one after the other: memory is that of one
            own = {name: group[replica : replica + 1] for name, group in self._weights.items()}
            output = fields(own, data, activations(own, data, self.depth)[-1])
            means.append(COSTS["nll"].value(data.targets, output).mean((-2, -1), dtype=torch.float64))
        return torch.cat(means).numpy()

    def hidden(self, chorales: Sequence[Piece]) -> list[NDArray[np.floating]]:
        """Hidden activations of every layer, each (n_replicas, n_slots, width), slots as packed by `encoding.pack`."""
        data = slots(heard(chorales, self.ear), self.boundary, self._dtype)
        return [mu.numpy() for mu in activations(self._weights, data, self.depth)]

    def outputs(self, roll: ArrayLike) -> NDArray[np.floating]:
        """O(t) of eq. (3) for each chord of a piano roll (n_steps, 54) of +-1, (n_replicas, n_steps, 54).

        A key sounds next with probability p(+1) = (1 + O)/2. Clock inputs are those of the voices told apart in the
        roll (`encoding.hearing.voices_heard`), not of those that sang.
        """
        chords = checked_roll(roll)
        inputs = np.stack([heard_last(chords[: t + 1], self.ear) for t in range(len(chords))])
        data = _alone(inputs, self.boundary, self._dtype)
        top = activations(self._weights, data, self.depth)[-1]
        return fields(self._weights, data, top).tanh().numpy()

    def continue_piece(
        self,
        opening: ArrayLike,
        n_steps: int,
        *,
        replica: int = 0,
        choose: str = "likeliest",
        seed: int = 0,
        sung: ArrayLike | None = None,
    ) -> NDArray[np.float32]:
        """Closed loop: hear the opening chords, then feed each output back as the next input.

        Args:
            opening: a piano roll of +-1, (n_opening, 54), at least one chord.
            n_steps: chords wanted in all, opening included.
            replica: which of the networks plays.
            choose: `"likeliest"`: S_i = sign O_i; `"sample"`: S_i = +1 with probability (1 + O_i)/2;
                `"four"`: as likeliest, but no more than the four surest, for four voices.
            seed: of the draws, where there are any.
            sung: S, A, T, B of the opening, (n_opening, 4), for ears that hear voices; None: by least movement.

        Returns:
            The piece as a piano roll, (n_steps, 54).

        Raises:
            InputError: no opening, fewer steps than it has, or an unknown way to choose.
        """
        memory = [torch.zeros(1)] * self.depth

        def hears(chords: Sequence[NDArray[np.float32]]) -> NDArray[np.floating]:
            nonlocal memory
            output, memory = self._hear(heard_last(chords, self.ear, sung), memory, replica, first=len(chords) == 1)
            return output

        options = {"n_replicas": self.n_replicas, "replica": replica, "choose": choose, "seed": seed}
        return closed_loop(opening, n_steps, hears, **options)

    def _hear(
        self, inputs: NDArray[np.float64], memory: list[Tensor], replica: int, *, first: bool
    ) -> tuple[NDArray[np.floating], list[Tensor]]:
        """One time step of one network: O(t), (54,), and the new hidden activations."""
        mine = {name: group[replica] for name, group in self._weights.items()}
        chord = torch.from_numpy(inputs.astype(np.float32)).to(self._dtype)  # as it was learned
        below, layers = chord, []
        for layer in range(self.depth):
            drive = mine[f"J{layer}"] @ below
            mu = drive.tanh() if first else (drive + mine[f"M{layer}"] @ memory[layer]).tanh()
            below = torch.zeros_like(mu) if first and self.boundary == "published" else mu
            layers.append(below)
        read = mine["K"] @ below[: mine["K"].shape[1]]
        output = read + mine["W"] @ chord + mine["h0"] if "W" in mine else read + mine["h0"]
        return output.tanh().numpy(), layers

    def state_dict(self) -> dict[str, Tensor]:
        """Tensors alone, as torch.save and safetensors like it: weights, and under `input.` and `network.` the rest.

        Of clock inputs `input.encoding` has the name, letter by letter; `network.skip` is there, and False, where there
        is no W.
        """
        rest = {"network.silent_start": torch.tensor(self.boundary == "published")}
        if "W" not in self._weights:
            rest["network.skip"] = torch.tensor(False)
        return {name: group.clone() for name, group in self._weights.items()} | _ear_tensors(self.ear) | rest

    @classmethod
    def load(cls, state: dict[str, Tensor]) -> "Network":
        """The networks of a `state_dict()`.

        Raises:
            InputError: a group is missing, of another shape, or not finite.
        """
        if not isinstance(state, Mapping) or not all(isinstance(entry, Tensor) for entry in state.values()):
            raise InputError(f"a network's state is tensors by name, as state_dict gives; got {type(state).__name__}")
        depth = sum(str(name).startswith("M") for name in state)
        layers = [f"{kind}{layer}" for kind in "JM" for layer in range(depth)]
        readout = ["K", "W", "h0"] if bool(state.get("network.skip", True)) else ["K", "h0"]
        inputs = ["input.encoding"] if "input.encoding" in state else ["input.mean", "input.deviation"]
        wanted = [*layers, *readout, *inputs, "network.silent_start"]
        missing = [name for name in wanted if name not in state]
        if missing or not depth:
            raise InputError(f"a network's state has {', '.join(wanted)}; missing: {', '.join(missing) or 'all M'}")
        weights = {name: state[name].numpy() for name in wanted if "." not in name}
        ear = _ear_of(state)
        _check_shapes(weights, depth, ear.n_inputs if isinstance(ear, ClockInputs) else N_KEYS)
        return cls(weights, depth, "published" if bool(state["network.silent_start"]) else "before", ear)

    @property
    def _dtype(self) -> torch.dtype:
        return self._weights["h0"].dtype


def _ear_tensors(ear: Ear) -> dict[str, Tensor]:
    """What the ear is, as tensors."""
    if isinstance(ear, ClockInputs):
        return {"input.encoding": torch.tensor(list(ear.note.name.encode()), dtype=torch.uint8)}
    return {
        "input.mean": torch.from_numpy(ear.mean.copy()),
        "input.deviation": torch.from_numpy(ear.deviation.copy()),
    }


def _ear_of(state: Mapping[str, Tensor]) -> Ear:
    """The ear that `_ear_tensors` put down."""
    if "input.encoding" in state:
        letters = bytes(state["input.encoding"].to(torch.uint8).flatten().tolist())
        return ClockInputs(encoding_named(letters.decode(errors="replace")))
    return Standardisation(state["input.mean"].numpy(), state["input.deviation"].numpy())


def _check_shapes(weights: Mapping[str, NDArray[Any]], depth: int, n_inputs: int) -> None:
    """See that the groups are those of networks of one width; K may read fewer units."""
    width = weights["M0"].shape[-1] if weights["M0"].ndim else 0
    n_replicas = len(weights["h0"]) if weights["h0"].ndim else 0
    n_read = min(max(weights["K"].shape[-1], 1), width) if weights["K"].ndim else width
    sizes = {"n_inputs": n_inputs, "n_features": n_read, "skip": "W" in weights}
    for name, group in groups(depth, width, **sizes).items() if width else ():
        found = weights[name]
        if found.shape != (n_replicas, *group.shape) or not np.isfinite(found).all():
            raise InputError(
                f"{name} is finite, of shape {(n_replicas, *group.shape)}; got shape {found.shape}"
                f"{'' if np.isfinite(found).all() else ' with entries that are not finite'}"
            )
    if not width or not n_replicas:
        raise InputError("M0 is of shape (n_replicas, width, width) and h0 (n_replicas, 54); got less")


def _alone(inputs: NDArray[np.float64], boundary: str, dtype: torch.dtype):
    """One piece as packed slots; its targets are not used."""
    n = len(inputs)
    unit = Standardisation(np.zeros(N_KEYS), np.ones(N_KEYS))
    alone = Transitions(
        inputs.astype(np.float32), np.zeros((n, N_KEYS), np.float32), np.arange(n + 1), np.arange(1), unit
    )
    return slots(alone, boundary, dtype)
