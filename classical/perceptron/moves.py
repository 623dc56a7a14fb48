"""What makes the moves of deep perceptrons: compiled, or plain numpy; both make the same machines bit for bit."""

import logging
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classical.perceptron.bits import CHUNK, ENTRIES, WORD
from classical.perceptron.compiled import compiled
from classical.perceptron.machine_settings import DeepPerceptronSettings
from classical.perceptron.patterns import N_TEST, Patterns, Weights, all_spins, fields
from classical.perceptron.plain_moves import PlainMoves
from classical.perceptron.proposals import Proposals
from encoding import InputError
from encoding.errors import shown
from encoding.kept import obstacle_to_compiling

log = logging.getLogger("armonica")

STEPS = "bits", "words_of_spins", "move_steps"
LANES = (16, 32)  # fields in a row of the table; beyond, whole words


class Moves(Protocol):
    """Moves of one machine at a time."""

    name: str

    def begin(self, weights: Weights) -> Any:
        """What is remembered of a machine beside its weights (L, N, N)."""
        ...

    def wrong(self, weights: Weights, memory: Any) -> int:
        """How many output spins are wrong."""
        ...

    def go(self, weights: Weights, memory: Any, given: Proposals, place: int = 0) -> None:
        """Make moves: weights and memory change in place. No two machines have the same place at the same time."""
        ...


class FastMoves:
    """Compiled moves; a machine's memory is `classical.perceptron.move_steps.Machine`."""

    name = "fast"

    def __init__(self, patterns: Patterns) -> None:
        """Moves of machines that learn these patterns."""
        self._patterns, self._steps = patterns, compiled(*STEPS, advice="the kernel plain needs none")
        self._targets = packed(patterns.outputs)
        self._works: list[Any] = []

    def begin(self, weights: Weights) -> Any:
        """Lay a machine out: the weights themselves, and all that follows from them."""
        spins = all_spins(weights, self._patterns.inputs)
        wrong = (spins[:, -1] != self._patterns.outputs).sum(1)
        laid_out = _fields(weights, spins)
        n_layers, width, padded = len(weights), *laid_out.shape[1:]
        sizes = self._steps.Sizes(
            n_layers, width, len(wrong), padded, self._targets.shape[1], -(-width // CHUNK), lanes(width)
        )
        flat = (_table(weights).ravel(), laid_out.ravel(), packed(spins).ravel())
        return self._steps.Machine(weights, *flat, self._targets, wrong, sizes)

    def wrong(self, weights: Weights, memory: Any) -> int:
        """How many output spins are wrong."""
        return int(memory.wrong.sum())

    def go(self, weights: Weights, memory: Any, given: Proposals, place: int = 0) -> None:
        """Make moves: weights and memory change in place."""
        while len(self._works) <= place:
            self._works.append(self._room(memory))
        self._steps.go(memory, self._works[place], given.site, given.kick, given.allowed, given.keeps)

    def _room(self, memory: Any) -> Any:
        """Where one thread follows patterns."""
        n_patterns, n_layers, width = len(memory.targets), len(memory.weights), memory.weights.shape[1]
        whole, new = np.zeros((2, n_patterns), np.int64), np.zeros(n_patterns * n_layers * lanes(width), np.int32)
        return self._steps.Work(*whole, np.zeros_like(memory.words), new)


def moves_named(name: str | None, patterns: Patterns) -> Moves:
    """Moves by the kernel `fast` or `plain`; None: fast where it can run, plain where it cannot, which is then said.

    Raises:
        InputError: another name, or one that cannot run here.
    """
    if name not in (None, "fast", "plain"):
        raise InputError(f"the deep perceptron has the kernels fast and plain; got {shown(name)}")
    obstacle = None if name == "plain" else obstacle_to_compiling()
    if name == "fast" and obstacle:
        raise InputError(f"kernel fast was asked for, but {obstacle}: ask for plain")
    if obstacle:
        log.warning("kernel plain: %s", obstacle)
    return PlainMoves(patterns) if name == "plain" or obstacle else FastMoves(patterns)


def bytes_of(settings: DeepPerceptronSettings, n_replicas: int, n_places: int) -> float:
    """Memory that so many machines need, laid out, on so many threads, and to be measured one after the other."""
    layers, width, n_patterns = settings.depth, settings.width, settings.n_patterns
    chunks, n_words, row = -(-width // CHUNK), -(-width // WORD), lanes(width)
    spins = (layers + 1) * n_patterns
    machine = 4 * settings.n_weights + 4 * layers * chunks * ENTRIES * row + spins * (4 * width + 8 * n_words)
    work = 8 * spins * n_words + 4 * n_patterns * layers * row
    laying_out = 9 * spins * width + 8 * layers * row * chunks * ENTRIES
    looking = 18 * (layers + 1) * max(n_patterns, N_TEST) * width  # spins of one replica and the teacher, as numbers
    return n_replicas * machine + n_places * work + max(laying_out, looking) + 40.0 * n_patterns * width


def lanes(width: int) -> int:
    """Fields in a row of the table."""
    return next((row for row in LANES if width <= row), -(-width // WORD) * WORD)


def packed(spins: NDArray[np.int8]) -> NDArray[np.uint64]:
    """The last axis as words of bits, 1 where a spin is -1.

    >>> packed(np.array([1, -1, -1])).tolist()
    [6]
    """
    width = spins.shape[-1]
    bits = np.zeros((*spins.shape[:-1], -(-width // WORD) * WORD), np.uint8)
    bits[..., :width] = spins < 0
    return np.packbits(bits, axis=-1, bitorder="little").view("<u8")


def _fields(weights: Weights, spins: NDArray[np.int8]) -> NDArray[np.int32]:
    """Fields of all layers, (L + 1, N, M'); those of layer 0 are the inputs."""
    n_patterns, n_layers, width = spins.shape
    laid_out = np.zeros((n_layers, width, -(-n_patterns // WORD) * WORD), np.int32)
    laid_out[0, :, :n_patterns] = spins[:, 0].T
    for layer, bonds in enumerate(weights):
        laid_out[layer + 1, :, :n_patterns] = fields(bonds, spins[:, layer]).T
    return laid_out


def _table(weights: Weights) -> NDArray[np.int32]:
    """What each value of each four spins adds to the fields of the next layer, (L, C, 16, N')."""
    n_layers, width, _ = weights.shape
    chunks = -(-width // CHUNK)
    bonds = np.zeros((n_layers, chunks * CHUNK, lanes(width)), np.int32)
    bonds[:, :width, :width] = weights.transpose(0, 2, 1)
    values = np.arange(ENTRIES)[:, None] >> np.arange(CHUNK) & 1
    signs = (1 - 2 * values).astype(np.int32)  # (16, 4)
    return signs @ bonds.reshape(n_layers, chunks, CHUNK, -1)
