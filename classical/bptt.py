"""Forward in time, errors backward in time: all slots of all chorales in one pass.

Shapes: R replicas, n slots packed time-major (encoding.transitions), w hidden units a layer, n_in inputs. All
feed-forward products of a layer run over all slots at once; only M mu(t - 1), and M^T delta(t + 1) of the exact rule,
go time by time. K may read the first n_f units of the top layer alone, and W may be missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import pad

from encoding import Transitions

CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Slots:
    """The transitions as tensors, with what couples neighbouring times.

    Attributes:
        inputs, targets: (n, n_in) and (n, 54).
        offsets: first slot of each time, n at the end.
        before: slot one time step earlier, for slots from offsets[1] on, (n - offsets[1],).
        silent_start: the paper's boundary: mu = delta = 0 at the first chord, not before it.
    """

    inputs: Tensor
    targets: Tensor
    offsets: Sequence[int]
    before: Tensor
    silent_start: bool

    @property
    def n_first(self) -> int:
        """The number of slots at time 0, one a chorale."""
        return self.offsets[1]


def slots(data: Transitions, boundary: str, dtype: torch.dtype, device: torch.device = CPU) -> Slots:
    """The packed transitions `data` made ready for learning."""
    offsets = [int(offset) for offset in data.offsets]
    spans = pairwise(offsets)
    before = [start + column for (start, _), (a, b) in pairwise(spans) for column in range(b - a)]
    earlier = torch.tensor(before, dtype=torch.int64, device=device)
    inputs, targets = (torch.from_numpy(array).to(device, dtype) for array in (data.inputs, data.targets))
    return Slots(inputs, targets, offsets, earlier, boundary == "published")


def activations(weights: dict[str, Tensor], data: Slots, depth: int) -> list[Tensor]:
    """Hidden activations of every layer, eqs. (1) and (2) of Hertz & Tyrcha 2024, each (R, n, w)."""
    below, layers = data.inputs, []
    for layer in range(depth):
        mu = below @ weights[f"J{layer}"].mT  # (R, n, w)
        _run_forward(mu, weights[f"M{layer}"].mT, data)
        layers.append(mu)
        below = mu
    return layers


def _run_forward(mu: Tensor, recurrent: Tensor, data: Slots) -> None:
    """Turn the feed-forward drive into mu(t) = tanh[drive(t) + M mu(t - 1)], in place, time by time."""
    first = mu[:, : data.n_first]
    first.zero_() if data.silent_start else first.tanh_()
    for start, a, b in zip(data.offsets, data.offsets[1:], data.offsets[2:], strict=False):
        mu[:, a:b].baddbmm_(mu[:, start : start + b - a], recurrent).tanh_()


def fields(weights: dict[str, Tensor], data: Slots, top: Tensor) -> Tensor:
    """Output fields H = K mu + W S + h_0 (eq. B1), (R, n, 54)."""
    read = top[..., : weights["K"].shape[-1]]
    if "W" not in weights:
        return (read @ weights["K"].mT).add_(weights["h0"][:, None, :])
    direct = data.inputs @ weights["W"].mT  # (R, n, 54)
    return direct.baddbmm_(read, weights["K"].mT).add_(weights["h0"][:, None, :])


def exact_deltas(weights: dict[str, Tensor], data: Slots, layers: list[Tensor], error: Tensor) -> list[Tensor]:
    """Effective errors by true backpropagation through time: (B8) and (B10) with delta(t + 1) of this very step."""
    drive, deltas = _from_above(weights, layers[-1], error), []
    for layer in reversed(range(len(layers))):
        slope = 1 - layers[layer].square()
        _run_backward(drive, weights[f"M{layer}"], slope, data)
        deltas.insert(0, drive)
        drive = drive @ weights[f"J{layer}"] if layer else drive
    return deltas


def _from_above(weights: dict[str, Tensor], top: Tensor, error: Tensor) -> Tensor:
    """K^T eps, zero for the units that K does not read, (R, n, w)."""
    drive = error @ weights["K"]
    return pad(drive, (0, top.shape[-1] - drive.shape[-1]))


def _run_backward(delta: Tensor, recurrent: Tensor, slope: Tensor, data: Slots) -> None:
    """Turn the drive from above into delta(t) = (1 - mu^2)[drive(t) + M^T delta(t + 1)], in place, last time first."""
    spans = list(pairwise(data.offsets))
    last_start, last_stop = spans[-1]
    delta[:, last_start:last_stop] *= slope[:, last_start:last_stop]
    for (a, b), (c, d) in zip(reversed(spans[:-1]), reversed(spans[1:]), strict=False):
        delta[:, a : a + d - c].baddbmm_(delta[:, c:d], recurrent)
        delta[:, a:b] *= slope[:, a:b]
    if data.silent_start:
        delta[:, : data.n_first] = 0


def delayed_deltas(
    weights: dict[str, Tensor], data: Slots, layers: list[Tensor], error: Tensor, remembered: Tensor
) -> list[Tensor]:
    """Effective errors as published: (B8) and (B10) with delta(t + 1) taken from earlier learning steps.

    `weights`, `data`, `layers` and `error` are of this step; `remembered` is the mean of the deltas of the previous two
    learning steps, (R, depth, n, w).
    """
    drive, deltas = _from_above(weights, layers[-1], error), []
    for layer in reversed(range(len(layers))):
        drive.baddbmm_(_one_later(remembered[:, layer], data), weights[f"M{layer}"])
        drive *= 1 - layers[layer].square()
        if data.silent_start:
            drive[:, : data.n_first] = 0
        deltas.insert(0, drive)
        drive = drive @ weights[f"J{layer}"] if layer else drive
    return deltas


def _one_later(delta: Tensor, data: Slots) -> Tensor:
    """delta(t + 1) in the place of delta(t), zero where the chorale ends, (R, n, w)."""
    later = torch.zeros_like(delta)
    later.index_copy_(1, data.before, delta[:, data.n_first :])
    return later


def one_earlier(mu: Tensor, data: Slots) -> Tensor:
    """mu(t - 1) in the place of mu(t), zero at the first chord, (R, n, w)."""
    earlier = torch.zeros_like(mu)
    earlier[:, data.n_first :] = mu[:, data.before]
    return earlier


def gradients(
    data: Slots,
    layers: list[Tensor],
    error: Tensor,
    deltas: list[Tensor],
    batch: Tensor | None,
    n_features: int | None = None,
) -> dict[str, Tensor]:
    """Direction of descent -dE/dw averaged over the slots of the batch, eqs. (B2) to (B7) without eta.

    `data`, `layers`, `error` and `deltas` are of this step; `batch` holds the slots that enter, (R, p), or is None for
    all (full gradient); K reads the first `n_features` units of the top layer, None: all.
    """
    pairs = factors(data, layers, error, deltas, batch, n_features)
    size = data.inputs.shape[0] if batch is None else batch.shape[1]
    products = {name: (left.mT @ right).div_(size) for name, (left, right) in pairs.items()}
    products["h0"] = _chosen(error, batch).sum(1) / size
    return products


def factors(
    data: Slots,
    layers: list[Tensor],
    error: Tensor,
    deltas: list[Tensor],
    batch: Tensor | None,
    n_features: int | None = None,
) -> dict[str, tuple[Tensor, Tensor]]:
    """For each matrix: the error at its output and the activity at its input, slot by slot."""
    chosen_error, chosen_inputs = _chosen(error, batch), _chosen_inputs(data.inputs, batch)
    pairs = {"K": (chosen_error, _chosen(layers[-1][..., :n_features], batch)), "W": (chosen_error, chosen_inputs)}
    for layer, delta in enumerate(deltas):
        chosen_delta = _chosen(delta, batch)
        below = _chosen(layers[layer - 1], batch) if layer else chosen_inputs
        pairs[f"J{layer}"] = chosen_delta, below
        pairs[f"M{layer}"] = chosen_delta, _chosen_before(layers[layer], data, batch)
    return pairs


def _chosen(array: Tensor, batch: Tensor | None) -> Tensor:
    return array if batch is None else array[torch.arange(len(array), device=array.device)[:, None], batch]


def _chosen_inputs(inputs: Tensor, batch: Tensor | None) -> Tensor:
    return inputs if batch is None else inputs[batch]


def _chosen_before(mu: Tensor, data: Slots, batch: Tensor | None) -> Tensor:
    """mu(t - 1) of the chosen slots, zero where t is the first chord."""
    if batch is None:
        return one_earlier(mu, data)
    started = batch >= data.n_first
    if not len(data.before):  # no chorale has more than one transition
        return torch.zeros_like(_chosen(mu, batch))
    before = data.before[(batch - data.n_first).clamp(min=0)]
    return _chosen(mu, before) * started[..., None]
