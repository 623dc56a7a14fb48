"""Monte Carlo moves of one machine, compiled: only what a changed weight changes is looked at.

A weight J_l,ij moves the fields h_l,i of all patterns by dJ S_(l-1),j; where one changes its sign, a spin turns over.
Only these patterns (a few per cent) go on: their new spins of layer l give the fields of layer l + 1, and so on, until
a layer comes out as it was or the output is reached. The spins of a layer of one pattern are a word of bits. What four
of them add to all fields of the next layer stands in a table (the "four Russians" of Arlazarov et al. 1970), so that
ten spins are three additions of sixteen fields. Wrong output spins are the bits of an exclusive or.

Patterns are followed one by one. As soon as more output spins are wrong than the patterns left could still put right,
the move is refused, and nothing was changed that would have to be put back.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from classical.perceptron.bits import CHUNK, ENTRIES, LARGEST, WORD
from classical.perceptron.words_of_spins import (
    answer_16,
    answer_32,
    answer_64,
    borrowed,
    lowest,
    n_bits,
    push,
    turned,
)

KEPT = {"boundscheck": False, "nogil": True, "error_model": "numpy", "cache": True}  # of what Python calls
OPTIONS = {**KEPT, "cache": False, "inline": "always"}  # of the rest: so no array is counted twice
PER_WORD = WORD // CHUNK  # chunks
MOST = np.int32(LARGEST)


class Sizes(NamedTuple):
    """L, N and M; M in whole words, W, C, and N', the fields in a row of the table."""

    n_layers: int
    width: int
    n_patterns: int
    padded: int
    n_words: int
    n_chunks: int
    stride: int


class Machine(NamedTuple):
    """One machine, and what its weights make of the patterns; W words hold a layer's spins, C chunks.

    Attributes:
        weights: (L, N, N).
        table: of every layer what each value of each chunk adds to its fields, (L, C, ENTRIES, N'), flat.
        fields: (L + 1, N, M'), flat; those of layer 0 are the inputs. M' is M in whole words.
        words: spins, (M, L + 1, W), flat.
        targets: the output spins wanted, (M, W).
        wrong: output spins that are not as wanted, (M,).
        sizes: all that these shapes are made of.
    """

    weights: NDArray
    table: NDArray
    fields: NDArray
    words: NDArray
    targets: NDArray
    wrong: NDArray
    sizes: Sizes


class Work(NamedTuple):
    """Room to follow the patterns that change: f counts them.

    Attributes:
        pattern: which they are, (M,).
        until: the last layer whose spins change, (M,).
        words: their new spins, (M, L + 1, W), flat.
        fields: their new fields, (M, L, N'), flat.
    """

    pattern: NDArray
    until: NDArray
    words: NDArray
    fields: NDArray


@njit(**KEPT)
def go(m, work, site, kick, allowed, keeps):
    """Make these moves, see `classical.perceptron.proposals.Proposals`."""
    weights, table, fields = borrowed(m.weights), borrowed(m.table), borrowed(m.fields)
    m = Machine(weights, table, fields, borrowed(m.words), borrowed(m.targets), borrowed(m.wrong), m.sizes)
    work = Work(borrowed(work.pattern), borrowed(work.until), borrowed(work.words), borrowed(work.fields))
    width = m.sizes.width
    for p in range(len(site)):
        layer, unit, source = site[p] // (width * width), site[p] // width % width, site[p] % width
        before = m.weights[layer, unit, source]
        after = np.int32(min(max(np.rint(keeps * before + kick[p]), -MOST), MOST))
        step = np.int32(after - before)
        n_changed = changed(m, work, layer, unit, source, step)
        if followed(m, work, layer, unit, n_changed, allowed[p]):
            m.weights[layer, unit, source] = after
            take(m, work, layer, unit, source, step, n_changed)


@njit(**OPTIONS)
def changed(m, work, layer, unit, source, step):
    """List the patterns whose spin would turn over; how many they are."""
    width, n_patterns, padded = m.sizes.width, m.sizes.n_patterns, m.sizes.padded
    place, below = ((layer + 1) * width + unit) * padded, (layer * width + source) * padded
    n_changed = 0
    for start in range(0, padded, WORD):
        bits = turned(m.fields, place + start, below + start, step)
        if start + WORD > n_patterns:
            bits &= ~np.uint64(0) >> np.uint64(padded - n_patterns)
        while bits:
            work.pattern[n_changed] = start + lowest(bits)
            n_changed += 1
            bits &= bits - np.uint64(1)
    return n_changed


@njit(**OPTIONS)
def followed(m, work, layer, unit, n_changed, allowed):
    """Whether no more than `allowed` output spins come out wrong that were right, on the whole."""
    n_layers = m.sizes.n_layers
    hope, rise = 0, 0  # what the patterns left have wrong, and may put right
    for f in range(n_changed):
        hope += m.wrong[work.pattern[f]]
    for f in range(n_changed):
        pattern = work.pattern[f]
        last = follow(m, work, layer, unit, f)
        work.until[f] = last
        hope -= m.wrong[pattern]
        if last == n_layers:
            rise += wrong_now(m, work, f, pattern) - m.wrong[pattern]
            if rise - hope > allowed:
                return False
    return rise <= allowed


@njit(**OPTIONS)
def follow(m, work, layer, unit, f):
    """New spins of a pattern, layer after layer, until one comes out as it was; the last that does not."""
    n_layers, n_words = m.sizes.n_layers, m.sizes.n_words
    n_chunks, stride = m.sizes.n_chunks, m.sizes.stride
    old, new = work.pattern[f] * (n_layers + 1) * n_words, f * (n_layers + 1) * n_words
    k = layer + 1
    for w in range(n_words):
        work.words[new + k * n_words + w] = m.words[old + k * n_words + w]
    work.words[new + k * n_words + unit // WORD] ^= np.uint64(1) << np.uint64(unit % WORD)
    while k < n_layers:
        place, row = k * n_chunks * ENTRIES * stride, (f * n_layers + k) * stride
        differ = np.uint64(0)
        for w in range(n_words):
            word = answered(m, work, place + w * WORD, new + k * n_words, n_chunks, stride, row + w * WORD)
            work.words[new + (k + 1) * n_words + w] = word
            differ |= word ^ m.words[old + (k + 1) * n_words + w]
        k += 1
        if not differ:
            return k - 1
    return k


@njit(**OPTIONS)
def answered(m, work, place, spins, n_chunks, stride, row):
    """The next word of spins of a pattern whose words below stand at `spins`."""
    if stride == 16:
        return answer_16(m.table, place, stride, work.words[spins], n_chunks, work.fields, row, 1)
    if stride == 32:
        return answer_32(m.table, place, stride, work.words[spins], n_chunks, work.fields, row, 1)
    word = answer_64(m.table, place, stride, work.words[spins], min(n_chunks, PER_WORD), work.fields, row, 1)
    while n_chunks > PER_WORD:
        n_chunks -= PER_WORD
        place += PER_WORD * ENTRIES * stride
        spins += 1
        word = answer_64(m.table, place, stride, work.words[spins], min(n_chunks, PER_WORD), work.fields, row, 0)
    return word


@njit(**OPTIONS)
def wrong_now(m, work, f, pattern):
    """Output spins of a pattern that would not be as wanted."""
    n_layers, n_words = m.sizes.n_layers, m.sizes.n_words
    count = 0
    for w in range(n_words):
        count += n_bits(work.words[(f * (n_layers + 1) + n_layers) * n_words + w] ^ m.targets[pattern, w])
    return count


@njit(**OPTIONS)
def take(m, work, layer, unit, source, step, n_changed):
    """Accept: fields, table, and the spins of the patterns that changed."""
    width, padded = m.sizes.width, m.sizes.padded
    n_chunks, stride = m.sizes.n_chunks, m.sizes.stride
    place, below = ((layer + 1) * width + unit) * padded, (layer * width + source) * padded
    for start in range(0, padded, WORD):
        push(m.fields, place + start, below + start, step)
    entry = (layer * n_chunks + source // CHUNK) * ENTRIES * stride + unit
    for value in range(ENTRIES):
        m.table[entry + value * stride] += -step if value >> (source % CHUNK) & 1 else step
    for f in range(n_changed):
        take_pattern(m, work, layer, f)


@njit(**OPTIONS)
def take_pattern(m, work, layer, f):
    """The new spins and fields of a pattern, as far as they changed."""
    n_layers, width, n_words = m.sizes.n_layers, m.sizes.width, m.sizes.n_words
    padded, stride = m.sizes.padded, m.sizes.stride
    pattern, until = work.pattern[f], work.until[f]
    old, new = pattern * (n_layers + 1) * n_words, f * (n_layers + 1) * n_words
    for w in range((layer + 1) * n_words, (until + 1) * n_words):
        m.words[old + w] = work.words[new + w]
    for k in range(layer + 1, min(until + 1, n_layers)):
        row = (f * n_layers + k) * stride
        for unit in range(width):
            m.fields[((k + 1) * width + unit) * padded + pattern] = work.fields[row + unit]
    if until == n_layers:
        m.wrong[pattern] = wrong_now(m, work, f, pattern)


def ready() -> None:
    """Compile all there is: no move of a machine of one weight."""
    fields, bits = np.zeros((2, WORD), np.int32), np.zeros((1, 1), np.uint64)
    machine = Machine(np.zeros((1, 1, 1), np.int32), np.zeros(ENTRIES * 16, np.int32), fields.ravel(),
                      np.zeros(2, np.uint64), bits, np.zeros(1, np.int64), Sizes(1, 1, 1, WORD, 1, 1, 16))  # fmt: skip
    work = Work(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(2, np.uint64), np.zeros(16, np.int32))
    go(machine, work, np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), 1.0)
