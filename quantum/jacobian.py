"""How the output fields of a quantum recurrent network move with all that it can learn: dH/dx, exactly, in complex128.

A gate turned by pi more is -i P times itself, so the slope of U in any angle is half a unitary of the same ladder:

    d/da exp(-i a P/2) = exp(-i (a + pi) P/2) / 2,      dU/da_k = U(a_k + pi) / 2,      dA(x) = dU (|x> (x) 1_H)

    coherent, staggered    drho' = tr(2 dA rho A^dagger + A drho A^dagger), its Hermitian part
    measured               dpsi = dA |h> + A d|h>,      d<P> = 2 Re <psi|P|dpsi>

goes forward in time, many angles at once; dH = K df + dK f + dW S + dh_0. Angles and entries of K, W, h_0 are the
coordinates: outputs learn by the kernel J J^T, J = dH/dx.
"""

from math import pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoding import InputError
from encoding.memory import check_room
from quantum.block import Block
from quantum.channel import Carried, Channel, ChannelPass, Measured, Music
from quantum.evolution import unitaries
from quantum.lessons import Lesson
from quantum.music import played
from quantum.needs import channel_bytes
from quantum.settings import MOST_HISTORY_DENSE
from quantum.weights import part_of_group

AT_ONCE = 2**27  # bytes in work, one part of the angles


def jacobian(lesson: Lesson, flat: NDArray[np.floating]) -> NDArray[np.float64]:
    """dH/dx of every transition, (n_replicas, n_slots n_outputs, n_coordinates); groups in the order of the layout.

    Args:
        lesson: the music, the settings, and which parts are learned.
        flat: the weights, (n_replicas, n_weights), in any precision.

    Raises:
        InputError: more memory is needed than there is, or more history than an exact simulation holds.
    """
    settings, layout, data = lesson.settings, lesson.layout, lesson.slots
    if settings.n_history > MOST_HISTORY_DENSE:
        raise InputError(
            f"slopes of all outputs need exact simulation, up to {MOST_HISTORY_DENSE} history qubits; got "
            f"{settings.n_history}"
        )
    learned = {name: group for name, group in layout.items() if part_of_group(name) in settings.learned}
    n_rows, n = data.targets.size, sum(int(np.prod(group.shape)) for group in learned.values())
    music = played(lesson.chorales, data, settings.note, torch.complex128)
    work = 2 * max(AT_ONCE, _bytes_of_one(settings.block, music)) + channel_bytes(settings.block, music)
    check_room(16.0 * len(flat) * n_rows * n + work, f"slopes of {n_rows} outputs in {n} coordinates")
    channel = Channel(settings.block, music, settings.observables)
    found = np.empty((len(flat), n_rows, n))
    for own, slopes in zip(flat.astype(np.float64), found, strict=True):
        angles = torch.from_numpy(own[: settings.block.ladder.n_angles])
        features = channel.run(angles[None]).features[0][:, lesson.columns].numpy()
        factors = {"K": features, "W": data.inputs, "h0": np.ones((data.n_slots, 1))}
        parts = [_in_readout(factors[name], data.targets.shape[1]) for name in learned if name in factors]
        if "angles" in settings.learned:
            k = own[layout["K"].slice].reshape(layout["K"].shape)
            of_features = feature_slopes(channel, angles)[..., lesson.columns].numpy()
            parts.insert(0, (of_features @ k.T).reshape(len(angles), n_rows).T)
        np.concatenate(parts, 1, out=slopes)
    return found


def _in_readout(factor: NDArray[np.floating], n_outputs: int) -> NDArray[np.float64]:
    """dH_i / dw_jk = delta_ij factor_k, slot by slot, (n_slots n_outputs, n_outputs n_factors)."""
    return np.einsum("ij,sk->sijk", np.eye(n_outputs), factor).reshape(len(factor) * n_outputs, -1)


def feature_slopes(channel: Channel, angles: Tensor) -> Tensor:
    """df/da of all features, (n_angles, n_slots, n_features).

    Args:
        channel: a block on music, whose kets are complex128.
        angles: float64, (n_angles,).
    """
    passed, at_once = channel.run(angles[None]), max(1, AT_ONCE // _bytes_of_one(channel.block, channel.music))
    parts = torch.eye(len(angles), dtype=angles.dtype).split(at_once)
    return torch.cat([_along(channel, passed, angles + pi * part) for part in parts])


def _bytes_of_one(block: Block, music: Music) -> int:
    """Of the slopes in one angle while they are made: U, A of every chord, what is pushed on at a time."""
    entries = 2 ** (block.n_qubits + block.n_history)  # of A(x)
    return 16 * (2 * 4**block.n_qubits + (len(music.states) + 4 * music.offsets[1]) * entries)


def _along(channel: Channel, passed: ChannelPass, turned: Tensor) -> Tensor:
    """Slopes in some of the angles, (c, n_slots, n_f), from what all are where one of them is turned by pi, (c, n)."""
    d_maps = channel.maps(unitaries(channel.block.ladder, turned)) / 2
    after = torch.zeros_like(passed.histories[0]).expand(len(turned), *passed.histories[0].shape[1:])
    found = []
    for block, history in zip(channel.music.blocks(), passed.histories, strict=True):
        chord, before = channel.music.chord[block], after[:, : block.stop - block.start]
        now = passed.maps[:, chord], d_maps[:, chord], history, before
        seen, after = _measured(channel.cell, *now) if isinstance(channel.cell, Measured) else _carried(channel, *now)
        found.append(seen)
    return torch.cat(found, 1)


def _carried(
    channel: Channel, maps: Tensor, d_maps: Tensor, history: Tensor, d_history: Tensor
) -> tuple[Tensor, Tensor]:
    """Slopes of features, and of the next density matrix but for an anti-Hermitian part, which no average sees."""
    cell = channel.cell
    assert isinstance(cell, Carried)
    moved = maps @ d_history + 2 * d_maps @ history  # the other half is its conjugate
    return cell.read.expectations(moved, maps), cell._reduced(moved, maps)


def _measured(
    cell: Measured, maps: Tensor, d_maps: Tensor, history: Tensor, d_history: Tensor
) -> tuple[Tensor, Tensor]:
    """Slopes of features and of the averages that come back."""
    ket, n = cell.ket(history), cell.n_history
    d_ket = torch.stack([cell.ket(history, turned=j) * d_history[..., j, None] for j in range(n)]).sum(0)
    d_psi = maps @ d_ket[..., None] + d_maps @ ket[..., None]
    slopes = cell.read.expectations(2 * d_psi, maps @ ket[..., None])
    return slopes, slopes[..., cell.n_data : cell.n_data + n].to(maps.dtype)
