"""What S shots show of the recurrent circuits, on any machine that Qiskit's samplers reach: Aer, or hardware.

One circuit a length of pieces, with chords and angles for parameters, those of every chord its own; all pieces and all
variants of the angles are bound to it in one job. Where averages come back from chord to chord (`measured`, S > 1) it
is one circuit of one chord, and a job a chord. Circuits say what `quantum.circuits.recurrent_circuit` says.
"""

from collections.abc import Callable, Iterable, Sequence
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.exceptions import QiskitError
from qiskit.primitives import BaseSamplerV2

from encoding import InputError
from encoding.errors import cut, shown
from encoding.memory import check_room
from quantum.block import Block, checked_block
from quantum.circuits import recurrent_circuit
from quantum.given import checked_chords, checked_numbers
from quantum.sources import Real, Sizes, chord_by_chord

Seeded = Callable[[int], BaseSamplerV2]


class Bound(NamedTuple):
    """A circuit, its parameters in its own order, (..., n_parameters), and what they are before any transpiler."""

    circuit: QuantumCircuit
    values: Real
    meant: dict[str, Any]


# What a sampler raises where it fails: Qiskit's, Aer's and the runtime's own errors; those of a network, which are
# OSErrors; and of compiled code and services that have no class of their own, a bare RuntimeError.
FAILURES = (QiskitError, OSError, RuntimeError)
MISTAKES = (NotImplementedError, RecursionError)  # RuntimeErrors of a program that is wrong


class SamplerFailed(OSError):
    """A sampler gave no result, or not what was asked for: counts that are not there are never taken for zeros.

    Only what a sampler can raise by contract becomes one (`FAILURES`): Ctrl-C, a memory that is full and mistakes of a
    program pass as they are.
    """


class Sampler(Sizes):
    """A block on some music, as a sampler of Qiskit's shows it: a Source.

    All variants of a call are one job. When Ctrl-C ends it is the sampler's affair: Aer's comes after the job, of a
    gradient by shifts minutes later.

    Args:
        block: registers, rotations, ladder, schedule.
        chords: angles of `Encoding(chords)` of each piece, the longest piece first, (n_chords, n_voices, n_rotations)
            in radians; `quantum.music.chord_angles` gives them.
        sampler: a BaseSamplerV2, such as `quantum.backend_named` gives; or a function that makes one from a seed, which
            each call then gets anew; None: Aer's.
        shots: S, in each basis.
        observables: "Z" or "ZX"; X takes circuits of its own.
        pass_manager: what turns circuits into those of a machine, of each circuit once; None: the sampler's own if it
            has one, else they stay as they are.
        feed_forward: False leaves H as its measurement left it, in place of a reset and an X where a 1 was read.

    Raises:
        InputError: no pieces, angles of another shape, pieces in another order, shots below 1, an X that no shot shows,
            no sampler, or one with a fixed seed: it would give the same numbers at every call.
    """

    def __init__(
        self,
        block: Block,
        chords: Sequence[ArrayLike],
        sampler: BaseSamplerV2 | Seeded | None,
        shots: int,
        *,
        observables: str = "Z",
        pass_manager: Any = None,
        feed_forward: bool = False,
    ) -> None:
        if shots is None:
            raise InputError("a number of shots is a whole number of at least 1; got None: samplers count them")
        self._pieces = _checked_pieces(chords, checked_block(block))
        super().__init__(block, _offsets([len(piece) for piece in self._pieces]), observables, shots)
        self._sampler = _checked_sampler(sampler)
        if pass_manager is None and callable(make := getattr(sampler, "pass_manager", None)):
            pass_manager = make()  # of `quantum.backends`: it knows its machine
        if pass_manager is not None and not callable(getattr(pass_manager, "run", None)):
            raise InputError(
                f"a pass manager runs on circuits (generate_preset_pass_manager); got {shown(pass_manager)}"
            )
        self._pass_manager, self._feed_forward = pass_manager, feed_forward
        self._circuits: dict[tuple[int, str], QuantumCircuit] = {}

    def whole(self, angles: ArrayLike, draw: np.random.Generator) -> Real:
        """Averages of the outcomes of whole pieces, (V, n_slots, n_f); one job.

        Args:
            angles: of the ladder at every chord, (V, n_times, n_angles), in radians.
            draw: where the seed of the call is drawn from, if the sampler takes one.

        Raises:
            InputError: angles of another shape or not finite; `measured` with more than one shot.
            SamplerFailed: no result, or not what was asked for.
        """
        theta = self.checked_whole(angles, draw)
        lengths = {len(piece): [] for piece in self._pieces}
        for column, piece in enumerate(self._pieces):
            lengths[len(piece)].append(column)
        sizes = [len(theta) * len(c) * n * (theta.shape[2] + self._pieces[c[0]][0].size) for n, c in lengths.items()]
        check_room(16.0 * len(self.observables) * sum(sizes), f"{len(theta)} variants of the angles at every chord")
        asked = [(basis, n, columns) for basis in self.observables for n, columns in lengths.items()]
        pubs = [self._bound(basis, theta[:, :n], [self._pieces[c] for c in columns]) for basis, n, columns in asked]
        features, width = np.empty((len(theta), self.n_slots, self.n_features)), len(self.block.measured())
        for (basis, n, columns), averages in zip(asked, self._sampled(pubs, draw), strict=True):
            first = self.observables.index(basis) * width
            for time in range(n):
                slots = self.offsets[time] + np.array(columns)
                features[:, slots, first : first + width] = averages[time]
        return features

    def chord(self, time: int, angles: ArrayLike, turns: ArrayLike, draw: np.random.Generator) -> tuple[Real, Real]:
        """Averages of the outcomes of one chord, (V, b, n_f), and those of H in Z, (V, b, n_H); one job.

        Args:
            time: number of the chord, from 0.
            angles: of the ladder, (V, n_angles), in radians.
            turns: of the RY on H, (V, b, n_H), in radians.
            draw: where the seed of the call is drawn from, if the sampler takes one.

        Raises:
            InputError: arrays of another shape or not finite, no such time, or another schedule than measured.
            SamplerFailed: no result, or not what was asked for.
        """
        theta, turns = self.checked_chord(time, angles, turns, draw)
        now = [piece[time : time + 1] for piece in self._pieces if len(piece) > time]
        pubs = [self._bound(basis, theta[:, None], now, 1 - 2 * turns / np.pi) for basis in self.observables]
        features = np.concatenate([averages[0] for averages in self._sampled(pubs, draw)], 2)
        return features, features[..., self.block.n_data : self.block.n_qubits]

    def pubs_of_a_chord(self) -> list[Any]:
        """The circuits of one chord with some angles, for what they would cost."""
        theta = np.zeros((1, 1, self.block.ladder.n_angles))
        now, turns = [piece[:1] for piece in self._pieces], np.ones((1, len(self._pieces), self.block.n_history))
        return [(*self._bound(basis, theta, now, turns)[:2], self.shots) for basis in self.observables]

    def _bound(self, basis: str, theta: Real, pieces: list[Real], averages: Real | None = None) -> Bound:
        """The circuit of pieces of one length, and its parameters, (V, pieces, n_parameters)."""
        circuit = self._circuit(basis, len(pieces[0]))
        x = np.array([piece.ravel() for piece in pieces])
        parts = {"theta": theta.reshape(len(theta), 1, -1), "x": x[None], "z": averages}
        values = np.empty((len(theta), len(pieces), circuit.num_parameters))
        for place, parameter in enumerate(circuit.parameters):  # a transpiler leaves some out
            values[..., place] = parts[parameter.vector.name][..., parameter.index]
        meant = {name: part for name, part in parts.items() if part is not None} | {"basis": basis, "circuit": "chords"}
        meant |= {"block": repr(self.block), "feed_forward": str(self._feed_forward)}
        return Bound(circuit, values, meant)

    def _circuit(self, basis: str, n_chords: int) -> QuantumCircuit:
        """With parameters theta of every chord, x, and z of averages that come back; made once."""
        if (n_chords, basis) not in self._circuits:
            theta = ParameterVector("theta", n_chords * self.block.ladder.n_angles)
            z = ParameterVector("z", self.block.n_history) if chord_by_chord(self) else None
            circuit = recurrent_circuit(
                self.block, n_chords, theta, averages=z, feed_forward=self._feed_forward, basis=basis
            )
            made = circuit if self._pass_manager is None else self._pass_manager.run(circuit)
            if not isinstance(made, QuantumCircuit):
                raise InputError(f"a pass manager's run gives the circuit back, for a machine; got {shown(made)}")
            self._circuits[n_chords, basis] = made
        return self._circuits[n_chords, basis]

    def _sampled(self, pubs: list[Bound], draw: np.random.Generator) -> list[list[Real]]:
        """Averages of the outcomes of each circuit at each chord, (V, pieces, n_measured), from one job."""
        sampler = self._made(draw)
        journal = _named(sampler, pubs)
        asked: list[Any] = [(circuit, values, self.shots) for circuit, values, _ in pubs]
        try:
            result: Any = sampler.run(asked, **journal).result()
        except FAILURES as error:
            if journal or isinstance(error, (SamplerFailed, *MISTAKES)):  # a journal's lines say what to do
                raise
            raise SamplerFailed(f"the sampler gave no result: {_line(error)}") from error
        if getattr(result, "success", True) is not True:  # a simulator's own results raise nothing
            raise SamplerFailed(f"the sampler did not succeed: {shown(getattr(result, 'status', result))}")
        try:
            return [self._averages(of, pub.circuit, pub.values) for of, pub in zip(result, pubs, strict=True)]
        except (TypeError, ValueError, LookupError, AttributeError) as error:  # as what came is no result of a sampler
            raise SamplerFailed(f"the sampler gave another result than was asked for: {_line(error)}") from error

    def _made(self, draw: np.random.Generator) -> BaseSamplerV2:
        """The sampler, or one with a seed of this call: one seed makes the same numbers again and again."""
        if isinstance(self._sampler, BaseSamplerV2):
            return self._sampler
        made = self._sampler(int(draw.integers(1 << 31)))
        if not isinstance(made, BaseSamplerV2):
            raise InputError(f"a function of a seed makes a BaseSamplerV2; got {shown(made)}")
        return made

    def _averages(self, result: Any, circuit: QuantumCircuit, values: Real) -> list[Real]:
        """1 - 2 (ones / S) of the registers c0, c1, ...; their bit i is the i-th qubit that is measured."""
        seen = []
        for register in circuit.cregs:
            bits = result.data[register.name]
            if (*bits.shape, bits.num_shots, bits.num_bits) != (*values.shape[:-1], self.shots, register.size):
                raise ValueError(f"{bits.num_shots} shots of {bits.num_bits} qubits, circuits {bits.shape}")
            seen.append(1 - 2 * bits.to_bool_array(order="little").mean(-2))
        return seen


def _named(sampler: BaseSamplerV2, pubs: list[Bound]) -> dict[str, Any]:
    """What the circuits mean, for a sampler with a journal, which names its jobs by it (`quantum.jobs`)."""
    return {"logical": [pub.meant for pub in pubs]} if getattr(sampler, "takes_logical", False) else {}


def _line(error: Exception) -> str:
    """An error in one line."""
    return cut(f"{type(error).__name__}: {error}", 200)


def _checked_pieces(chords: Any, block: Block) -> list[Real]:
    """The pieces, each (n_chords, n_voices, n_rotations), the longest first."""
    if not isinstance(chords, Iterable) or isinstance(chords, str):
        raise InputError(f"chords are those of each piece, an array of angles a piece; got {shown(chords)}")
    given = [checked_chords(piece, block.chord_shape) for piece in chords]
    pieces = [checked_numbers("angles of chords", piece, piece.shape) for piece in given]
    lengths = [len(piece) for piece in pieces]
    if not pieces or lengths != sorted(lengths, reverse=True):
        raise InputError(f"there is at least one piece, and the longest comes first; got lengths {shown(lengths)}")
    return pieces


def _offsets(lengths: list[int]) -> NDArray[np.int64]:
    """First slot of each time, of pieces packed time-major, the longest first."""
    sounding = [sum(length > time for length in lengths) for time in range(lengths[0])]
    return np.concatenate([[0], np.cumsum(sounding)])


def _checked_sampler(sampler: Any) -> Any:
    """A sampler, or what makes one from a seed."""
    if sampler is None:
        return _of_aer
    if isinstance(sampler, BaseSamplerV2):
        if _fixed_seed(sampler):
            raise InputError(
                "a sampler with a seed of its own gives the same numbers at every call: make it without one, or give "
                "a function of a seed, such as lambda seed: SamplerV2(seed=seed)"
            )
        return sampler
    if isinstance(sampler, type) or not callable(sampler) or not _takes_seed(sampler):
        raise InputError(
            "a sampler is a BaseSamplerV2 of Qiskit's, such as SamplerV2(), or a function that makes one from a seed, "
            f"such as lambda seed: SamplerV2(seed=seed); got {shown(sampler)}"
        )
    return sampler


def _takes_seed(make: Callable[..., Any]) -> bool:
    """Whether a function can be called with one number; what does not tell is believed."""
    try:
        signature(make).bind(0)
    except TypeError:
        return False
    except ValueError:  # compiled functions have no signature
        return True
    return True


def _fixed_seed(sampler: Any) -> bool:
    """Whether Aer's, Qiskit's or the runtime's sampler, or its simulator, was given a whole number for a seed.

    A generator that is given for a seed goes on from call to call, and is none.
    """
    options = getattr(sampler, "options", None)
    run_options = getattr(options, "run_options", None) or {}
    seeds = [
        getattr(sampler, "seed", None),
        getattr(options, "seed_simulator", None),
        getattr(getattr(options, "simulator", None), "seed_simulator", None),
        getattr(getattr(getattr(sampler, "_backend", None), "options", None), "seed_simulator", None),
        run_options.get("seed_simulator") if isinstance(run_options, dict) else None,
    ]
    return any(isinstance(seed, int | np.integer) for seed in seeds)


def _of_aer(seed: int) -> BaseSamplerV2:
    """Aer's, which takes measurements and resets in the middle of a circuit."""
    from qiskit_aer.primitives import SamplerV2

    return SamplerV2(seed=seed)
