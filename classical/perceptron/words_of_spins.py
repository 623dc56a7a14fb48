"""What whole words of spins ask of the processor: 64 patterns, or all spins of a layer, in a few instructions.

A bit is 1 where a spin is -1. Written as LLVM IR, for no compiler turns loops over bits into these: on AVX-512 the
signs of sixteen fields become sixteen bits in one instruction.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from classical.perceptron.bits import CHUNK, ENTRIES, WORD

INT, LONG = ir.IntType(32), ir.IntType(64)


class _Vectors:
    """Vectors of 32-bit fields in IR."""

    def __init__(self, builder, lanes: int) -> None:
        self.b, self.lanes = builder, lanes
        self.vec = ir.VectorType(INT, lanes)
        self.zero = ir.Constant(self.vec, [0] * lanes)

    def at(self, pointer, place):
        return self.b.bitcast(self.b.gep(pointer, [place]), self.vec.as_pointer())

    def load(self, where):
        value = self.b.load(where)
        value.align = 4
        return value

    def store(self, value, where) -> None:
        self.b.store(value, where).align = 4

    def splat(self, value):
        nothing = ir.Constant(self.vec, ir.Undefined)
        zeros = ir.Constant(ir.VectorType(INT, self.lanes), [0] * self.lanes)
        return self.b.shuffle_vector(self.b.insert_element(nothing, value, INT(0)), nothing, zeros)

    def signs(self, value):
        """A bit for each field, 1 where it is below 0, as a word."""
        bits = self.b.bitcast(self.b.icmp_signed("<", value, self.zero), ir.IntType(self.lanes))
        return self.b.zext(bits, LONG) if self.lanes < WORD else bits


def _data(context, builder, kind, array):
    return context.make_array(kind)(context, builder, array).data


def _pushed(context, builder, signature, arguments):
    """64 fields, where they stand, and what they are with `kick` times the spins below added."""
    fields, place, below, kick = arguments
    v, data = _Vectors(builder, WORD), _data(context, builder, signature.args[0], fields)
    where = v.at(data, place)
    before, under, step = v.load(where), v.load(v.at(data, below)), v.splat(kick)
    down = builder.icmp_signed("<", under, v.zero)
    return v, where, before, builder.select(down, builder.sub(before, step), builder.add(before, step))


@intrinsic
def turned(context, fields, place, below, kick):
    """Which of 64 patterns would turn their spin over: fields from `place` on, the fields of the unit below at `below`.

    The weight between them changes by `kick`.
    """

    def build(context, builder, signature, arguments):
        v, _, before, after = _pushed(context, builder, signature, arguments)
        return v.signs(builder.xor(before, after))

    return types.uint64(fields, types.intp, types.intp, types.int32), build


@intrinsic
def push(context, fields, place, below, kick):
    """Change the weight: the same fields of 64 patterns, moved."""

    def build(context, builder, signature, arguments):
        v, where, _, after = _pushed(context, builder, signature, arguments)
        v.store(after, where)
        return context.get_dummy_value()

    return types.void(fields, types.intp, types.intp, types.int32), build


def _answering(lanes: int) -> Callable:
    """The intrinsic that answers a word of spins with so many fields of the next layer."""

    @intrinsic
    def answer(context, table, place, stride, word, n_chunks, row, row_place, first):
        """Look up what each chunk of `word` adds to the fields of one pattern; their signs, as a word.

        A table has ENTRIES rows for each chunk, `stride` numbers each, from `place` on. The fields are left in `row`
        from `row_place` on; where `first` is 0, they are added to what is there.
        """

        def build(context, builder, signature, arguments):
            table, place, stride, word, n_chunks, row, row_place, first = arguments
            v = _Vectors(builder, lanes)
            data, rows = (_data(context, builder, signature.args[k], array) for k, array in ((0, table), (5, row)))
            where = v.at(rows, row_place)
            begin = _unless(builder, v, builder.icmp_signed("!=", first, LONG(0)), lambda: v.load(where))
            after = _looked_up(builder, v, begin, data, place, stride, word, n_chunks)
            v.store(after, where)
            return v.signs(after)

        whole = types.intp
        return types.uint64(table, whole, whole, types.uint64, whole, row, whole, whole), build

    return answer


def _unless(b, v: _Vectors, said, make):
    """Zeros where `said`, else what `make` gives."""
    start, other, after = b.block, b.append_basic_block("there"), b.append_basic_block("begin")
    b.cbranch(said, after, other)
    b.position_at_end(other)
    value = make()
    b.branch(after)
    b.position_at_end(after)
    chosen = b.phi(v.vec)
    chosen.add_incoming(v.zero, start)
    chosen.add_incoming(value, other)
    return chosen


def _looked_up(b, v: _Vectors, begin, data, place, stride, word, n_chunks):
    """`begin` and a row of the table for each chunk of the word, at least one."""
    entry, loop, end = b.block, b.append_basic_block("chunk"), b.append_basic_block("end")
    b.branch(loop)
    b.position_at_end(loop)
    count, rest, here, fields = b.phi(LONG), b.phi(LONG), b.phi(LONG), b.phi(v.vec)
    row = b.mul(b.and_(rest, LONG(ENTRIES - 1)), stride)
    after = b.add(fields, v.load(v.at(data, b.add(here, row))))
    following = b.add(count, LONG(1))
    turns = (
        (count, LONG(0), following),
        (rest, word, b.lshr(rest, LONG(CHUNK))),
        (here, place, b.add(here, b.mul(stride, LONG(ENTRIES)))),
        (fields, begin, after),
    )
    for phi, first, then in turns:
        phi.add_incoming(first, entry)
        phi.add_incoming(then, loop)
    b.cbranch(b.icmp_signed("<", following, n_chunks), loop, end)
    b.position_at_end(end)
    return after


answer_16, answer_32, answer_64 = (_answering(lanes) for lanes in (16, 32, 64))


@intrinsic
def lowest(context, word):
    """The place of the lowest bit that is 1."""
    return types.intp(types.uint64), lambda context, builder, signature, arguments: builder.cttz(
        arguments[0], ir.Constant(ir.IntType(1), 1)
    )


@intrinsic
def n_bits(context, word):
    """How many bits are 1."""
    return types.intp(types.uint64), lambda context, builder, signature, arguments: builder.ctpop(arguments[0])


@intrinsic
def borrowed(context, array):
    """The array as one that nobody counts references to: counting them takes as long as all else."""

    def build(context, builder, signature, arguments):
        same = context.make_array(signature.args[0])(context, builder, arguments[0])
        same.meminfo, same.parent = (value.type(None) for value in (same.meminfo, same.parent))
        return same._getvalue()

    return array(array), build
