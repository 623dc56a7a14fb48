"""Reading a pickle of lists and numbers, and nothing else.

A pickle is a program: what it asks for by name is imported and called as it is read. Here every name is refused, but
for those by which numpy writes single whole numbers, and in their place stand constructors of our own.
"""

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from encoding.errors import InputError


def read_pickle(content: bytes, path: Path) -> Any:
    """What a pickle holds: dictionaries, lists, tuples, texts and numbers.

    Raises:
        InputError: the pickle is broken, or asks for anything else; nothing that it asks for is run.
    """
    try:
        return _ListsAndNumbers(io.BytesIO(content), encoding="latin1").load()  # latin1: pickles written by Python 2
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except Exception as error:  # a broken pickle fails in many ways
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: expected a pickle; it cannot be read ({reason}); is the file complete?") from error


class _NumberType:
    """A numpy type of whole numbers: its code, such as i8, and the order of its bytes."""

    def __init__(self, code: str, *_: object) -> None:
        self.code = code
        self.order = "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]


def _number(kind: _NumberType, content: bytes | str) -> int:
    if kind.code not in {f"{sign}{size}" for sign in "iu" for size in (1, 2, 4, 8)}:
        raise InputError(f"the pickle holds numpy numbers of type {kind.code!r}; only whole numbers are read")
    raw = content.encode("latin1") if isinstance(content, str) else content
    return int.from_bytes(raw, "big" if kind.order == ">" else "little", signed=kind.code[0] == "i")


def _bytes(text: str, _: str) -> bytes:
    """Bytes, as Python 3 writes them for Python 2."""
    return text.encode("latin1")


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): _NumberType,
    ("numpy.core.multiarray", "scalar"): _number,
    ("numpy._core.multiarray", "scalar"): _number,
    ("_codecs", "encode"): _bytes,
}


class _ListsAndNumbers(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """The stand-in for a name; most names have none and are refused."""
        if (module, name) not in _STAND_INS:
            raise InputError(f"the pickle asks for {module}.{name}; only lists and numbers are read")
        return _STAND_INS[module, name]
