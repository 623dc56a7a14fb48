"""A trained network plays: it hears the first chords of a chorale, then its own outputs."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import Chorale, InputError, multi_hot, sounding_pitches
from encoding.pianoroll import LOWEST
from encoding.score import write_midi, write_musicxml, write_wav
from encoding.voices import assign_voices
from experiments.figures.piano_roll import compare_rolls
from experiments.figures.save import save_figure
from experiments.figures.style import new_figure
from experiments.store import Run, system_of
from experiments.task import Music

N_VOICES = 4
LONGEST = 2000  # chords, 25 minutes


class Player(Protocol):
    """Networks that can be heard."""

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
        """A piano roll (n_steps, 54) that begins with `opening`, whose voices are `sung`."""
        ...

    def outputs(self, roll: ArrayLike) -> NDArray[np.floating]:
        """O(t) for each chord of a roll, (n_replicas, n_steps, 54)."""
        ...


@runtime_checkable
class Musical(Protocol):
    """A System that can be listened to."""

    def network(self) -> Player:
        """The networks as they are now."""
        ...


class Wish(NamedTuple):
    """What to play: see `armonica listen --help`."""

    chorale: int = 0
    split: str | None = None
    opening: int = 8
    n_steps: int | None = None
    replica: int = 0
    choose: str = "four"
    seed: int = 0
    tempo: float = 80


class Performance(NamedTuple):
    """What was played.

    Attributes:
        chorale: whose opening was heard.
        pitches: of four voices, (n_steps, 4).
        lines: how much of it is Bach's, and what had to be left out.
    """

    chorale: Chorale
    pitches: NDArray[np.int16]
    lines: list[str]


def play(run: Run, wish: Wish, folder: Path) -> list[str]:
    """Write what the network plays into `folder`; a line for each file, and for what had to be left out.

    Raises:
        InputError: see `perform`.
        OSError: the folder cannot be written.
    """
    played = perform(run, wish)
    return played.lines + _write(folder, played.chorale, played.pitches, wish)


def perform(run: Run, wish: Wish) -> Performance:
    """What the network plays.

    Raises:
        InputError: the run is no recurrent network's, or the wish cannot be met.
    """
    system = system_of(run) if run.task["music"] else None
    if not isinstance(system, Musical):
        raise InputError(f"listen plays networks that learned chorales; {run.path} is a run of {run.task['system']}")
    chorale = _chorale(run, wish)
    original = chorale.pitches
    n_steps = len(original) if wish.n_steps is None else wish.n_steps
    if not 1 <= n_steps <= LONGEST:
        raise InputError(f"1 to {LONGEST} chords are played; got {n_steps} steps")
    if not 1 <= wish.opening <= min(len(original), n_steps):
        raise InputError(
            f"the opening has 1 to {min(len(original), n_steps)} chords (the chorale has {len(original)}, "
            f"{n_steps} are to be played); got {wish.opening}"
        )
    network = system.network()
    heard = multi_hot(original)[: wish.opening]
    options = {"replica": wish.replica, "choose": wish.choose, "seed": wish.seed}
    piece = network.continue_piece(heard, n_steps, sung=original[: wish.opening], **options)
    chords, left_out = _four_voices(piece, network.outputs(piece)[wish.replica])
    pitches = assign_voices(chords)
    pitches[: wish.opening] = original[: wish.opening]
    lines = [f"{chorale.name}: {line}" for line in _agreement(original, piece, wish.opening)]
    if left_out:
        n_notes = int((piece > 0).sum())
        lines.append(f"{left_out} of {n_notes} notes left out of the score: more than four sounded at once")
    return Performance(chorale, pitches, lines)


def _chorale(run: Run, wish: Wish) -> Chorale:
    """The chorale whose opening is heard."""
    learned = Music(**run.task["music"])
    chorales = (learned if wish.split is None else learned.other_split(wish.split)).load()
    if not 0 <= wish.chorale < len(chorales):
        raise InputError(f"there are chorales 0 to {len(chorales) - 1}; got {wish.chorale}")
    return chorales[wish.chorale]


def _four_voices(piece: NDArray[np.float32], outputs: NDArray[np.floating]) -> tuple[list[tuple[int, ...]], int]:
    """The chords with four notes at most, those the network was surest of, and how many notes that leaves out."""
    chords = sounding_pitches(piece)
    kept = list(chords)
    for step, chord in enumerate(chords):
        if len(chord) > N_VOICES:
            sure = outputs[step - 1]  # O(t) speaks of the chord at t + 1
            kept[step] = tuple(sorted(sorted(chord, key=lambda pitch: -sure[pitch - LOWEST])[:N_VOICES]))
    return kept, sum(map(len, chords)) - sum(map(len, kept))


def _agreement(original: NDArray[np.int16], piece: NDArray[np.float32], opening: int) -> Iterator[str]:
    """How much of what follows the opening is as Bach has it."""
    n = min(len(original), len(piece))
    if n > opening:
        same = (multi_hot(original[opening:n]) == piece[opening:n]).all(1)
        first = int(np.argmin(same)) if not same.all() else len(same)
        yield f"{int(same.sum())} of {len(same)} chords after the opening are Bach's, the first {first} without a slip"


def _stem(wish: Wish) -> str:
    """A name that tells apart what was wished apart: chorale-3, valid-chorale-3-replica-1-sample-0."""
    words = [wish.split] if wish.split else []
    words += ["chorale", str(wish.chorale)]
    words += ["replica", str(wish.replica)] if wish.replica else []
    words += [wish.choose] if wish.choose != Wish().choose else []
    words += [str(wish.seed)] if wish.choose == "sample" else []
    return "-".join(words)


def _write(folder: Path, chorale: Chorale, pitches: NDArray[np.int16], wish: Wish) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{_stem(wish)}{suffix}" for suffix in (".mid", ".musicxml", ".wav", ".png")]
    write_midi(files[0], pitches, tempo=wish.tempo)
    title = f"{chorale.name}: the network, after {wish.opening} chords"
    write_musicxml(files[1], pitches, title=title, tempo=wish.tempo)
    write_wav(files[2], pitches, tempo=wish.tempo)
    figure = new_figure(9, 6)
    compare_rolls(figure, chorale.pitches, pitches, seed_steps=wish.opening, name=f"{chorale.name}, as written")
    save_figure(figure, files[3])
    return [str(file) for file in files]
