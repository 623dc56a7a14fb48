"""Both systems play: the best run of each goes on from the same opening, and stands beside what Bach wrote."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from encoding.score import write_midi
from experiments.listening import Performance, Wish, perform
from experiments.side_by_side import Line, Machine, Match

LONGEST_OPENING = 8  # chords


class Part(NamedTuple):
    """What one system plays: the run, which replica of it, its NLL there, and the piece."""

    match: Match
    line: Line
    machine: Machine
    replica: int
    loss: float
    played: Performance


class Duet(NamedTuple):
    """The parts of all systems on one music, the opening that they heard, in chords."""

    parts: list[Part]
    opening: int

    @property
    def systems(self) -> list[str]:
        """Their names."""
        return [part.line.label.split(",")[0] for part in self.parts]


def duet(matches: Sequence[Match]) -> Duet | None:
    """The best runs on the music that all systems learned best, each from the opening of its first piece.

    Best is the lowest NLL at the last look; of several musics that on which the worst of the systems is best. None
    where nothing was learned.
    """
    by_music: dict[str, dict[str, tuple[Match, Line, Machine, int, float]]] = {}
    for match in matches:
        for line in match.lines:
            for machine in line.machines:
                if not np.isfinite(machine.last).any():
                    continue
                replica = int(np.nanargmin(machine.last))
                found = match, line, machine, replica, float(machine.last[replica])
                best = by_music.setdefault(match.music, {})
                system = line.label.split(",")[0]
                if system not in best or found[4] < best[system][4]:
                    best[system] = found
    if not by_music:
        return None
    most = max(map(len, by_music.values()))
    fullest = [best for best in by_music.values() if len(best) == most]
    chosen = min(fullest, key=lambda best: max(each[4] for each in best.values()))
    return _played(list(chosen.values()))


def _played(chosen: Sequence[tuple[Match, Line, Machine, int, float]]) -> Duet:
    n_steps = len((chosen[0][2].answer.planned.task.chorales or [])[0].pitches)
    opening = min(LONGEST_OPENING, max(1, n_steps // 2))
    parts = []
    for match, line, machine, replica, loss in chosen:
        assert machine.answer.run is not None  # only runs that are there are measured
        piece = perform(machine.answer.run, Wish(opening=opening, replica=replica))
        parts.append(Part(match, line, machine, replica, loss, piece))
    return Duet(parts, opening)


def names_of(systems: Sequence[str], page: Path) -> dict[str, Path]:
    """Where the MIDI files lie, beside the page: one for each system, and the original."""
    return {name: page.with_name(f"{page.stem}-{name}.mid") for name in (*systems, "original")}


def write_music(duet: Duet, page: Path) -> None:
    """What each system plays, and the original, as MIDI files beside the page.

    Raises:
        OSError: the folder cannot be written.
    """
    pieces = [part.played.pitches for part in duet.parts] + [duet.parts[0].played.chorale.pitches]
    for path, pitches in zip(names_of(duet.systems, page).values(), pieces, strict=True):
        write_midi(path, pitches)
