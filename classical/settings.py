"""What can be chosen about a deep recurrent network, checked where it is said."""

import hashlib
from dataclasses import asdict, dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np

from encoding import InputError
from encoding.errors import shown
from encoding.pianoroll import STANDARDISATIONS

GROUPS = ("J", "M", "K", "W", "h0")
MOST_LAYERS = 10_000  # each has groups of weights of its own
CHOICES = {
    "rule": ("delayed", "exact"),
    "cost": ("nll", "squared", "hinge"),
    "feedforward": ("free", "orthogonal"),
    "boundary": ("before", "published"),
    "polar": ("newton-schulz", "svd"),
    "noise_over": ("all", "batch"),
    "standardisation": STANDARDISATIONS,
    "precision": ("float32", "float64"),
}


@dataclass(frozen=True, kw_only=True)
class DeepRNNSettings:
    """The settings of a DeepRNN; where there is a default it is the paper's (Hertz & Tyrcha 2024), or said to differ.

    Attributes:
        depth, width: number of layers d, and of hidden units in each, w.
        rule: `"delayed"` as published, or `"exact"` backpropagation through time.
        batch: slots drawn for each step, p; None: the full gradient.
        replacement: whether a slot can be drawn twice into one batch.
        cost: a name of `classical.costs`.
        feedforward: J_l (l > 0) `"free"` under learning, or `"orthogonal"` like the M_l.
        boundary: mu = 0 `"before"` the first chord (not the paper's), or at it, as `"published"`.
        standardisation: how inputs are rescaled, a name of `encoding.pianoroll`.
        learned: the groups of weights that move; the others stay as they start (K = W = h0 = 0).
        polar: how the nearest orthogonal matrix is found.
        noise_over: Gamma's variance over `"all"` slots (less noisy), or the `"batch"` as published.
        precision: of weights and activations. float32 is enough for learning curves; float64 is for checks.
    """

    choices: ClassVar[dict[str, tuple[str, ...]]] = CHOICES

    depth: int
    width: int
    rule: str = "delayed"
    batch: int | None = 300
    replacement: bool = True
    cost: str = "nll"
    feedforward: str = "free"
    boundary: str = "before"
    standardisation: str = "global"
    learned: tuple[str, ...] = GROUPS
    polar: str = "newton-schulz"
    noise_over: str = "all"
    precision: str = "float32"

    def __post_init__(self) -> None:
        """Refuse what makes no network.

        Raises:
            InputError: a size below 1, more than 10,000 layers, or a name that is not known.
        """
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise InputError(f"{name} is one of {', '.join(choices)}; got {getattr(self, name)!r}")
        if not isinstance(self.replacement, bool):
            raise InputError(f"replacement is True or False; got {self.replacement!r}")
        for name in ("depth", "width", "batch"):
            _check_count(name, getattr(self, name))
        if self.depth > MOST_LAYERS:
            raise InputError(f"depth is a number of layers, at most {MOST_LAYERS}; got {shown(self.depth)}")
        if not isinstance(self.learned, tuple | list) or not self.learned or not set(self.learned) <= set(GROUPS):
            raise InputError(f"learned is a tuple of some of {', '.join(GROUPS)}; got {self.learned!r}")
        object.__setattr__(self, "learned", tuple(group for group in GROUPS if group in self.learned))

    def learns(self, group: str) -> bool:
        """Whether the group of weights (J0.., M0.., K, W, h0) moves at all."""
        return (group if group in self.learned else group[0]) in self.learned

    def kept_orthogonal(self, group: str) -> bool:
        """Whether the group takes its polar factor after every step."""
        kind = group[0] == "M" or (self.feedforward == "orthogonal" and group[0] == "J" and group != "J0")
        return kind and self.learns(group)


def fingerprint(settings: DeepRNNSettings, data: str) -> np.uint64:
    """Eight bytes that tell apart what is learned (`data`, a digest of it), and how."""
    digest = hashlib.sha256(f"{sorted(asdict(settings).items())} {data}".encode()).digest()
    return np.frombuffer(digest[:8], "<u8")[0]


def _check_count(name: str, count: int | None) -> None:
    if name == "batch" and count is None:
        return
    if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
        raise InputError(f"{name} is a whole number of at least 1; got {count!r}")
