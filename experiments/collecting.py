"""What has come of a run's submissions: a table in lines, a picture with its numbers, and music."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from encoding import InputError
from experiments.figures.machine_chords import draw_machine
from experiments.figures.save import check_picture
from experiments.hardware import check_seconds
from experiments.hardware_music import accuracy, foretold, write_music
from experiments.hardware_results import MOST_SECONDS, Collected, fetched, submissions
from experiments.hardware_told import headline, table, write_result
from experiments.store import Run
from quantum.jobs import Journal
from quantum.mitigation import check_way


def collect(
    run: Run,
    journal: Journal,
    *,
    picture: str = ".png",
    music: bool = True,
    wait: float | None = 0,
    simulate_for: float = MOST_SECONDS,
    mitigation: str = "",
    **options: Any,
) -> Iterator[str]:
    """Fetch what has come of the run's submissions; lines of each, and files beside the submission's.

    Args:
        run: whose submissions.
        journal: where they are written down.
        picture: ".png", ".svg" or ".pdf".
        music: whether it is written too.
        wait: seconds for each; None: as long as it takes.
        simulate_for: seconds that each simulator may take; 0: none is asked.
        mitigation: of readout: "mthree", or "" for none.
        options: more of `experiments.hardware_results.fetched`.

    Raises:
        InputError: nothing was submitted, a file that is no submission, no kind of picture, of mitigation or of time,
            or see `fetched`; of several submissions at the end, when the others have been told.
        ServiceFailed: no answer.
    """
    check_picture(Path(f"it{picture}"))
    if mitigation:
        check_way(mitigation)
    check_seconds("the time to wait (--wait)", wait)
    check_seconds("what a simulator may take (--simulate-for)", simulate_for)
    options |= {"wait": wait, "simulate_for": simulate_for, "mitigation": mitigation}
    paths, missed = submissions(run), 0
    for path in paths:
        try:
            found = fetched(run, path, journal, **options)
        except (InputError, OSError) as error:
            if len(paths) == 1:
                raise
            missed += 1
            yield f"{path.stem}: {error}"
        else:
            yield from [found] if isinstance(found, str) else _told(found, path, picture, music)
    if missed:
        raise InputError(f"{missed} of {len(paths)} submissions could not be fetched, as their lines say")


def _told(found: Collected, path: Path, picture: str, music: bool) -> Iterator[str]:
    """Lines and files of a submission."""
    yield headline(found)
    yield from (f"    {line}" for line in table(found))
    files = [write_result(found), *draw_machine(found, path.with_suffix(picture))]
    lines, pieces = _music(found, path) if music else ([], [])
    yield from (f"    {line}" for line in lines)
    yield from map(str, [*files, *pieces])


def _music(found: Collected, path: Path) -> tuple[list[str], list[Path]]:
    """How right the chords are that each foretells, and the files of the machine's."""
    piece, last = found.piece, found.mitigated or found.machine
    voices = {one.where: foretold(found.excerpt, one.features, piece.pitches[0]) for one in found.played}
    width = max(map(len, voices))
    lines = [f"{where:{width}}  {accuracy(heard, piece.pitches).words()}" for where, heard in voices.items()]
    rolls = {where: voices[where] for where in (found.exact.where, last.where)}
    return lines, write_music(piece, rolls, path.with_suffix(""))
