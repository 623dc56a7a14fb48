"""Circuits and outcomes out of a journal: what cannot be read is said of its job, and never taken for anything else."""

from collections.abc import Callable
from typing import Any

from qiskit.primitives import PrimitiveResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from quantum.journal.books import Journal
from quantum.journal.opened import damaged
from quantum.journal.packing import unpack_pubs, unpack_result


def sent(journal: Journal, intent: str) -> list[SamplerPub]:
    """The circuits of an intent.

    Raises:
        InputError: there are none, or they are damaged.
    """
    packed = journal.pubs(intent)
    return _read(journal, intent, "its circuits", lambda: unpack_pubs(packed))


def came(journal: Journal, intent: str) -> PrimitiveResult:
    """The outcomes of an intent that is done.

    Raises:
        InputError: there are none, or they are damaged.
    """
    packed, pubs = journal.result(intent), sent(journal, intent)
    return _read(journal, intent, "its outcomes", lambda: unpack_result(packed, pubs))


def _read(journal: Journal, intent: str, what: str, unpacked: Callable[[], Any]) -> Any:
    try:
        return unpacked()
    except MemoryError:
        raise
    except Exception:  # a damaged archive, or circuit, fails in many ways, and numpy advises to trust it
        raise damaged(journal.path, f"{what} cannot be read", job=intent) from None
