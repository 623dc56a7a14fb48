"""The product that everything rests on: c = f(c + a @ b + a' @ b'), with tanh or its slope applied on the way out.

A block of rows x vectors of c stays in registers while k runs, through one product and then the other: a is splatted, b
is loaded, and each output is one chain of fused multiply-adds over k. So the result is bit for bit the same for every
shape of block. Written as LLVM IR, because plain loops reach an eighth of its speed (docs/performance.md).

Columns come in whole vectors: the caller pads the rows of b and c with zeros. Where no more than NARROW columns of the
last vector are used, those are made as dot products instead, with the rows of b transposed: a vector of them would cost
as much as a full one. f: NOTHING, TANH or SLOPE (times 1 - u^2), plus FRESH, where c is not added but begun.
The product is compiled once as a C function, and called by address: no kernel carries a copy of it, which would have to
be compiled again with each.
"""

# Numba gives an intrinsic its first argument (the typing context) and binds arrays to pointers; pyright cannot know.
# pyright: reportCallIssue=false, reportArgumentType=false

import numpy as np
from llvmlite import ir
from numba import cfunc, njit, types
from numba.extending import intrinsic

from classical.kernels.lanes import n_lanes

NOTHING, TANH, SLOPE = 0, 1, 2
FRESH = 4  # in addition to one of these: c need not have been cleared

LANES = n_lanes()
NARROW = 4  # columns
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
# a, its row length, b, its row length, b transposed, its row length, n_k
FACTORS = [*[POINTER, types.intp] * 3, types.intp]
REST = [POINTER, types.intp, POINTER, types.intp]  # c, its row length, u, n
SIGNATURE = types.void(*FACTORS * 2, *REST, *[types.intp] * 3)


def padded(n: int) -> int:
    """`n` columns in whole vectors."""
    return -(-n // LANES) * LANES


class _Vectors:
    """Vectors in IR: constants, loads, and what is done on the way out."""

    def __init__(self, builder, number) -> None:
        self.builder, self.int = builder, number
        self.vec = ir.VectorType(ir.FloatType(), LANES)
        name = f"llvm.fma.v{LANES}f32"
        kind = ir.FunctionType(self.vec, [self.vec] * 3)
        self.fma = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)

    def _at(self, pointer, offset):
        return self.builder.bitcast(self.builder.gep(pointer, [offset]), self.vec.as_pointer())

    def _load(self, pointer, offset):
        value = self.builder.load(self._at(pointer, offset))
        value.align = 4
        return value

    def _const(self, x: float):
        return ir.Constant(self.vec, [float(np.float32(x))] * LANES)

    def _either(self, one, from_one, other, from_other):
        phi = self.builder.phi(self.vec)
        phi.add_incoming(one, from_one)
        phi.add_incoming(other, from_other)
        return phi

    def _summed(self, first, n_k, stride: int, added):
        """The vectors `first`, with what `added(k, sums)` makes of them for k = 0, stride, ... below n_k."""
        b = self.builder
        entry, loop, end = b.block, b.append_basic_block("k"), b.append_basic_block("end")
        b.cbranch(b.icmp_signed(">", n_k, self.int(0)), loop, end)
        b.position_at_end(loop)
        k, sums = b.phi(self.int), [b.phi(self.vec) for _ in first]
        after, k_next = added(k, sums), b.add(k, self.int(stride))
        k.add_incoming(self.int(0), entry)
        k.add_incoming(k_next, loop)
        for phi, start, then in zip(sums, first, after, strict=True):
            phi.add_incoming(start, entry)
            phi.add_incoming(then, loop)
        b.cbranch(b.icmp_signed("<", k_next, n_k), loop, end)
        b.position_at_end(end)
        return [self._either(start, entry, then, loop) for start, then in zip(first, after, strict=True)]

    def _unless_fresh(self, f, make):
        """A list of vectors: what `make` loads, or zeros where f says FRESH."""
        b = self.builder
        start, added, begin = b.block, b.append_basic_block("added"), b.append_basic_block("begin")
        b.cbranch(b.icmp_signed(">=", f, self.int(FRESH)), begin, added)
        b.position_at_end(added)
        there = make()
        added = b.block
        b.branch(begin)
        b.position_at_end(begin)
        return [self._either(value, added, self._const(0), start) for value in there]

    def _ways(self, f, plain, tanh, slope) -> None:
        """Do one of the three, as f says."""
        b = self.builder
        done, ways = b.append_basic_block("done"), [b.append_basic_block(name) for name in ("plain", "tanh", "slope")]
        choice = b.switch(b.and_(f, self.int(FRESH - 1)), ways[NOTHING])
        choice.add_case(self.int(TANH), ways[TANH])
        choice.add_case(self.int(SLOPE), ways[SLOPE])
        for way, do in zip(ways, (plain, tanh, slope), strict=True):
            b.position_at_end(way)
            do()
            b.branch(done)
        b.position_at_end(done)

    def _tanh(self, x):
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

    def _slope(self, x, u):
        return self.builder.fmul(x, self.builder.fsub(self._const(1), self.builder.fmul(u, u)))


class _Block(_Vectors):
    """The IR of one block of rows x vectors: the loops over k, with all sums in registers."""

    def __init__(self, builder, rows: int, vectors: int, factors, c, ldc, u, f) -> None:
        super().__init__(builder, ldc.type)
        self.rows, self.vectors, self.factors = rows, vectors, factors
        self.c, self.ldc, self.u, self.f = c, ldc, u, f

    def build(self) -> None:
        b = self.builder
        spots = [
            b.add(b.mul(self.ldc, self.int(row)), self.int(LANES * vector))
            for row, vector in np.ndindex(self.rows, self.vectors)
        ]
        sums = self._unless_fresh(self.f, lambda: [self._load(self.c, spot) for spot in spots])
        for a, lda, b_rows, ldb, _, _, n_k in self.factors:
            sums = self._added(sums, a, lda, b_rows, ldb, n_k)

        def store(apply):
            for value, spot in zip(sums, spots, strict=True):  # all loads of c lie before: in place is right
                b.store(apply(value, spot), self._at(self.c, spot)).align = 4

        self._ways(
            self.f,
            lambda: store(lambda x, _: x),
            lambda: store(lambda x, _: self._tanh(x)),
            lambda: store(lambda x, spot: self._slope(x, self._load(self.u, spot))),
        )

    def _splat(self, x):
        i32, none = ir.IntType(32), ir.Constant(self.vec, ir.Undefined)
        zeros = ir.Constant(ir.VectorType(i32, LANES), [0] * LANES)
        return self.builder.shuffle_vector(self.builder.insert_element(none, x, i32(0)), none, zeros)

    def _added(self, first, left_rows, lda, right_rows, ldb, n_k):
        """first + a @ b."""
        b = self.builder

        def one_k(k, sums):
            row_of_b = b.mul(k, ldb)
            right = [self._load(right_rows, b.add(row_of_b, self.int(LANES * v))) for v in range(self.vectors)]
            after = []
            for r in range(self.rows):
                left = self._splat(b.load(b.gep(left_rows, [b.add(b.mul(lda, self.int(r)), k)])))
                own = sums[r * self.vectors : (r + 1) * self.vectors]
                after += [b.call(self.fma, [left, right[v], own[v]]) for v in range(self.vectors)]
            return after

        return self._summed(first, n_k, 1, one_k)


class _Dots(_Vectors):
    """The IR of NARROW columns of as many rows as fill a vector: dot products along k, whole vectors at a time.

    Rows of a and of b transposed are padded with zeros to whole vectors. The last rows of a block may be one row again:
    it is made, and stored, several times alike.
    """

    rows = LANES // NARROW

    def __init__(self, builder, factors, c, ldc, u, f) -> None:
        super().__init__(builder, ldc.type)
        self.factors, self.c, self.ldc, self.u, self.f = factors, c, ldc, u, f
        self.few = ir.VectorType(ir.FloatType(), NARROW)

    def build(self, row_numbers) -> None:
        b = self.builder
        spots = [b.mul(self.ldc, row) for row in row_numbers]
        sums = [self._const(0)] * LANES
        for a, lda, _, _, turned, ldt, n_k in self.factors:
            sums = self._added(sums, [b.mul(lda, row) for row in row_numbers], a, turned, ldt, n_k)
        (before,) = self._unless_fresh(self.f, lambda: [self._gather(self.c, spots)])
        total = b.fadd(before, self._folded(sums))

        def store(value):
            for row, spot in enumerate(spots):
                lanes = [row * NARROW + column for column in range(NARROW)]
                part = b.shuffle_vector(value, value, ir.Constant(ir.VectorType(ir.IntType(32), NARROW), lanes))
                place = b.bitcast(b.gep(self.c, [spot]), self.few.as_pointer())
                b.store(part, place).align = 4

        self._ways(
            self.f,
            lambda: store(total),
            lambda: store(self._tanh(total)),
            lambda: store(self._slope(total, self._gather(self.u, spots))),
        )

    def _gather(self, pointer, spots):
        """NARROW numbers from each row, side by side."""
        b, parts = self.builder, []
        for spot in spots:
            part = b.load(b.bitcast(b.gep(pointer, [spot]), self.few.as_pointer()))
            part.align = 4
            parts.append(part)
        while len(parts) > 1:
            n = 2 * parts[0].type.count
            lanes = ir.Constant(ir.VectorType(ir.IntType(32), n), list(range(n)))
            parts = [b.shuffle_vector(x, y, lanes) for x, y in zip(parts[::2], parts[1::2], strict=True)]
        return parts[0]

    def _added(self, first, rows_of_a, a, turned, ldt, n_k):
        """Sums lane by lane: entry row * NARROW + column is that of one row of a and one column of b."""
        b = self.builder

        def some_k(k, sums):
            left = [self._load(a, b.add(row, k)) for row in rows_of_a]
            right = [self._load(turned, b.add(b.mul(ldt, self.int(column)), k)) for column in range(NARROW)]
            return [b.call(self.fma, [left[n // NARROW], right[n % NARROW], own]) for n, own in enumerate(sums)]

        return self._summed(first, n_k, LANES, some_k)

    def _folded(self, sums):
        """One vector: lane n is the sum of all lanes of vector n, by halves."""
        b, half = self.builder, LANES // 2
        while half:
            low, high = [], []
            for part in range(0, 2 * LANES, 2 * half):  # lanes of two vectors, in pieces of 2 * half
                low += range(part, part + half)
                high += range(part + half, part + 2 * half)
            kind = ir.VectorType(ir.IntType(32), LANES)
            sums = [
                b.fadd(b.shuffle_vector(x, y, ir.Constant(kind, low)), b.shuffle_vector(x, y, ir.Constant(kind, high)))
                for x, y in zip(sums[::2], sums[1::2], strict=True)
            ]
            half //= 2
        return sums[0]


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
def _panel(
    context, vectors, a, lda, b, ldb, turned, ldt, n_k, a2, lda2, b2, ldb2, turned2, ldt2, n_k2, c, ldc, u, n, f
):
    """All n rows of a panel of `vectors` vectors of columns, 1 to WIDEST."""
    signature = types.void(types.intp, *FACTORS * 2, *REST, types.intp)

    def build(context, builder, signature, arguments):
        vectors, factors, rest = arguments[0], [arguments[1:8], arguments[8:15]], arguments[15:]
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
def _narrow(context, a, lda, b, ldb, turned, ldt, n_k, a2, lda2, b2, ldb2, turned2, ldt2, n_k2, c, ldc, u, n, f):
    """NARROW columns of all n rows, as dot products."""
    signature = types.void(*FACTORS * 2, *REST, types.intp)

    def build(context, builder, signature, arguments):
        factors, (c, ldc, u, n, f) = [arguments[0:7], arguments[7:14]], arguments[14:]
        number = n.type
        entry, head = builder.block, builder.append_basic_block("head")
        body, end = builder.append_basic_block("body"), builder.append_basic_block("end")
        builder.branch(head)
        builder.position_at_end(head)
        row = builder.phi(number)
        row.add_incoming(number(0), entry)
        builder.cbranch(builder.icmp_signed("<", row, n), body, end)
        builder.position_at_end(body)
        last = builder.sub(n, number(1))
        wanted = [builder.add(row, number(k)) for k in range(_Dots.rows)]
        there = [builder.select(builder.icmp_signed("<", one, n), one, last) for one in wanted]
        _Dots(builder, factors, c, ldc, u, f).build(there)
        row.add_incoming(builder.add(row, number(_Dots.rows)), builder.block)
        builder.branch(head)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return signature, build


@intrinsic
def _on(context, pointer, offset):
    """pointer + offset."""

    def build(context, builder, signature, arguments):
        return builder.gep(arguments[0], [arguments[1]])

    return POINTER(POINTER, types.intp), build


@cfunc(SIGNATURE, cache=True, error_model="numpy")
def _product(
    a, lda, b, ldb, turned, ldt, n_k, a2, lda2, b2, ldb2, turned2, ldt2, n_k2, c, ldc, u, n, n_vectors, narrow, f
):
    """Rows 0..n of c, panel of columns by panel, of equal width or nearly; the last vector as dots if it is narrow."""
    j, left = 0, n_vectors - narrow
    panels = (left + WIDEST - 1) // WIDEST
    while panels > 0:
        wide = (left + panels - 1) // panels
        _panel(
            wide,
            *(a, lda, _on(b, j), ldb, turned, ldt, n_k),
            *(a2, lda2, _on(b2, j), ldb2, turned2, ldt2, n_k2),
            *(_on(c, j), ldc, _on(u, j), n, f),
        )
        j += wide * LANES
        left -= wide
        panels -= 1
    if narrow:
        _narrow(
            *(a, lda, b, ldb, _on(turned, j * ldt), ldt, n_k),
            *(a2, lda2, b2, ldb2, _on(turned2, j * ldt2), ldt2, n_k2),
            *(_on(c, j), ldc, _on(u, j), n, f),
        )


ADDRESS = _product.address


@intrinsic
def _call(context, address, a, a0, b, turned, n_k, a2, a20, b2, turned2, n_k2, c, c0, u, n, narrow, f):
    """Call the product at `address` with the data of arrays: a, a2, c and u from the rows a0, a20, c0 and c0 on."""

    def build(context, builder, signature, arguments):
        def rows(which, start=None):
            """Where the data of an array begins at row number `start`, and the length of its rows."""
            array = context.make_array(signature.args[which])(context, builder, arguments[which])
            wide = builder.extract_value(array.shape, 1)
            begin = array.data if start is None else builder.gep(array.data, [builder.mul(arguments[start], wide)])
            return begin, wide

        words = [*rows(1, 2), *rows(3), *rows(4), arguments[5], *rows(6, 7), *rows(8), *rows(9), arguments[10]]
        (c, ldc), (u, _), ldb = rows(11, 12), rows(13, 12), words[3]
        words += [c, ldc, u, arguments[14], builder.sdiv(ldb, ldb.type(LANES)), *arguments[15:]]
        kind = ir.FunctionType(ir.VoidType(), [word.type for word in words])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), words)
        return context.get_dummy_value()

    signature = types.void(address, a, a0, b, turned, n_k, a2, a20, b2, turned2, n_k2, c, c0, u, n, narrow, f)
    return signature, build


@njit(inline="always")
def gemm_two(address, a, a0, b, turned, n_k, a2, a20, b2, turned2, n_k2, c, c0, u, n, narrow, f):
    """c[c0:c0+n] = f(c[c0:c0+n] + a[a0:a0+n, :n_k] @ b[:n_k] + a2[a20:a20+n, :n_k2] @ b2[:n_k2]).

    Columns of b and c in whole vectors, u like c. narrow 1: of the last vector NARROW columns are used at most, and
    turned, turned2 hold b and b2 transposed; a, a2 and these have rows of zeros up to whole vectors behind n_k, n_k2.
    """
    whole = np.intp
    one, two = whole(n_k), whole(n_k2)
    rest = whole(c0), u, whole(n), whole(narrow), whole(f)
    _call(address, a, whole(a0), b, turned, one, a2, whole(a20), b2, turned2, two, c, *rest)


@njit(inline="always")
def gemm(address, a, a0, b, c, c0, u, n, n_k, f):
    """c[c0:c0+n] = f(c[c0:c0+n] + a[a0:a0+n, :n_k] @ b[:n_k])."""
    gemm_two(address, a, a0, b, b, n_k, a, a0, b, b, 0, c, c0, u, n, 0, f)
