"""The product that everything rests on: c = f(c + a @ b + a' @ b'), with tanh or its slope applied on the way out.

A block of rows x vectors of c stays in registers while k runs, through one product and then the other; a is splatted, b is loaded, each output is one chain of
fused multiply-adds over k. So the result is bit for bit the same for every shape of block, and adding a sum in several
calls is adding it in one. Written as LLVM IR, because plain loops reach an eighth of its speed (docs/performance.md).

Columns come in whole vectors: the caller pads the rows of b and c with zeros. f: NOTHING, TANH or SLOPE (times 1 - u^2),
plus FRESH, where c is not added but begun.
The product is compiled once as a C function, and called by address: no kernel carries a copy of it, which would have to
be compiled again with each.
"""

# Numba gives an intrinsic its first argument (the typing context) and binds arrays to pointers; pyright cannot know.
# pyright: reportCallIssue=false, reportArgumentType=false

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import cfunc, njit, types
from numba.extending import intrinsic

NOTHING, TANH, SLOPE = 0, 1, 2
FRESH = 4  # in addition to one of these: c need not have been cleared

LANES = 16 if llvm.get_host_cpu_features().get("avx512f") else 8
# Rows of a block by its number of vectors: as many sums as there are registers, less one for a and one for each b.
ROWS = {16: (0, 8, 8, 6, 6, 5, 4, 3), 8: (0, 6, 6, 4)}[LANES]
WIDEST = len(ROWS) - 1
TAILS = tuple(sorted({rows, rows // 2, 1} - {0}, reverse=True) for rows in ROWS)  # blocks for the last rows

# Rational approximation of tanh on [-TOP, TOP]; at its ends it is 1 to single precision.
TOP = np.float32(7.90531110763549805)
NUMERATOR = (
    -2.76076847742355e-16,
    2.00018790482477e-13,
    -8.60467152213735e-11,
    5.12229709037114e-08,
    1.48572235717979e-05,
    6.37261928875436e-04,
    4.89352455891786e-03,
)
DENOMINATOR = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)

POINTER = types.CPointer(types.float32)
FACTORS = [POINTER, types.intp, POINTER, types.intp, types.intp]  # a, its row length, b, its row length, n_k
SIGNATURE = types.void(*FACTORS * 2, POINTER, types.intp, POINTER, *[types.intp] * 3)


def padded(n: int) -> int:
    """`n` columns in whole vectors."""
    return -(-n // LANES) * LANES


class _Block:
    """The IR of one block: loads, the loops over k, and what is done on the way out."""

    def __init__(self, builder, rows: int, vectors: int, factors, c, ldc, u, f) -> None:
        self.builder, self.rows, self.vectors, self.factors = builder, rows, vectors, factors
        self.c, self.ldc, self.u, self.f = c, ldc, u, f
        self.vec, self.int = ir.VectorType(ir.FloatType(), LANES), ldc.type
        name = f"llvm.fma.v{LANES}f32"
        kind = ir.FunctionType(self.vec, [self.vec] * 3)
        self.fma = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)

    def build(self) -> None:
        spots = [
            [
                self.builder.add(self.builder.mul(self.ldc, self.int(row)), self.int(LANES * vector))
                for vector in range(self.vectors)
            ]
            for row in range(self.rows)
        ]
        sums = self._first(spots)
        for factor in self.factors:
            sums = self._added(sums, *factor)
        self._finish(sums, spots)

    def _at(self, pointer, offset):
        return self.builder.bitcast(self.builder.gep(pointer, [offset]), self.vec.as_pointer())

    def _load(self, pointer, offset):
        value = self.builder.load(self._at(pointer, offset))
        value.align = 4
        return value

    def _const(self, x: float):
        return ir.Constant(self.vec, [float(np.float32(x))] * LANES)

    def _splat(self, x):
        i32, none = ir.IntType(32), ir.Constant(self.vec, ir.Undefined)
        zeros = ir.Constant(ir.VectorType(i32, LANES), [0] * LANES)
        return self.builder.shuffle_vector(self.builder.insert_element(none, x, i32(0)), none, zeros)

    def _added(self, first, left_rows, lda, right_rows, ldb, n_k):
        """first + a @ b, a loop over k with all sums in registers."""
        b = self.builder
        entry, loop, end = b.block, b.append_basic_block("k"), b.append_basic_block("end")
        b.cbranch(b.icmp_signed(">", n_k, self.int(0)), loop, end)
        b.position_at_end(loop)
        k, sums = b.phi(self.int), [[b.phi(self.vec) for _ in row] for row in first]
        row_of_b = b.mul(k, ldb)
        right = [self._load(right_rows, b.add(row_of_b, self.int(LANES * v))) for v in range(self.vectors)]
        after = []
        for r, row in enumerate(sums):
            left = self._splat(b.load(b.gep(left_rows, [b.add(b.mul(lda, self.int(r)), k)])))
            after.append([b.call(self.fma, [left, right[v], row[v]]) for v in range(self.vectors)])
        k_next = b.add(k, self.int(1))
        k.add_incoming(self.int(0), entry)
        k.add_incoming(k_next, loop)
        for r, v in np.ndindex(self.rows, self.vectors):
            sums[r][v].add_incoming(first[r][v], entry)
            sums[r][v].add_incoming(after[r][v], loop)
        b.cbranch(b.icmp_signed("<", k_next, n_k), loop, end)
        b.position_at_end(end)
        return [
            [self._either(first[r][v], entry, after[r][v], loop) for v in range(self.vectors)] for r in range(self.rows)
        ]

    def _first(self, spots):
        """What is added to: c, or zero."""
        b = self.builder
        start, added, begin = b.block, b.append_basic_block("added"), b.append_basic_block("begin")
        b.cbranch(b.icmp_signed(">=", self.f, self.int(FRESH)), begin, added)
        b.position_at_end(added)
        there = [[self._load(self.c, spot) for spot in row] for row in spots]
        b.branch(begin)
        b.position_at_end(begin)
        return [[self._either(value, added, self._const(0), start) for value in row] for row in there]

    def _either(self, one, from_one, other, from_other):
        phi = self.builder.phi(self.vec)
        phi.add_incoming(one, from_one)
        phi.add_incoming(other, from_other)
        return phi

    def _finish(self, sums, spots) -> None:
        """Apply f and store: all loads of c lie before, so c may be read and written in place."""
        b = self.builder
        done, ways = b.append_basic_block("done"), [b.append_basic_block(name) for name in ("plain", "tanh", "slope")]
        choice = b.switch(b.and_(self.f, self.int(FRESH - 1)), ways[NOTHING])
        choice.add_case(self.int(TANH), ways[TANH])
        choice.add_case(self.int(SLOPE), ways[SLOPE])
        for way, apply in zip(ways, (lambda x, _: x, self._tanh, self._slope), strict=True):
            b.position_at_end(way)
            for r, v in np.ndindex(self.rows, self.vectors):
                b.store(apply(sums[r][v], spots[r][v]), self._at(self.c, spots[r][v])).align = 4
            b.branch(done)
        b.position_at_end(done)

    def _tanh(self, x, _):
        b = self.builder
        for sign, beyond in ((">", self._const(TOP)), ("<", self._const(-TOP))):
            x = b.select(b.fcmp_ordered(sign, x, beyond), beyond, x)  # NaN stays NaN
        square, parts = b.fmul(x, x), []
        for coefficients in (NUMERATOR, DENOMINATOR):
            value = self._const(coefficients[0])
            for coefficient in coefficients[1:]:
                value = b.call(self.fma, [square, value, self._const(coefficient)])
            parts.append(value)
        return b.fdiv(b.fmul(parts[0], x), parts[1])

    def _slope(self, x, spot):
        u = self._load(self.u, spot)
        return self.builder.fmul(x, self.builder.fsub(self._const(1), self.builder.fmul(u, u)))


def _all_rows(builder, vectors: int, factors, c, ldc, u, n, f) -> None:
    """Blocks of as many rows as fit, then of fewer, until all n rows of the panel are done."""
    number = ldc.type
    done = number(0)
    for rows in TAILS[vectors]:
        entry, head = builder.block, builder.append_basic_block("head")
        body, end = builder.append_basic_block("body"), builder.append_basic_block("end")
        builder.branch(head)
        builder.position_at_end(head)
        row = builder.phi(number)
        row.add_incoming(done, entry)
        after = builder.add(row, number(rows))
        builder.cbranch(builder.icmp_signed("<=", after, n), body, end)
        builder.position_at_end(body)
        in_c = builder.mul(row, ldc)
        from_c, from_u = (builder.gep(x, [in_c]) for x in (c, u))
        mine = [(builder.gep(a, [builder.mul(row, lda)]), lda, *rest) for a, lda, *rest in factors]
        _Block(builder, rows, vectors, mine, from_c, ldc, from_u, f).build()
        row.add_incoming(after, builder.block)
        builder.branch(head)
        builder.position_at_end(end)
        done = row


@intrinsic
def _panel(context, vectors, a, lda, b, ldb, n_k, a2, lda2, b2, ldb2, n_k2, c, ldc, u, n, f):
    """All n rows of a panel of `vectors` vectors of columns, 1 to WIDEST."""
    signature = types.void(types.intp, *FACTORS * 2, POINTER, types.intp, POINTER, types.intp, types.intp)

    def build(context, builder, signature, arguments):
        vectors, rest = arguments[0], arguments[11:]
        factors = [arguments[1:6], arguments[6:11]]
        done, ways = builder.append_basic_block("panel"), {}
        for wide in range(1, WIDEST + 1):
            ways[wide] = builder.append_basic_block(f"panel{wide}")
        choice = builder.switch(vectors, done)
        for wide, way in ways.items():
            choice.add_case(vectors.type(wide), way)
            builder.position_at_end(way)
            _all_rows(builder, wide, factors, *rest)
            builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return signature, build


@intrinsic
def _on(context, pointer, offset):
    """pointer + offset."""

    def build(context, builder, signature, arguments):
        return builder.gep(arguments[0], [arguments[1]])

    return POINTER(POINTER, types.intp), build


@cfunc(SIGNATURE, cache=True, error_model="numpy")
def _product(a, lda, b, ldb, n_k, a2, lda2, b2, ldb2, n_k2, c, ldc, u, n, n_vectors, f):
    """Rows 0..n of c, panel of columns by panel, of equal width or nearly."""
    panels = (n_vectors + WIDEST - 1) // WIDEST
    j, left = 0, n_vectors
    while panels > 0:
        wide = (left + panels - 1) // panels
        _panel(wide, a, lda, _on(b, j), ldb, n_k, a2, lda2, _on(b2, j), ldb2, n_k2, _on(c, j), ldc, _on(u, j), n, f)
        j += wide * LANES
        left -= wide
        panels -= 1


ADDRESS = _product.address


@intrinsic
def _call(context, address, a, a0, b, n_k, a2, a20, b2, n_k2, c, c0, u, n, f):
    """Call the product at `address` with the data of arrays: a, a2, c and u from the rows a0, a20, c0 and c0 on."""

    def build(context, builder, signature, arguments):
        def rows(which, start=None):
            """Where the data of an array begins at row number `start`, and the length of its rows."""
            array = context.make_array(signature.args[which])(context, builder, arguments[which])
            wide = builder.extract_value(array.shape, 1)
            begin = array.data if start is None else builder.gep(array.data, [builder.mul(arguments[start], wide)])
            return begin, wide

        a, lda = rows(1, 2)
        b, ldb = rows(3)
        a2, lda2 = rows(5, 6)
        b2, ldb2 = rows(7)
        c, ldc = rows(9, 10)
        u, _ = rows(11, 10)
        vectors = builder.sdiv(ldb, ldb.type(LANES))
        words = [a, lda, b, ldb, arguments[4], a2, lda2, b2, ldb2, arguments[8], c, ldc, u, arguments[12], vectors]
        words.append(arguments[13])
        kind = ir.FunctionType(ir.VoidType(), [word.type for word in words])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), words)
        return context.get_dummy_value()

    return types.void(address, a, a0, b, n_k, a2, a20, b2, n_k2, c, c0, u, n, f), build


@njit(inline="always")
def gemm_two(address, a, a0, b, n_k, a2, a20, b2, n_k2, c, c0, u, n, f):
    """The same with a second product, a2[a20:a20+n, :n_k2] @ b2[:n_k2], added to the first."""
    whole = np.intp
    _call(address, a, whole(a0), b, whole(n_k), a2, whole(a20), b2, whole(n_k2), c, whole(c0), u, whole(n), whole(f))


@njit(inline="always")
def gemm(address, a, a0, b, c, c0, u, n, n_k, f):
    """c[c0:c0+n] = f(c[c0:c0+n] + a[a0:a0+n, :n_k] @ b[:n_k]); columns of b and c in whole vectors, u like c."""
    gemm_two(address, a, a0, b, n_k, a, a0, b, 0, c, c0, u, n, f)
