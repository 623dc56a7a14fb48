"""What both benchmarks share: turns, tables, and what is said on the command line."""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def seconds(
    candidates: Mapping[str, Callable[[], object]],
    turns: int,
    of_turns: Callable[[list[float]], float] = statistics.median,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median time of each candidate, or what `of_turns` says, taking turns; the first turn warms up, uncounted."""
    seen: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(turns + 1):
        for name, candidate in candidates.items():
            started = clock()
            candidate()
            if turn:
                seen[name].append(clock() - started)
    return {name: of_turns(times) for name, times in seen.items()}


def table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    """A table as Markdown has it."""
    print(f"\n**{title}**\n\n| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for row in rows:
        print(
            "| " + " | ".join(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row) + " |",
            flush=True,
        )


def asked(description: str | None, tables: tuple[str, ...], turns: int) -> argparse.Namespace:
    """Turns, and which tables."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--turns", type=_turns, default=turns, help="counted turns of each measurement, at least 1")
    named = f"which tables, with commas: {', '.join(tables)}"
    parser.add_argument("--only", type=lambda said: _tables(said, tables), default=tables, help=named)
    return parser.parse_args()


def _turns(said: str) -> int:
    if not (said.isascii() and said.isdecimal()) or int(said) < 1:
        raise argparse.ArgumentTypeError(f"turns are a whole number of at least 1; got {said!r}")
    return int(said)


def _tables(said: str, tables: tuple[str, ...]) -> list[str]:
    unknown = [name for name in said.split(",") if name not in tables]
    if unknown:
        raise argparse.ArgumentTypeError(f"tables are {', '.join(tables)}; got {', '.join(unknown) or 'none'}")
    return said.split(",")
