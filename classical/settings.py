"""What can be chosen about a deep recurrent network, checked where it is said."""

import hashlib
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from encoding import N_KEYS, InputError, encoding_named
from encoding.asked import asked, later, nothing_said
from encoding.clock import ENCODINGS
from encoding.errors import shown
from encoding.hearing import ClockInputs
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
    "inputs": ("roll", "clock"),
    "encoding": tuple(ENCODINGS),
    "readout_start": ("zero", "random"),
    "recurrent": ("orthogonal", "unitary"),
}


@dataclass(frozen=True, kw_only=True)
class DeepRNNSettings:
    """The settings of a DeepRNN; where there is a default it is the paper's (Hertz & Tyrcha 2024), or said to differ.

    Attributes:
        depth, width: number of layers d, and of hidden units in each, w (complex ones where M is unitary).
        rule: `"delayed"` as published, or `"exact"` backpropagation through time.
        batch: slots drawn for each step, p; None: the full gradient.
        replacement: whether a slot can be drawn twice into one batch.
        cost: a name of `classical.costs`.
        feedforward: J_l (l > 0) `"free"` under learning, or `"orthogonal"` like the M_l.
        boundary: mu = 0 `"before"` the first chord (not the paper's), or at it, as `"published"`.
        standardisation: how inputs are rescaled, a name of `encoding.pianoroll`.
        learned: the groups of weights that move; the others stay as they start.
        polar: how the nearest orthogonal matrix is found.
        noise_over: Gamma's variance over `"all"` slots (less noisy), or the `"batch"` as published.
        precision: of weights and activations. float32 is enough for learning curves; float64 is for checks.
        inputs: the 54 keys of a piano `"roll"`, rescaled, or the `"clock"` of each voice, as a quantum network hears
            it: Bloch vectors of its qubits, see `encoding.hearing.ClockInputs`. J_0 and W read them.
        encoding: of the clock, a name of `encoding.clock`.
        skip: whether W takes the present chord to the outputs (3), or there is no W at all.
        readout_start: K and h_0 start at `"zero"` as published, or `"random"`, the same for all replicas and for a
            `QuantumRNN` of the same seed and number of features; to be frozen by learned = ("J", "M").
        n_features: units of the top layer that K reads, the first so many; None: all.
        recurrent: M `"orthogonal"`, or `"unitary"`: w complex units, split tanh, M and J_l (l > 0) complex matrices,
            see `classical.unitary`.
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
    inputs: str = later("roll")
    encoding: str = later("pitch-class")
    skip: bool = later(True)
    readout_start: str = later("zero")
    n_features: int | None = later(None)
    recurrent: str = later("orthogonal")

    def __post_init__(self) -> None:
        """Refuse what makes no network.

        Raises:
            InputError: a size below 1, more than 10,000 layers, more features than units, a name that is not known,
                what the inputs do not take, or nothing that would move.
        """
        for name, choices in CHOICES.items():
            said = getattr(self, name)
            if not isinstance(said, str) or said not in choices:
                raise InputError(f"{name} is one of {', '.join(choices)}; got {shown(said)}")
        for name in ("replacement", "skip"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} is True or False; got {getattr(self, name)!r}")
        for name in ("depth", "width", "batch", "n_features"):
            object.__setattr__(self, name, _checked_count(name, getattr(self, name)))
        if self.depth > MOST_LAYERS:
            raise InputError(f"depth is a number of layers, at most {MOST_LAYERS}; got {shown(self.depth)}")
        named = isinstance(self.learned, tuple | list) and all(isinstance(group, str) for group in self.learned)
        if not named or not self.learned or not set(self.learned) <= set(GROUPS):
            came = "nothing: it is empty" if nothing_said(self.learned) else shown(self.learned)
            raise InputError(f"learned is a tuple of some of {', '.join(GROUPS)}; got {came}")
        object.__setattr__(self, "learned", tuple(group for group in GROUPS if group in self.learned))
        self._check_together()

    def _check_together(self) -> None:
        """Refuse settings that go without one another."""
        if self.inputs == "roll" and self.encoding != "pitch-class":
            raise InputError(f"encoding {self.encoding} is of inputs clock; got inputs roll")
        if self.inputs == "clock" and self.standardisation != "global":
            raise InputError(f"standardisation {self.standardisation} is of inputs roll; clock inputs stay as they are")
        if self.n_features is not None and self.n_features > self.n_units:
            raise InputError(f"n_features is at most the {self.n_units} units of a layer; got {shown(self.n_features)}")
        if self.learned == ("W",) and not self.skip:
            raise InputError("learned is W alone, and with skip off there is no W: nothing would move")
        self._check_moves()

    def _check_moves(self) -> None:
        """Refuse groups that all stand still: behind a K that is 0 for ever, or an M in O(1), which is +1 or -1."""
        if "K" in self.learned or "h0" in self.learned or ("W" in self.learned and self.skip):
            return
        said = ", ".join(self.learned)
        if self.readout_start == "zero":
            raise InputError(
                f"learned is {said}, and a K that starts at 0 and is not learned hides what is before it: nothing "
                "would move; take readout_start random, or learn K too"
            )
        if "J" not in self.learned and self.width == 1 and self.recurrent == "orthogonal":
            raise InputError(
                f"learned is {said}, and an orthogonal M of width 1 cannot turn: nothing would move; take a width of "
                "at least 2, or learn J too"
            )

    @property
    def n_units(self) -> int:
        """Real numbers that a layer holds: of a complex unit two."""
        return 2 * self.width if self.recurrent == "unitary" else self.width

    @property
    def clock(self) -> ClockInputs | None:
        """What makes the inputs of four voices; None where they are a piano roll."""
        return ClockInputs(encoding_named(self.encoding)) if self.inputs == "clock" else None

    @property
    def n_inputs(self) -> int:
        """Numbers that J_0 reads of a chord."""
        clock = self.clock
        return clock.n_inputs if clock else N_KEYS

    @property
    def n_read(self) -> int:
        """Units of the top layer that K reads."""
        return self.n_units if self.n_features is None else self.n_features

    def learns(self, group: str) -> bool:
        """Whether the group of weights (J0.., M0.., K, W, h0) moves at all."""
        return (group if group in self.learned else group[0]) in self.learned

    def kept_orthogonal(self, group: str) -> bool:
        """Whether the group takes its polar factor after every step."""
        kind = group[0] == "M" or (self.feedforward == "orthogonal" and group[0] == "J" and group != "J0")
        return kind and self.learns(group)

    def is_complex(self, group: str) -> bool:
        """Whether the group is a complex matrix, written as a real one."""
        return self.recurrent == "unitary" and group[0] in "JM" and group != "J0"


def fingerprint(settings: Any, data: str) -> np.uint64:
    """Eight bytes that tell apart what is learned (`data`, a digest of it), and how."""
    digest = hashlib.sha256(f"{sorted(asked(settings).items())} {data}".encode()).digest()
    return np.frombuffer(digest[:8], "<u8")[0]


def _checked_count(name: str, count: int | None) -> int | None:
    if name in ("batch", "n_features") and count is None:
        return None
    if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
        raise InputError(f"{name} is a whole number of at least 1; got {count!r}")
    return int(count)
