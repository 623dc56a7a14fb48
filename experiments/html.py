"""Pieces of a page of HTML that needs nothing but itself: its style, pictures inside, tables, lists."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import escape

STYLE = """
body { font: 16px/1.45 sans-serif; color: #222; max-width: 70em; margin: 2em auto; padding: 0 1em }
h1, h2, h3 { line-height: 1.2 }
img { max-width: 100%; height: auto }
figure { margin: 1em 0; break-inside: avoid }
figcaption, .notes { color: #555; font-size: 0.85em }
table { border-collapse: collapse; font-size: 0.8em; margin: 1em 0 }
caption { text-align: left; font-weight: bold; padding: 0.3em 0 }
th, td { border-bottom: 1px solid #ccc; padding: 0.25em 0.6em; text-align: left; vertical-align: top }
thead { display: table-header-group }
tr { break-inside: avoid }
.wide { overflow-x: auto }
@media print {
  body { max-width: none; margin: 0; font-size: 11px }
  h2 { break-before: page }
  .wide { overflow: visible }
}
"""


def list_of(lines: Iterable[str]) -> Iterator[str]:
    """A list in small print; nothing where there are no lines."""
    items = [f"<li>{escape(line)}</li>" for line in lines]
    if items:
        yield f'<ul class="notes">{"".join(items)}</ul>'


def image_of(png: bytes, about: str, caption: str) -> str:
    """A picture that is part of the page; `about` is said to who cannot see it."""
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    said = f"<figcaption>{escape(caption)}.</figcaption>"
    return f'<figure><img src="{source}" alt="{escape(about)}">{said}</figure>'


def table_of(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, as wide as it likes."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{table}</div>'
