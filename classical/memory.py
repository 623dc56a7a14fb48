"""Whether there is room: refused before it is tried, for a process that asks for too much is killed without a word."""

import os
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from classical.threads import n_threads
from encoding import N_KEYS, InputError

if TYPE_CHECKING:
    from classical.settings import DeepRNNSettings

GIGABYTE = 1e9
CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")
USED = Path("/proc/self/statm")  # in pages: address space, resident, ...
REFUSED = ("can't allocate memory", "can't start new thread")  # as torch and Python say that there was none


def check_room(n_bytes: float, what: str) -> None:
    """Refuse what cannot fit into the memory of this machine, beside what this process has already.

    Raises:
        InputError: more bytes are needed than this process may still have.
    """
    addressed, resident = _used()
    there = min(_installed() - resident, _allowed_by_limit() - addressed, _allowed_by_group() - resident)
    if n_bytes > there:
        raise InputError(
            f"{what} need about {n_bytes / GIGABYTE:.3g} GB of memory; this process may have "
            f"{max(there, 0) / GIGABYTE:.3g} GB more: ask for fewer replicas, or a smaller size"
        )


def check_fits(
    settings: "DeepRNNSettings",
    n_slots: int,
    n_weights: int,
    n_replicas: int,
    *,
    kernel: str,
    device: str,
    ahead: int,
) -> None:
    """Refuse a DeepRNN that does not fit; a card has memory of its own, and says itself when it is full.

    Args:
        settings: of the network.
        n_slots: see `bytes_needed`, as for all that follow.
        n_weights: of one replica.
        n_replicas: R.
        kernel: `"fast"`, `"plain"` or `"graph"`.
        device: `"cpu"`, or a card.
        ahead: steps whose batches are drawn at once.

    Raises:
        InputError: more memory is needed than there is.
    """
    places = 0 if device != "cpu" else min(n_replicas, n_threads())
    sizes = n_slots, n_weights, n_replicas
    needed = bytes_needed(settings, *sizes, kernel=kernel, ahead=ahead, places=places)
    check_room(needed, f"{n_replicas} replica(s) of depth {settings.depth}, width {settings.width}")


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory was refused: torch has no class of its own for that on the processor."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(said in str(error) for said in REFUSED)
    )


def bytes_needed(
    settings: "DeepRNNSettings", n_slots: int, n_weights: int, n_replicas: int, *, kernel: str, ahead: int, places: int
) -> float:
    """The most that learning, looking and a checkpoint of a DeepRNN take, in bytes.

    Args:
        settings: of the network.
        n_slots: transitions that are learned, n.
        n_weights: of one replica.
        n_replicas: R.
        kernel: `"fast"`: every thread has a place to write on; `"plain"` and `"graph"`: all replicas in one stack, but
            for a graph on a card.
        ahead: steps whose batches are drawn at once.
        places: threads of the fast kernel; 0 for a graph on a card, which has memory of its own.
    """
    d, layer, output = settings.depth, n_slots * (settings.width + 15), n_slots * (N_KEYS + 15)  # in whole vectors
    delayed, chosen = settings.rule == "delayed", settings.batch or n_slots
    # Remembered: what the kernel keeps, a checkpoint's copy, its file in memory, and that as bytes for its seal.
    past = 9 * d * layer if delayed else 0
    weights = 8 * n_weights  # with the start, the gradient, the weights moved, and the copies of a checkpoint
    factors = chosen * ((3 * d + 1) * (settings.width + 15) + 2 * (N_KEYS + 15))
    passing = (2 * d + 3) * layer + 4 * output + ((2 * d + 1) * layer if delayed else 0) + factors
    looking = (2 * d + 10) * layer + 10 * output + factors  # at one replica after the other
    kept = n_replicas * (past + weights)
    stacks = 0 if not places else places * passing if kernel == "fast" else n_replicas * passing
    number = 8 if settings.precision == "float64" else 4
    return number * (kept + stacks + looking) + 8.0 * n_replicas * ahead * (settings.batch or 0)


def _used() -> tuple[float, float]:
    """What this process has: address space and resident memory; nothing where the system does not say."""
    try:
        addressed, resident, *_ = USED.read_text().split()
        page = os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0.0, 0.0
    return float(addressed) * page, float(resident) * page


def _installed() -> float:
    """What is built in; infinite where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return inf


def _allowed_by_limit() -> float:
    """What `ulimit -v` allows."""
    try:
        import resource
    except ImportError:
        return inf
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return inf if limit == resource.RLIM_INFINITY else limit


def _allowed_by_group() -> float:
    """What the control group of a container allows."""
    try:
        said = CONTROL_GROUP.read_text().strip()
    except OSError:
        return inf
    return float(said) if said.isdigit() else inf
