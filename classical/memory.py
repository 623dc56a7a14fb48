"""How much memory a DeepRNN takes, so that what does not fit is refused before it is made."""

from typing import TYPE_CHECKING

from encoding import N_KEYS
from encoding.memory import check_room
from encoding.threads import n_threads

if TYPE_CHECKING:
    from classical.settings import DeepRNNSettings


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
    d, layer, output = settings.depth, n_slots * (settings.n_units + 15), n_slots * (N_KEYS + 15)  # in whole vectors
    delayed, chosen = settings.rule == "delayed", settings.batch or n_slots
    # Remembered: three steps in the kernel, two that a checkpoint is written from, two that are gone on from.
    past = 7 * d * layer if delayed else 0
    weights = 8 * n_weights  # with the start, the gradient, the weights moved, and the copies of a checkpoint
    factors = chosen * ((3 * d + 1) * (settings.n_units + 15) + 2 * (N_KEYS + 15))
    passing = (2 * d + 3) * layer + 4 * output + ((2 * d + 1) * layer if delayed else 0) + factors
    looking = (2 * d + 10) * layer + 10 * output + factors  # at one replica after the other
    kept = n_replicas * (past + weights)
    stacks = 0 if not places else places * passing if kernel == "fast" else n_replicas * passing
    number = 8 if settings.precision == "float64" else 4
    return number * (kept + stacks + looking) + 8.0 * n_replicas * ahead * (settings.batch or 0)
