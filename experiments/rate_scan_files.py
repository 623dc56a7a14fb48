"""What a scan of rates leaves behind: a picture and its numbers; nobody else's file is touched for them."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from encoding import InputError
from encoding.files import replace_file
from experiments.figures.save import save_figure
from experiments.figures.stability import stability
from experiments.figures.style import new_figure
from experiments.observables.stability import Stability, largest_stable_rate
from experiments.rate_scan import RateScan

BEGINNINGS = {".png": (b"\x89PNG",), ".svg": (b"<?xml", b"<svg"), ".pdf": (b"%PDF",)}
OURS = {"reference", "tolerance", "largest_stable_rate", "rates"}  # words of a scan's JSON


def check_target(picture: Path) -> None:
    """See, before anything is learned, that the picture and the JSON beside it can be written and lose nobody's file.

    Raises:
        InputError: no kind of picture, a folder, a picture or JSON file that no scan left, or a place that cannot be
            written.
    """
    if picture.suffix.lower() not in BEGINNINGS:
        raise InputError(f"a figure is written as .png, .svg or .pdf; got {picture.name!r}")
    numbers = picture.with_suffix(".json")
    if picture.is_dir() or numbers.is_dir():
        raise InputError(f"{picture} and {numbers} are to be files; one of them is a folder")
    if numbers.exists() and not _is_scan(numbers):
        raise InputError(f"{numbers} is no scan of rates, and is left as it is: give the picture another name (--out)")
    drawn = picture.exists() and picture.read_bytes().lstrip().startswith(BEGINNINGS[picture.suffix.lower()])
    if picture.exists() and not (drawn and numbers.exists()):
        raise InputError(f"{picture} is no picture of a scan, and is left as it is: give another name (--out)")
    picture.parent.mkdir(parents=True, exist_ok=True)
    try:
        tempfile.TemporaryFile(dir=picture.parent).close()
    except OSError as error:
        raise InputError(f"{picture.parent} cannot be written ({error.strerror}): give another place (--out)") from None


def _is_scan(path: Path) -> bool:
    """Whether a JSON file holds what `write_scan` writes."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        return False
    return isinstance(content, dict) and set(content) >= OURS


def write_scan(scan: RateScan, compared: list[Stability], picture: Path) -> None:
    """The picture, and the numbers beside it as JSON."""
    figure = new_figure()
    reference = min(scan.rates)
    stability(figure.add_subplot(), compared, reference=reference, tolerance=scan.tolerance)
    save_figure(figure, picture)
    content = {
        "system": scan.system,
        "settings": dict(scan.settings),
        "reference": reference,
        "since": scan.since,
        "until": scan.until,
        "tolerance": scan.tolerance,
        "n_replicas": scan.n_replicas,
        "largest_stable_rate": largest_stable_rate(compared),
        "rates": [{name: _plain(value) for name, value in each._asdict().items()} for each in compared],
    }
    with replace_file(picture.with_suffix(".json")) as file:
        file.write((json.dumps(content, indent=1) + "\n").encode())


def _plain(value: Any) -> Any:
    """Arrays as lists, what is not finite as null."""
    if isinstance(value, np.ndarray):
        return [_plain(entry) for entry in value.tolist()]
    return None if isinstance(value, float) and not np.isfinite(value) else value
