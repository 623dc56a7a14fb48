"""Figures as files, with the same bytes for the same figure: no dates, no random identifiers."""

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from encoding.errors import InputError
from encoding.files import replace_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 150
_DATELESS: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


BEGINNINGS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def check_picture(path: Path) -> None:
    """See that a picture may be written at `path`, and loses nobody's file there.

    Raises:
        InputError: no kind of picture, a folder, or a file that is no such picture.
    """
    begins = BEGINNINGS.get(path.suffix.lower())
    if begins is None:
        raise InputError(f"a figure is written as .png, .svg or .pdf; got {path.name!r}")
    if path.is_dir():
        raise InputError(f"{path} is to be a picture, and is a folder: give it another name (--out)")
    if path.exists() and not path.read_bytes()[:8].startswith(begins):
        raise InputError(f"{path} is no picture, and is left as it is: give the picture another name (--out)")


def save_figure(figure: "Figure", path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG (150 dots per inch), SVG or PDF, by the suffix of `path`.

    Raises:
        InputError: another suffix.
        OSError: the file cannot be written.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in _DATELESS:
        raise InputError(f"a figure is written as .png, .svg or .pdf; got {Path(path).name!r}")
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "armonica"}), replace_file(path) as file:
        figure.savefig(file, format=suffix, dpi=DOTS_PER_INCH, metadata=_DATELESS[suffix])


def png_of(figure: "Figure") -> bytes:
    """The figure as a PNG file's content."""
    content = BytesIO()
    figure.savefig(content, format="png", dpi=DOTS_PER_INCH, metadata=_DATELESS["png"])
    return content.getvalue()
