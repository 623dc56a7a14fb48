"""What can be chosen about a digit classifier; where there is a default it is the paper's, or said to be none of its.

Table 1 of Barney, Winer & Galitski (2024) gives activations, rates, epochs, momentum .9, batches of 32 and a margin of
10 of the squared hinge. It does not say C of the start, whether there are biases, how inputs are scaled, or
which hinge of several classes is meant (`cost`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from encoding import InputError
from encoding.errors import shown
from encoding.given import number, whole

CHOICES = {"activation": ("relu", "binary"), "scaling": ("standard", "unit")}
MOST_LAYERS = 100
WIDEST = 1 << 16  # units of a layer


@dataclass(frozen=True, kw_only=True)
class DigitSettings:
    """The settings of a DigitClassifier.

    Attributes:
        activation: of hidden units: `"relu"`, or `"binary"`: -1 or +1 by the sign of their field, +1 at 0 (28), with
            the slope of a hard tanh on the way back (29), and inputs of -1 and +1 too.
        hidden: units of each hidden layer, N_1 .. N_(L-1).
        batch: images drawn for each step, none twice in an epoch; None: all, in their order.
        momentum: m of v <- m v + g, w <- w - rate v.
        margin: by how much the score of the right digit should be above all others.
        variance: C of the start, J^(k) normal of variance C/N_(k-1); 2 keeps the power of ReLUs (not stated there).
        biases: whether units have biases, which start at 0 (not stated there; off: they are no bonds).
        scaling: of the inputs of ReLUs: `"standard"`, mean 0 and variance 1 over all pixels of all images learned from,
            or `"unit"`, from 0 to 1 (not stated there).
        threshold: share of the brightest pixel from which on an input of a binary network is +1 (not stated there).
        n_looked: images, the first so many of those learned from, over which losses are told; all if there are fewer.
    """

    choices: ClassVar[dict[str, tuple[str, ...]]] = CHOICES

    activation: str = "relu"
    hidden: tuple[int, ...] = (512, 512, 512)
    batch: int | None = 32
    momentum: float = 0.9
    margin: float = 10.0
    variance: float = 2.0
    biases: bool = False
    scaling: str = "standard"
    threshold: float = 0.5
    n_looked: int = 10_000

    def __post_init__(self) -> None:
        """Refuse what makes no network.

        Raises:
            InputError: a name that is not known, a size or number out of its range, or a setting of the other kind.
        """
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise InputError(f"{name} is one of {', '.join(choices)}; got {shown(getattr(self, name))}")
        object.__setattr__(self, "hidden", _sizes(self.hidden))
        if self.batch is not None:
            object.__setattr__(self, "batch", whole("batch", self.batch))
        object.__setattr__(self, "n_looked", whole("n_looked", self.n_looked))
        for name, bounds in (
            ("momentum", {"least": 0, "most": 0.9999}),
            ("margin", {"above": 0, "most": 1e6}),
            ("variance", {"above": 0, "most": 1e6}),
            ("threshold", {"above": 0, "most": 1}),
        ):
            object.__setattr__(self, name, number(name, getattr(self, name), **bounds))
        if not isinstance(self.biases, bool):
            raise InputError(f"biases is True or False; got {shown(self.biases)}")
        if self.activation == "binary" and self.scaling != "standard":
            raise InputError(f"scaling {self.scaling} is of activation relu; binary networks have a threshold")
        if self.activation == "relu" and self.threshold != 0.5:
            raise InputError(f"threshold is of activation binary; got {self.threshold:g} with relu, which has scaling")


def _sizes(hidden: Any) -> tuple[int, ...]:
    """Layer sizes as whole numbers; text is what a command line gives."""
    hidden = hidden.split(",") if isinstance(hidden, str) else hidden
    try:
        if not isinstance(hidden, Sequence | np.ndarray) or isinstance(hidden, bytes | bytearray):
            raise TypeError
        sizes = tuple(int(size) if isinstance(size, str) else size for size in hidden)
    except (TypeError, ValueError):
        raise InputError(f"hidden is the units of each hidden layer, as 512,512,512; got {shown(hidden)}") from None
    if not 1 <= len(sizes) <= MOST_LAYERS:
        raise InputError(f"hidden is 1 to {MOST_LAYERS} layers; got {len(sizes)}")
    return tuple(whole("hidden", size, most=WIDEST) for size in sizes)
