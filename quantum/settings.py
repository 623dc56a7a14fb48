"""What can be chosen about a quantum recurrent network, checked where it is said."""

from dataclasses import dataclass
from typing import ClassVar

from encoding import Encoding, InputError, encoding_named
from encoding.asked import later, nothing_said
from encoding.clock import ENCODINGS
from encoding.errors import shown
from encoding.pianoroll import STANDARDISATIONS
from encoding.voices import N_VOICES
from quantum.block import SCHEDULES, Block
from quantum.given import checked_shift
from quantum.ladder import ROTATIONS, TOPOLOGIES, Ladder, checked_count

PARTS = ("angles", "K", "W", "h0")
CHOICES = {
    "schedule": SCHEDULES,
    "topology": TOPOLOGIES,
    "rotations": tuple(ROTATIONS),
    "encoding": tuple(ENCODINGS),
    "observables": ("Z", "ZX"),
    "read": ("data", "all", "first"),
    "readout_start": ("zero", "random"),
    "standardisation": STANDARDISATIONS,
    "precision": ("float32", "float64"),
    "rule": ("adjoint", "parameter-shift", "spsa"),
    "optimizer": ("sgd", "adam"),
}
MOST_HISTORY = 8
MOST_HISTORY_DENSE = 5  # history qubits whose density matrix, and U, still take milliseconds
FLAGS = ("closing", "skip", "replacement")
MOST = {"shots": 10**6, "batch": 10**6, "probes": 10**5, "spsa_pairs": 10**4, "trajectories": 10**4, "n_layers": 10**4}
COUNTS = ("n_history", "n_layers", "probes", "spsa_pairs")


@dataclass(frozen=True, kw_only=True)
class QuantumRNNSettings:
    """The settings of a QuantumRNN.

    Attributes:
        schedule: `"measured"` (Hertz), `"coherent"` or `"staggered"` (Li et al.).
        n_history: qubits that remember, n_H.
        n_layers: ladders one after the other, the analogue of depth.
        topology, closing, rotations: of the ladder, see `Ladder`.
        encoding: how a voice's note becomes a state, a name of `encoding.clock`.
        observables: what is read of each qubit, `"Z"` or `"ZX"`.
        read: `"data"` qubits; `"all"` that are measured (of the measured schedule, with the history); or `"first"`,
            Li's own readout.
        skip: whether W takes the present chord to the outputs, as in eq. (3) of Hertz & Tyrcha 2024.
        readout_start: K and h_0 start at `"zero"`, or `"random"` and the same for all replicas (to be frozen).
        learned: the parts that move; the others stay as they start.
        batch: slots drawn for each step, p; None: the full gradient.
        replacement: whether a slot can be drawn twice into one batch.
        probes: random signs, or gradients drawn again, by which Gamma is estimated, see `QuantumRNN.noise`.
        standardisation: how the inputs of W are rescaled.
        precision: float32 is enough for learning curves; float64 is for checks.
        trajectories: kets for each piece in place of a density matrix, for more than 5 history qubits.
        shots: S, in each basis that is read; None: infinitely many, exact averages. 1: a stochastic network.
        rule: the gradient along the angles by the `"adjoint"`, exact, of a simulation alone; by `"parameter-shift"` or
            by `"spsa"` from what shots show.
        spsa_shift, spsa_pairs: of SPSA, how far all angles are shifted, in radians, and how many pairs are averaged.
        optimizer: `"sgd"`, w <- w - eta g, or `"adam"` (Kingma & Ba 2015), whose eta is a length, not a time.
    """

    choices: ClassVar[dict[str, tuple[str, ...]]] = CHOICES

    schedule: str
    n_history: int
    n_layers: int
    topology: str = "ring"
    closing: bool = False
    rotations: str = "XZX"
    encoding: str = "pitch-class"
    observables: str = "Z"
    read: str = "data"
    skip: bool = False
    readout_start: str = "zero"
    learned: tuple[str, ...] = PARTS
    batch: int | None = None
    replacement: bool = True
    probes: int = 16
    standardisation: str = "global"
    precision: str = "float32"
    trajectories: int | None = later(None)
    shots: int | None = later(None)
    rule: str = later("adjoint")
    spsa_shift: float = later(0.2)
    spsa_pairs: int = later(1)
    optimizer: str = later("sgd")

    def __post_init__(self) -> None:
        """Refuse what makes no network.

        Raises:
            InputError: a size below 1, a name that is not known, or more history than can be held exactly.
        """
        for name, choices in CHOICES.items():
            said = getattr(self, name)
            if not isinstance(said, str) or said not in choices:
                raise InputError(f"{name} is one of {', '.join(choices)}; got {shown(said, 40)}")
        for name in FLAGS:
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} is True or False; got {getattr(self, name)!r:.40}")
        asked = [name for name in ("batch", "shots", "trajectories") if getattr(self, name) is not None]
        for name in (*COUNTS, *asked):
            object.__setattr__(self, name, checked_count(name, getattr(self, name), most=MOST.get(name, 1 << 31)))
        named = isinstance(self.learned, tuple | list) and all(isinstance(part, str) for part in self.learned)
        if not named or not self.learned or not set(self.learned) <= set(PARTS):
            came = "nothing: it is empty" if nothing_said(self.learned) else shown(self.learned, 40)
            raise InputError(f"learned is a tuple of some of {', '.join(PARTS)}; got {came}")
        object.__setattr__(self, "learned", tuple(part for part in PARTS if part in self.learned))
        self._check_moves()
        if self.read == "all" and self.schedule != "measured":
            raise InputError(f"read all is of the measured schedule; {self.schedule} measures the data qubits alone")
        self._check_shots()
        self._check_history()

    def _check_moves(self) -> None:
        """Refuse parts that all stand still: a W that is not there, angles behind a K that is 0 for ever."""
        if self.learned == ("W",) and not self.skip:
            raise InputError("learned is W alone, and with skip off there is no W: nothing would move")
        heard = "K" in self.learned or self.readout_start == "random"
        if not heard and "h0" not in self.learned and not ("W" in self.learned and self.skip):
            raise InputError(
                f"learned is {', '.join(self.learned)}, and a K that starts at 0 and is not learned hides the angles: "
                "nothing would move; take readout_start random, or learn K too"
            )

    def _check_shots(self) -> None:
        object.__setattr__(self, "spsa_shift", checked_shift("spsa_shift", self.spsa_shift))
        if self.shots is not None and self.rule == "adjoint":
            raise InputError(
                f"the adjoint rule needs amplitudes, which {self.shots} shots do not show: with shots take rule "
                "parameter-shift or spsa"
            )
        if self.shots is not None and self.schedule == "staggered" and "X" in self.observables:
            raise InputError(
                "in the staggered schedule D[0] lives on after its measurement, so shots cannot read Z and X of it: "
                "with shots take observables Z"
            )

    def _check_history(self) -> None:
        if self.n_history > MOST_HISTORY:
            raise InputError(
                f"n_history is at most {MOST_HISTORY}; got {shown(self.n_history, 40)}: each more doubles the kets "
                f"and quadruples U, 0.13 GB at {MOST_HISTORY}; take fewer, with more layers"
            )
        if self.trajectories is not None:
            self._check_trajectories(self.trajectories)
        elif self.n_history > MOST_HISTORY_DENSE and (self.shots is not None or self.rule != "adjoint"):
            raise InputError(
                f"circuits of shots, and what a sampler's rule shifts, are simulated up to n_history "
                f"{MOST_HISTORY_DENSE}; got {self.n_history}, where a step takes minutes: take fewer, or rule adjoint "
                "without shots"
            )
        elif self.n_history > MOST_HISTORY_DENSE and self.schedule != "measured":
            chord = 8 * 2.0 ** (self.n_data + 2 * self.n_history) / 1e6
            raise InputError(
                f"{self.schedule} is simulated exactly up to n_history {MOST_HISTORY_DENSE}; got {self.n_history}: "
                f"every distinct chord would take {chord:.3g} MB, every slot {8e-6 * 4.0**self.n_history:.3g} MB, and "
                "a step minutes; sample kets, trajectories=4, or take the measured schedule"
            )

    def _check_trajectories(self, n: int) -> None:
        if n < 2:
            raise InputError(f"trajectories are at least 2, for each is compared with the others; got {n}")
        if self.schedule == "measured":
            raise InputError("the measured schedule has one ket a piece and nothing to draw: leave trajectories out")
        if self.shots is not None or self.rule != "adjoint":
            raise InputError(
                f"trajectories simulate averages, with the adjoint rule; got rule {self.rule} and shots {self.shots}: "
                "leave trajectories out"
            )

    @property
    def note(self) -> Encoding:
        """The encoding of one voice."""
        return encoding_named(self.encoding)

    @property
    def n_data(self) -> int:
        """Data qubits, those of four voices."""
        return N_VOICES * self.note.n_qubits

    @property
    def block(self) -> Block:
        """What happens at one chord."""
        n = self.n_data + self.n_history
        ladder = Ladder(n, self.n_layers, self.topology, self.closing, self.rotations)
        return Block(ladder, n_data=self.n_data, schedule=self.schedule, rotations=tuple(self.note.rotations))

    @property
    def n_features(self) -> int:
        """Numbers that K reads at each chord."""
        if self.read == "first":
            return len(self.observables)
        return len(self.observables) * (self.n_data + (self.n_history if self.read == "all" else 0))
