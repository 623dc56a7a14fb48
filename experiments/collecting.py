"""What has come of a run's submissions: a table in lines, a picture with its numbers, and music."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from encoding import InputError
from experiments.figures.machine_chords import draw_machine
from experiments.figures.save import check_picture
from experiments.hardware_music import accuracy, foretold, write_music
from experiments.hardware_results import Collected, fetched, submissions
from experiments.hardware_told import headline, table, write_result
from experiments.store import Run
from quantum.jobs import Journal


def collect(run: Run, journal: Journal, *, picture: str = ".png", music: bool = True, **options: Any) -> Iterator[str]:
    """Fetch what has come of the run's submissions; lines of each, and files beside the submission's.

    Args:
        run: whose submissions.
        journal: where they are written down.
        picture: ".png", ".svg" or ".pdf".
        music: whether it is written too.
        options: of `experiments.hardware_results.fetched`.

    Raises:
        InputError: nothing was submitted, a file that is no submission, no kind of picture, or see `fetched`; of
            several submissions at the end, when the others have been told.
        ServiceFailed: no answer.
    """
    check_picture(Path(f"it{picture}"))
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
