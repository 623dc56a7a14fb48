"""What has come of a run's submissions: a table in lines, a picture with its numbers, and music."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from encoding import InputError
from encoding.errors import shown
from experiments.figures.machine_chords import draw_machine
from experiments.hardware import check_seconds
from experiments.hardware_music import accuracy, foretold, write_music
from experiments.hardware_results import MOST_SECONDS, Collected, fetched
from experiments.hardware_told import headline, stored, table, write_result
from experiments.opening import unused
from experiments.store import Run
from experiments.submission import read_note, submissions_named
from quantum.jobs import Journal
from quantum.journal.opened import FULL
from quantum.machines.names import read_name
from quantum.mitigation import check_way

KINDS = ("png", "svg", "pdf")


def collect(
    run: Run,
    journal: Journal,
    names: Sequence[str] = (),
    *,
    picture: str = "png",
    music: bool = True,
    redo: bool = False,
    wait: float | None = 0,
    simulate_for: float = MOST_SECONDS,
    mitigation: str = "",
    **options: Any,
) -> Iterator[str]:
    """Fetch what has come of the run's submissions; lines of each, and files beside the submission's.

    Args:
        run: whose submissions.
        journal: where they are written down.
        names: beginnings of those that are meant; none: all.
        picture: "png", "svg" or "pdf".
        music: whether it is written too.
        redo: what is stored already, asked for in the same words, is fetched and simulated once more.
        wait: seconds for each; None: as long as it takes.
        simulate_for: seconds that each simulator may take; 0: none is asked.
        mitigation: of readout: "mthree", or "" for none.
        options: more of `experiments.hardware_results.fetched`.

    Raises:
        InputError: nothing was submitted, or nothing of such a name, a file that is no submission, no kind of picture,
            of mitigation or of time, or see `fetched`; of several submissions at the end, when the others have been
            told.
        ServiceFailed: no answer.
    """
    suffix = _suffix(picture)
    if mitigation:
        check_way(mitigation)
    check_seconds("the time to wait (--wait)", wait)
    check_seconds("what a simulator may take (--simulate-for)", simulate_for)
    how: dict[str, Any] = {"simulate_for": simulate_for, "mitigation": mitigation}
    options |= {"wait": wait} | how
    how |= {"picture": suffix, "music": music}
    paths, missed = submissions_named(run, journal, names), 0
    who = options.get("account", ""), options.get("instance", "")
    if any(who) and not any(map(_is_at_ibm, paths)):
        yield unused(*who)
    for path in paths:
        if not redo and (line := stored(path, how)):
            yield line
            continue
        try:
            found = fetched(run, path, journal, **options)
        except (InputError, OSError) as error:
            if len(paths) == 1 or getattr(error, "errno", None) in FULL:
                raise
            missed += 1
            yield f"{path.stem}: {error}"
        else:
            yield from [found] if isinstance(found, str) else _told(found, path, how)
    if missed:
        raise InputError(f"{missed} of {len(paths)} submissions could not be fetched, as their lines say")


def _suffix(picture: str) -> str:
    kind = picture.lower().removeprefix(".")
    if kind not in KINDS:
        raise InputError(f"a picture (--picture) is of a kind: {', '.join(KINDS)}; got {shown(picture)}")
    return f".{kind}"


def _is_at_ibm(path: Path) -> bool:
    try:
        return read_name(read_note(path).wish.machine).kind == "ibm"
    except InputError:
        return False  # which is said in its turn


def _told(found: Collected, path: Path, how: dict[str, Any]) -> Iterator[str]:
    """Lines and files of a submission."""
    yield headline(found)
    yield from (f"    {line}" for line in table(found))
    lines, pieces = _music(found, path) if how["music"] else ([], [])
    yield from (f"    {line}" for line in lines)
    files = [*draw_machine(found, path.with_suffix(how["picture"])), *pieces]
    yield from map(str, [write_result(found, how, files), *files])


def _music(found: Collected, path: Path) -> tuple[list[str], list[Path]]:
    """How right the chords are that each foretells, and the files of the machine's."""
    piece, last = found.piece, found.mitigated or found.machine
    voices = {one.where: foretold(found.excerpt, one.features, piece.pitches[0]) for one in found.played}
    width = max(map(len, voices))
    lines = [f"{where:{width}}  {accuracy(heard, piece.pitches).words()}" for where, heard in voices.items()]
    rolls = {where: voices[where] for where in (found.exact.where, last.where)}
    return lines, write_music(piece, rolls, path.with_suffix(""))
