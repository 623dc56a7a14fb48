"""The page of a comparison: one HTML file with its pictures inside, without a script, made to be printed."""

import os
from collections.abc import Callable, Iterator
from html import escape
from importlib.metadata import version
from pathlib import Path

import numpy as np

from encoding import InputError
from encoding.files import replace_file
from encoding.score import is_our_midi
from experiments.comparison import HEADER, Comparison, Critical, compared, critical_number, write_table
from experiments.duet import Duet, duet, names_of, write_music
from experiments.figures.both_agings import Aged, panel_of
from experiments.figures.drawing import draw
from experiments.figures.learnability import panels_of
from experiments.figures.of_run import BITS
from experiments.figures.piano_roll import stack_rolls
from experiments.figures.picture import Picture, check_table, shown
from experiments.figures.save import png_of
from experiments.figures.style import new_figure
from experiments.figures.times_of_sizes import fits_of, refuted
from experiments.html import STYLE, image_of, list_of, table_of
from experiments.observables import Fit
from experiments.side_by_side import SYSTEMS, counted, named, nobody
from experiments.store import Store
from experiments.study import Study

MARK = '<meta name="generator" content="armonica compare">'
ABOUT = (
    "Machines learn the same chorales and are measured with one ruler: recurrent circuits of qubits, and recurrent "
    "networks whose matrices are orthogonal (classical) or unitary. All hear the same clocks and are read by an affine "
    "readout of as many features between -1 and 1. Where the roll is heard, a circuit hears all 54 keys by the matrix "
    "W of its readout, beside its clocks; networks hear them by W and, in place of clocks, by J_0: 54 weights a unit. "
    "What a machine is worth on the music is the rank M of "
    "dH/dx, its effective parameters; the floor is a lower bound of the loss that its readout leaves, whatever it is "
    "given to read. A readout that is frozen at random says little about music: where its floor lies above 1 bit, "
    "silence would be better, and what is compared is how near a machine comes to that floor, and how fast. Where no "
    "time is told, the sizes did not bracket the transition, or the runs were too short."
)


def check_page(path: Path) -> None:
    """See that a page, its table and its music may be written there, and lose nobody's file.

    Raises:
        InputError: another suffix, a folder, or files that are none of ours.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"a page is written as .html; got {path.name!r}")
    if path.is_dir():
        raise InputError(f"{path} is to be a page, and is a folder: give it another name (--out)")
    there = next(folder for folder in path.absolute().parents if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        what = "a folder is wanted there" if not there.is_dir() else "it cannot be written to"
        raise InputError(f"{path} cannot be made in {there}: {what}; give the page another place (--out)")
    if path.exists() and not _is_ours(path):
        raise InputError(f"{path} is no page of armonica compare, and is left as it is: give another name (--out)")
    check_table(path.with_suffix(".csv"), begins=f"{HEADER}\n", of="comparison", beside="page")
    known = path.read_text("utf-8") if path.exists() else ""
    for music in names_of(SYSTEMS, path).values():
        named_there = f'href="{escape(music.name)}"' in known
        if music.exists() and not (music.is_file() and (named_there or is_our_midi(music))):
            raise InputError(f"{music} is none of ours, and is left as it is: give the page another name (--out)")


def _is_ours(path: Path) -> bool:
    return path.is_file() and MARK.encode() in path.read_bytes()[:1000]


def write_page(
    studies: tuple[Study, Study], store: Store, path: Path, *, hears: Callable[[str], None] = nobody
) -> list[str]:
    """Make the page, its table (.csv) and the music (.mid) beside it; a line for each, and for what is missing.

    `hears` gets which machines are being measured, which takes minutes.

    Raises:
        InputError: see `check_page` and `experiments.comparison.compared`.
        OSError: the folder cannot be written.
    """
    check_page(path)
    found = compared(studies, store, hears)
    played = duet([each.match for each in found.learned] or [each.match for each in found.aged])
    path.parent.mkdir(parents=True, exist_ok=True)
    text = page_of(found, played, path)
    with replace_file(path) as file:
        file.write(text.encode())
    write_table(found.numbers, path.with_suffix(".csv"))
    if played:
        write_music(played, path)
    notes = [note for picture in found.pictures if picture for note in picture.notes]
    lacking = [note for note in notes if note.startswith(("missing", "not ended"))]
    files = [path, path.with_suffix(".csv"), *(names_of(played.systems, path).values() if played else ())]
    return [*found.notes, *lacking, *map(str, files)]


def page_of(found: Comparison, played: Duet | None, path: Path) -> str:
    """The whole page as HTML."""
    scale = found.studies[0].scale
    title = f"Classical and quantum learnability, scale {scale}"
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8">{MARK}',
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>',
        f"<style>{STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1><p>{escape(ABOUT)}</p>",
        *(f"<p>{escape(study.about)}</p>" for study in found.studies),
        *(f"<p><strong>{escape(note)}</strong></p>" for note in found.notes),
        *_learning(found),
        *_aging(found),
        *(_music(played, path) if played else ()),
        *_words(found),
        f"<footer><p>armonica {escape(version('armonica'))}; the numbers: "
        f'<a href="{escape(path.with_suffix(".csv").name)}">{escape(path.with_suffix(".csv").name)}</a></p></footer>',
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _learning(found: Comparison) -> Iterator[str]:
    picture = found.pictures[0]
    if picture is None:
        return
    yield "<h2>Learning</h2>"
    for each in found.learned:
        caption = (
            "NLL above the floor of the readout; inverse times of passing θ against the effective parameters, and the "
            "same in units of the tangent kernel; NLL at the end beside what simple machines reach"
        )
        yield f"<h3>{escape(each.match.label)}</h3>"
        yield _picture(picture.part(panels_of(each.match)), each.match.label, caption)
    yield table_of(f"Losses at the end ({BITS})", *_losses(found))
    yield table_of("Critical numbers of effective parameters: 1/τ(NLL - floor = θ) vanishes", *_critical(found))


def _losses(found: Comparison) -> tuple[list[str], list[list[str]]]:
    every = list(dict.fromkeys(name for each in found.learned for name in each.baselines))
    heads = ["music", "series", "system", "M by size", "core + readout", "constraints", "best NLL"]
    heads += ["floor of the readout", *every]
    rows = []
    for each in found.learned:
        for line in each.match.lines:
            sizes = ", ".join(f"{m.size}: {np.median(m.rank):g}" for m in line.machines)
            counts = ", ".join(counted(m) for m in line.machines)
            losses = np.concatenate([m.last for m in line.machines])
            best = f"{np.nanmin(losses):.4f}" if np.isfinite(losses).any() else "none"
            most, floor = max(m.constraints for m in line.machines), min(m.floor for m in line.machines)
            cells = [f"{each.baselines[name]:.4f}" if name in each.baselines else "" for name in every]
            whose = [each.match.music, each.match.series, line.label]
            rows.append([*whose, sizes, counts, str(most), best, f"{floor:.4f}", *cells])
    return heads, rows


def _critical(found: Comparison) -> tuple[list[str], list[list[str]]]:
    laws = ("M_c, parabola", "M_c, power law", "exponent ν")
    rows = []
    for each in found.learned:
        for line in each.match.lines:
            whose = [each.match.music, each.match.series, line.label]
            passages = each.passages[line.label]
            for passage in passages:
                fits = fits_of(passage)
                cells = [shown(fits[law]) if law in fits else "not told" for law in laws]
                rejected = "; ".join(f"{law}: {why}" for law, why in refuted(passage).items())
                n = str(int(np.isfinite(passage.inverse).any(1).sum()))
                rows.append([*whose, f"{passage.theta:g}", n, *cells, rejected])
            if not passages:
                rows.append([*whose, "", "0", *["not told"] * len(laws), ""])
    return ["music", "series", "system", "θ", "sizes that arrived", *laws, "rejected"], rows


def _aging(found: Comparison) -> Iterator[str]:
    picture = found.pictures[1]
    if picture is None:
        return
    yield "<h2>Aging</h2>"
    for label in dict.fromkeys(each.match.label for each in found.aged):
        here = [each for each in found.aged if each.match.label == label]
        yield f"<h3>{escape(label)}</h3>"
        caption = "How far a run went after each waiting time τ_w, against τ/τ_w; dashed: angles around the circle"
        yield _picture(picture.part(list(dict.fromkeys(map(panel_of, here)))), label, caption)
    yield table_of("Aging: is it a function of τ/τ_w?", *_ages(found))


def _ages(found: Comparison) -> tuple[list[str], list[list[str]]]:
    heads = ["music", "series", "machine", "M / M_c", "what", "short-time exponent", "μ"]
    heads += [f"{what} against {way}" for way in ("τ", "τ/τ_w") for what in ("score (of one function)", "p")]
    return heads, [_age(each, critical_number(each, found.learned)) for each in found.aged]


def _age(aged: Aged, critical: Critical | None) -> list[str]:
    ratio = "M_c not told" if critical is None else f"{shown(critical.ratio(aged))} at θ = {critical.theta:g}"
    cells = [aged.match.music, aged.match.series, named(aged.line, aged.machine), ratio]
    cells += [f"{aged.quantity}, {aged.way}", _whole(aged.alpha), _whole(aged.collapse.mu if aged.collapse else None)]
    for scaling in (aged.collapse.lag, aged.collapse.ratio) if aged.collapse else ():
        told = np.isfinite(scaling.p_value)
        cells.append(f"{scaling.score:.3g} ({scaling.null.low:.2g} .. {scaling.null.high:.2g})" if told else "not told")
        cells.append(f"{scaling.p_value:.2g}" if told else "not told")
    return cells + ["not told"] * (11 - len(cells))


def _whole(fit: Fit | None) -> str:
    """An estimate with its interval, or that there is none."""
    return shown(fit) if fit is not None and np.isfinite(fit).all() else "not told"


def _music(played: Duet, path: Path) -> Iterator[str]:
    chorale, files = played.parts[0].played.chorale, names_of(played.systems, path)
    figure = new_figure(9, 2.6 * (1 + len(played.parts)))
    rolls = [(f"{chorale.name}, as written", chorale.pitches)]
    rolls += [(f"{named(part.line, part.machine)}", part.played.pitches) for part in played.parts]
    stack_rolls(figure, rolls, seed_steps=played.opening)
    yield "<h2>Music</h2>"
    said = [f"{named(part.line, part.machine)}, {part.match.series}: NLL {part.loss:.4f}" for part in played.parts]
    caption = f"After {played.opening} chords each plays by itself. The best run of each: {'; '.join(said)}"
    yield image_of(png_of(figure), f"Piano rolls of {chorale.name} and of what was played", caption)
    lines = [line for part in played.parts for line in (f"{part.line.label}, {each}" for each in part.played.lines)]
    yield from list_of(lines)
    links = [f'<a href="{escape(file.name)}">{escape(file.name)}</a>' for file in files.values()]
    yield f"<p>To be heard, beside this page: {', '.join(links)}</p>"


def _words(found: Comparison) -> Iterator[str]:
    for study, picture in zip(found.studies, found.pictures, strict=True):
        if picture:
            yield f"<h2>What else is to be said: {escape(study.name)}</h2>"
            yield from list_of(picture.lines())


def _picture(picture: Picture, about: str, caption: str) -> str:
    return image_of(png_of(draw(picture)), about, caption)
