"""A sampler by name, and what can be known of it before anything is sent."""

from collections.abc import Iterable, Sequence
from typing import Any

from numpy.typing import ArrayLike
from qiskit.primitives import BaseSamplerV2
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from quantum.block import Block
from quantum.ladder import checked_count
from quantum.machines import ibm
from quantum.machines.abilities import Abilities
from quantum.machines.calls import read_pubs
from quantum.machines.fitting import PassManager
from quantum.machines.names import FORMS, Name, read_name
from quantum.sources import Source


class Backend(BaseSamplerV2):
    """A sampler by name, and what can be known of it. `quantum.backend_named` makes it.

    Attributes:
        name: as it is written, with the machine that was found.
        sampler: what draws the shots: a `LocalSampler`, which counts its calls, or IBM's.
        abilities: what it can do.
        target: Qiskit's Target of the machine; None where every gate is its own.
        machine: the client's backend of IBM's or fake machines; None for simulators.
        manner: options that change what is measured, in words: a part of a job's name; "" where nothing was said.
        instance: CRN of what is charged; "" where nothing is.
    """

    def __init__(
        self,
        name: Name,
        sampler: BaseSamplerV2,
        abilities: Abilities,
        target: Any = None,
        machine: Any = None,
        *,
        manner: str = "",
        instance: str = "",
    ) -> None:
        self.name, self.sampler, self.abilities = str(name), sampler, abilities
        self.target, self.machine = target, machine
        self.manner, self.instance = manner, instance

    def __repr__(self) -> str:
        """Its name."""
        return f"<Backend {self.name}>"

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> Any:
        """A job with the shots of all pubs.

        Args:
            pubs: circuits, or (circuit, values of its parameters, shots).
            shots: for the pubs that do not say.

        Raises:
            InputError: what is no pub, or a circuit that cannot be played here; nothing was sent.
        """
        return self.sampler.run(pubs, shots=shots)

    def checked(self, pubs: Iterable[Any], *, shots: int | None = None) -> list[SamplerPub]:
        """The same pubs as `run` would play them; nothing is sent.

        Raises:
            InputError: what is no pub, or a circuit that cannot be played here.
        """
        own: Any = self.sampler
        asked = read_pubs(pubs, own.shots if shots is None else checked_count("the number of shots", shots))
        own.check(asked)
        return asked

    def pass_manager(self, optimization_level: int = 1, *, seed: int = 0) -> PassManager:
        """What makes circuits ready for the machine, by `run(circuit)`.

        Args:
            optimization_level: 0 to 3, as Qiskit counts.
            seed: of the transpiler's own draws.
        """
        return PassManager(self.name, self.abilities, self.target, optimization_level=optimization_level, seed=seed)

    def source(
        self,
        block: Block,
        chords: Sequence[ArrayLike],
        shots: int | None = None,
        *,
        observables: str = "Z",
        feed_forward: bool = False,
    ) -> Source:
        """The features of a block on some music as this backend shows them.

        Args:
            block: registers, rotations, ladder, schedule.
            chords: angles of each piece, the longest first, (n_chords, n_voices, n_rotations); as of `chord_angles`.
            shots: in each basis. None: of "exact", averages without scatter (`quantum.exact.Exact`).
            observables: "Z" or "ZX".
            feed_forward: see `quantum.samplers.Sampler`.

        Raises:
            InputError: what the source refuses; no number of shots where shots are counted.
        """
        from quantum.samplers import Sampler

        if shots is not None:
            return Sampler(block, chords, self, shots, observables=observables, feed_forward=feed_forward)
        if self.name != "exact":
            raise InputError(f"{self.name} shows shots: say how many; exact shows averages")
        from quantum.exact import Exact
        from quantum.music import music_of

        Sampler(block, chords, self, 1)  # looks at block and chords
        return Exact(block, music_of(block, chords), observables)

    @property
    def n_calls(self) -> int | None:
        """Calls made so far, of a local one; a machine of IBM's has jobs."""
        return getattr(self.sampler, "n_calls", None)

    def describe(self) -> str:
        """What it is and what it can do, in a line."""
        kind = read_name(self.name).kind
        return f"{self.name}: {_about(kind)}; {self.abilities.words()}"

    def close(self) -> None:
        """End a batch of IBM's, if there is one."""
        if isinstance(self.sampler, ibm.MachineSampler):
            self.sampler.close()


def _about(kind: str) -> str:
    words = {"noise": FORMS["aer:noise=FakeTorino"], "fake": FORMS["fake:FakeTorino"], "ibm": FORMS["ibm:NAME"]}
    return words[kind] if kind in words else FORMS[kind]
