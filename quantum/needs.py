"""How much memory a quantum network takes, so that what has no room is refused before it starts."""

from encoding import N_KEYS
from encoding.memory import check_room
from encoding.threads import n_threads
from encoding.transitions import Transitions
from quantum.block import Block
from quantum.channel import Music
from quantum.settings import MOST_HISTORY_DENSE, QuantumRNNSettings
from quantum.weights import groups

DRAWN_AT_ONCE = 64  # steps whose batches are drawn before the compiled ones are made: memory, not numbers
LANES = 16  # of `quantum.kernels.vectors`: numbers side by side in the compiled code
WIDE = 64  # outputs in whole vectors


def check_fits(settings: QuantumRNNSettings, music: Music, slots: Transitions, n_replicas: int, kernel: str) -> None:
    """Refuse a network that does not fit.

    Raises:
        InputError: more memory is needed than there is.
    """
    check_room(
        bytes_needed(settings, music, slots, n_replicas, kernel),
        f"{n_replicas} replica(s) of {settings.n_history} history qubits",
        "ask for fewer replicas, history qubits or chorales, a smaller batch, or ARMONICA_THREADS=1",
    )


def bytes_needed(settings: QuantumRNNSettings, music: Music, slots: Transitions, n_replicas: int, kernel: str) -> float:
    """Of one replica a thread while it passes, of the weights of all, and of the batches that are drawn at once.

    Args:
        settings: of the network.
        music: the kets of its chords.
        slots: the transitions.
        n_replicas: R.
        kernel: "fast" or "plain", of exact simulation.
    """
    n_weights = max(group.slice.stop for group in groups(settings).values())
    memories = 3 if settings.optimizer == "adam" else 1
    ahead = DRAWN_AT_ONCE if kernel == "fast" and settings.optimizer == "sgd" else 1
    batches = 8.0 * n_replicas * ahead * (settings.batch or 0) + 8.0 * slots.n_slots
    kept = 64.0 * memories * n_replicas * n_weights
    return min(n_replicas, n_threads()) * _pass(settings, music, slots, kernel) + kept + batches


def matrix_bytes(block: Block, n: int = 1, number: int = 16) -> float:
    """Of `n` unitaries of a block while they are made, gate after gate: a state, its product, and what is turned.

    Args:
        block: whose ladder they are of.
        n: how many.
        number: bytes of a complex number.
    """
    return number * n * 4.0 * 4**block.n_qubits + _layers_bytes(block, n, number)


def channel_bytes(block: Block, music: Music, number: int = 16) -> float:
    """Of a pass of `quantum.channel` over music, and of the way back; one replica.

    Args:
        block: of the network.
        music: what is played to it.
        number: bytes of a complex number.
    """
    a, n_slots, most = 2.0 ** (block.n_qubits + block.n_history), len(music.chord), music.offsets[1]
    kept = n_slots * 4.0**block.n_history if block.schedule != "measured" else 0.0
    return number * (3 * len(music.states) * a + kept + 8 * most * a) + matrix_bytes(block)


def _layers_bytes(block: Block, n: int, number: int) -> float:
    """Of the gates of all layers, which are made before the first acts: phases, and what torch takes for tensors."""
    return block.ladder.n_layers * (2.0 * number * n * 2**block.n_qubits + 8e3)


def _pass(settings: QuantumRNNSettings, music: Music, slots: Transitions, kernel: str) -> float:
    block, number = settings.block, 8 if settings.precision == "float32" else 16
    if settings.shots is not None:
        return matrix_bytes(block, number=8) + 4e8  # variants are cut into parts of a few 100 MB
    if settings.rule != "adjoint":
        return channel_bytes(block, music) + 4e8
    if settings.trajectories is not None or settings.n_history > MOST_HISTORY_DENSE:
        kets = (settings.trajectories or 1) * 2**block.n_qubits
        return number * kets * (slots.n_slots + 10.0 * int(slots.batch_sizes.max())) + _layers_bytes(block, 1, number)
    if kernel == "fast":  # a place to learn and one to look
        return 2 * _place(settings, music, slots)
    return channel_bytes(block, music, number)


def _place(settings: QuantumRNNSettings, music: Music, slots: Transitions) -> float:
    """Of a `quantum.kernels.replica.Replica`: U and its slope, A and dL/dA, histories, errors, and gates in double."""
    block, number = settings.block, 8 if settings.precision == "float32" else 16
    u, a, rho, size = 4**block.n_qubits, 2 ** (block.n_qubits + block.n_history), 4**block.n_history, 2**block.n_qubits
    turned = 3 * u if music.states.imag.any() else u  # times i, and room for the imaginary part
    of_slots = slots.n_slots * (rho + (2 * settings.n_features + WIDE) / 2)
    of_readout = WIDE * (settings.n_features + N_KEYS + 1)
    turns = (block.ladder.n_layers + 1) * (4 + 3 * LANES) * block.n_qubits
    gates = 8 * (block.ladder.n_layers * size * (2 + LANES) + turns) + 16 * u
    return number * (turned + 2.0 * (len(music.states) + 1) * a + of_slots + of_readout) + gates
