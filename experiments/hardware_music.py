"""What a machine would play: the chord that its features foretell, each after the chords that Bach wrote.

    O(t) = tanh H(t),    H(t) = K f(t) + W S(t) + h_0;    the chord at t + 1: the four surest keys with O > 0

The first chord is given. Nothing that was foretold is heard again: what a machine hears was decided before it was sent.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import Chorale, multi_hot, sounding_pitches
from encoding.closed_loop import next_chord
from encoding.randomness import Purpose, stream
from encoding.score import write_midi, write_wav
from encoding.voices import assign_voices
from experiments.figures.piano_roll import stack_rolls
from experiments.figures.save import save_figure
from experiments.figures.style import new_figure
from quantum.excerpts import Excerpt

TEMPO = 80.0  # quarter notes a minute


class Accuracy(NamedTuple):
    """How much of what was foretold is as Bach has it.

    Attributes:
        chords: foretold as they are, all notes and no other.
        n_chords: foretold.
        notes: of Bach's that are among those foretold.
        n_notes: of Bach's.
        wrong: notes foretold that are not his.
    """

    chords: int
    n_chords: int
    notes: int
    n_notes: int
    wrong: int

    def words(self) -> str:
        """In a line.

        >>> Accuracy(2, 7, 20, 28, 3).words()
        "2 of 7 chords and 20 of 28 notes are Bach's, 3 notes are not"
        """
        return (
            f"{self.chords} of {self.n_chords} chords and {self.notes} of {self.n_notes} notes are Bach's, "
            f"{self.wrong} notes are not"
        )


def foretold(excerpt: Excerpt, features: NDArray[np.float64], first: NDArray[np.integer]) -> NDArray[np.int16]:
    """Four voices of the chords that features foretell, after the first, (n_slots + 1, 4).

    Args:
        excerpt: the network at the music.
        features: (n_slots, n_f).
        first: the pitches of the chord that is given, (4,).
    """
    outputs, draw = np.tanh(excerpt.fields(features)), stream(0, 0, Purpose.MUSIC)  # nothing is drawn of "four"
    roll = np.stack([next_chord(output, "four", draw) for output in outputs])
    chords = [tuple(int(pitch) for pitch in first if pitch >= 0), *sounding_pitches(roll)]
    pitches = assign_voices([tuple(dict.fromkeys(chord)) for chord in chords])
    pitches[0] = first
    return pitches


def accuracy(played: NDArray[np.integer], written: NDArray[np.integer]) -> Accuracy:
    """How much of four voices is as written, the first chord, which is given, left out; (n_steps, 4) each."""
    ours, his = (multi_hot(pitches)[1:] > 0 for pitches in (played, written))
    found, wrong = int((ours & his).sum()), int((ours & ~his).sum())
    return Accuracy(int((ours == his).all(1).sum()), len(his), found, int(his.sum()), wrong)


def write_music(
    piece: Chorale, voices: dict[str, NDArray[np.int16]], stem: Path, *, tempo: float = TEMPO
) -> list[Path]:
    """What was played and what Bach wrote, as MIDI and WAV, and all of them as piano rolls; the files.

    Args:
        piece: the excerpt as it was written.
        voices: by what played them, (n_steps, 4) each; the last of them is written as music.
        stem: of the files' names.
        tempo: quarter notes a minute.
    """
    last = list(voices.values())[-1]
    files = []
    for pitches, name in ((last, ""), (piece.pitches, "-original")):
        for suffix, write in ((".mid", write_midi), (".wav", write_wav)):
            files.append(stem.with_name(f"{stem.name}{name}{suffix}"))
            write(files[-1], pitches, tempo=tempo)
    figure = new_figure(9, 2.2 * (1 + len(voices)))
    stack_rolls(figure, [(f"{piece.name}, as written", piece.pitches), *voices.items()], seed_steps=1)
    files.append(stem.with_name(f"{stem.name}-roll.png"))
    save_figure(figure, files[-1])
    return files
