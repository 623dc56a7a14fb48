"""Digits as a network sees them: numbers for ReLUs, -1 and +1 for a binary network."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classical.digits.settings import DigitSettings
from encoding import InputError
from encoding.digits import Digits

AT_ONCE = 4096  # images that are rescaled together, so that no second copy of all is made


class Seen(NamedTuple):
    """Inputs (n, n_pixels) and labels (n,)."""

    inputs: Tensor
    labels: NDArray[np.int64]

    def first(self, n: int) -> "Seen":
        """The first n images, or all."""
        return Seen(self.inputs[:n], self.labels[:n])


def seen(digits: Digits, settings: DigitSettings) -> tuple[Seen, Seen]:
    """What is learned from, and what is not, both by the scale of the former.

    Raises:
        InputError: images without any contrast.
    """
    low, scale = 0.0, float(digits.brightest)
    if settings.activation == "relu" and settings.scaling == "standard":
        low, scale = float(digits.images.mean(dtype=np.float64)), float(digits.images.std(dtype=np.float64))
        if scale == 0:
            raise InputError(f"{digits.source}: images have pixels that differ; all of them are {low:g}")
    level = settings.threshold * digits.brightest if settings.activation == "binary" else None
    learned = Seen(_rescaled(digits.images, low, scale, level), digits.labels)
    return learned, Seen(_rescaled(digits.valid_images, low, scale, level), digits.valid_labels)


def _rescaled(images: NDArray[np.uint8], low: float, scale: float, level: float | None) -> Tensor:
    found = torch.empty(images.shape)
    for at in range(0, len(images), AT_ONCE):
        part = images[at : at + AT_ONCE]
        numbers = (part - low) / scale if level is None else np.where(part >= level, 1.0, -1.0)
        found[at : at + AT_ONCE] = torch.from_numpy(numbers)
    return found
