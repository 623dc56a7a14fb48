"""A network that cannot hear two notes apart cannot learn what depends on them: said before it learns."""

import logging
from collections.abc import Sequence

from encoding.audit import Alias, aliases, frequencies, spelled
from encoding.qubits import Encoding
from encoding.transitions import Piece

log = logging.getLogger("armonica")
MOST_NAMED = 6
_said: set[tuple[str, tuple[Alias, ...]]] = set()  # once is enough: networks are made again of the same music


def warn_of_aliases(encoding: Encoding, chorales: Sequence[Piece]) -> None:
    """Log the pairs of notes of these chorales that look alike without being declared the same, with their fidelity."""
    notes, _ = frequencies(chorales)
    found = tuple(alias for alias in aliases(encoding, notes.tolist()) if not alias.declared)
    if found and (encoding.name, found) not in _said:
        _said.add((encoding.name, found))
        named = ", ".join(_told(alias) for alias in found[:MOST_NAMED])
        rest = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        log.warning(
            "encoding %s: %d pair(s) of notes look alike though they are not declared the same: %s%s; "
            "`armonica audit %s` has the table",
            encoding.name,
            len(found),
            named,
            rest,
            encoding.name,
        )


def _told(alias: Alias) -> str:
    return f"{spelled(alias.first)} and {spelled(alias.second)} (fidelity {alias.fidelity:.3f})"
