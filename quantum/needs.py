"""How much memory a quantum network takes, so that what has no room is refused before it starts."""

from encoding import N_KEYS
from encoding.threads import n_threads
from encoding.transitions import Transitions
from quantum.channel import Music
from quantum.settings import MOST_DENSE, QuantumRNNSettings
from quantum.weights import groups


def room_needed(settings: QuantumRNNSettings, music: Music, slots: Transitions, n_replicas: int, kernel: str) -> float:
    """Bytes: of one replica a thread while it passes, and of the weights of all."""
    n_weights = max(group.slice.stop for group in groups(settings).values())
    memories = 3 if settings.optimizer == "adam" else 1
    return (
        min(n_replicas, n_threads()) * _pass(settings, music, slots, kernel) + 64.0 * memories * n_replicas * n_weights
    )


def _pass(settings: QuantumRNNSettings, music: Music, slots: Transitions, kernel: str) -> float:
    block, number = settings.block, 8 if settings.precision == "float32" else 16
    u, a, rho = 4**block.n_qubits, 2 ** (block.n_qubits + block.n_history), 4**block.n_history
    n_distinct, n_slots, most = len(music.states), slots.n_slots, int(slots.batch_sizes.max())
    if settings.shots is not None or settings.rule != "adjoint":
        return number * (n_distinct * a + 2.0 * u) + 4e8  # variants are cut into parts of a few 100 MB
    if settings.trajectories is not None or settings.n_history > MOST_DENSE:
        kets = (settings.trajectories or 1) * 2**block.n_qubits
        return number * kets * (n_slots + 8.0 * most)
    if kernel == "fast":  # a place to learn and one to look, each with U, A and dL/dA, histories and errors
        return 2.0 * (number * (2 * n_distinct * a + n_slots * (rho + N_KEYS) + 2 * u) + 16 * u)
    return number * (3.0 * n_distinct * a + n_slots * rho + 8 * most * a)
