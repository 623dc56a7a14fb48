"""The verb that puts both systems side by side: compare."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.options import ScaleOption, StoreOption, say


def compare(
    learnability: Annotated[
        str, typer.Option(help="The study of learning times and losses, or a path to a .toml.")
    ] = "quantum-learnability",
    aging: Annotated[str, typer.Option(help="The study of aging, or a path to a .toml.")] = "quantum-aging",
    scale: ScaleOption = "laptop",
    store: StoreOption = Path("runs"),
    out: Annotated[
        Path | None, typer.Option(help="Page to write, .html; a table and music go beside it. [default: in the store]")
    ] = None,
) -> None:
    """Put classical and quantum learnability on one page, from the runs of two studies."""
    from encoding.files import expanded
    from experiments.comparison import asked_for
    from experiments.comparison_page import check_page, write_page
    from experiments.session import CONSOLE
    from experiments.store import Store

    path = expanded(out or store / f"compare-{scale}.html")
    check_page(path)
    hears = partial(CONSOLE.print, soft_wrap=True, highlight=False)
    for line in write_page(asked_for(learnability, aging, scale), Store(store), path, hears=hears):
        say(line)
