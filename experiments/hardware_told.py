"""What came of a submission, told: a headline, a table, and all numbers as a file."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from encoding.files import replace_file
from experiments.hardware_results import Collected, Played
from experiments.submission import RESULT


def table(collected: Collected) -> Iterator[str]:
    """A line for each: shots, NLL with its error, distance to exact in errors, the largest deviation of a feature."""
    exact, *others = collected.played
    width = max(len(one.where) for one in collected.played)
    yield f"{'':{width}}    shots  NLL (bits per unit and step)  from exact   largest deviation of a feature"
    yield f"{exact.where:{width}}        -  {exact.found.value:.5f}"
    for one in others:
        off = abs(one.features - exact.features).max(1)
        value, error = one.found.value, one.found.error
        bar = "+- not known" if error is None else f"+- {error:.2g}"
        far = "?" if not error else f"{(value - exact.found.value) / error:+.1f} errors"
        nll = f"{value:.5f} {bar}"
        yield (
            f"{one.where:{width}} {one.shots:8d}  {nll:28}  {far:>11}  {off.max():.3f}, "
            f"foretelling chord {int(off.argmax()) + 2}"
        )
    yield from collected.left_out


def headline(collected: Collected) -> str:
    """The NLL of the machine, in a line."""
    exact, machine = collected.exact, collected.machine
    bar = " +- not known" if machine.found.error is None else f" +- {machine.found.error:.2g}"
    return (
        f"{collected.name}: NLL {machine.found.value:.5f}{bar}, with exact averages {exact.found.value:.5f} "
        "(bits per unit and step)"
    )


def write_result(collected: Collected, how: Mapping[str, Any], files: Sequence[Path]) -> Path:
    """The numbers of a submission, beside its file, when all that belongs to them is written.

    Args:
        collected: what came.
        how: it was asked for.
        files: that were written, beside the submission's.
    """
    exact, machine = collected.exact, collected.machine
    told: dict[str, Any] = {"nll": machine.found.value, "error": machine.found.error, "exact": exact.found.value}
    told |= {"features": machine.features.tolist(), "exact_features": exact.features.tolist()}
    told |= {"jobs": collected.jobs, "left_out": collected.left_out}
    told["played"] = [_told(one) for one in collected.played]
    told |= {"said": headline(collected), "how": dict(how), "of": _digest(collected.path)}
    told["files"] = [file.name for file in files]
    path = collected.path.with_suffix(RESULT)
    with replace_file(path) as file:
        file.write((json.dumps(told) + "\n").encode())
    return path


def stored(path: Path, how: Mapping[str, Any]) -> str | None:
    """What is said of a submission whose results lie beside it; None: they do not, or not of it, or not so, or not all.

    Args:
        path: of the submission's file.
        how: they are asked for now.
    """
    result = path.with_suffix(RESULT)
    try:
        told = json.loads(result.read_text(encoding="utf-8"))
        same = told["how"] == how and told["of"] == _digest(path)
        there = all((path.parent / name).is_file() for name in told["files"])
        return f"{told['said']}; stored already: {result} (--redo makes it anew)" if same and there else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _digest(path: Path) -> str:
    """Of what was asked, as it lies there."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _told(one: Played) -> dict[str, Any]:
    errors = one.found.chord_errors
    return {
        "where": one.where,
        "shots": one.shots,
        "nll": one.found.value,
        "error": one.found.error,
        "chords": one.found.chords.tolist(),
        "chord_errors": None if errors is None else errors.tolist(),
        "features": one.features.tolist(),
    }
