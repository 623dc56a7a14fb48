"""Sixteen real numbers as one value of compiled code: an amplitude's real or imaginary part for sixteen data states.

Four voices make at least four data qubits, so whatever the history there are sixteen data states side by side, and the
products of a chord's step run for all of them at once. The processor holds such a value in one register or in several;
sums run the same way everywhere, so the results are the same bit for bit with AVX2 and AVX-512. No fastmath:
multiply-adds are fused because `fma` says so.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false

from llvmlite import ir
from numba import njit, types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

LANES = 16
KEPT = {"boundscheck": False, "nogil": True, "error_model": "numpy", "cache": True}  # of what Python calls
# Of what only compiled code calls: kept with its callers, and no wrappers to compile.
OPTIONS = {**KEPT, "cache": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
N_EXP, N_ATANH = 13, 17  # terms of series that leave less than the rounding of double precision


class Sixteen(types.Type):
    """Sixteen numbers of a precision."""

    def __init__(self, number: types.Float) -> None:
        self.number = number
        super().__init__(name=f"Sixteen({number})")


@register_model(Sixteen)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, kind) -> None:
        super().__init__(manager, kind, _vector(kind))


def _vector(kind: Sixteen) -> ir.VectorType:
    return ir.VectorType(ir.FloatType() if kind.number.bitwidth == 32 else ir.DoubleType(), LANES)


def _align(kind: Sixteen) -> int:
    return kind.number.bitwidth // 8


def _call(builder, name: str, kind: Sixteen, *values):
    full, vector = f"llvm.{name}.v{LANES}f{kind.number.bitwidth}", _vector(kind)
    signature = ir.FunctionType(vector, [vector] * len(values))
    return builder.call(builder.module.globals.get(full) or ir.Function(builder.module, signature, full), values)


def _splat(builder, vector: ir.VectorType, value):
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), _mask([0] * LANES))


def _mask(places: list[int]):
    return ir.Constant(ir.VectorType(ir.IntType(32), LANES), places)


def _at(context, builder, kind: Sixteen, array_type, array, place):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), _vector(kind).as_pointer())


@intrinsic
def load(context, array, place):
    """The numbers of a flat array from `place` on."""
    kind = Sixteen(array.dtype)

    def build(context, builder, signature, arguments):
        value = builder.load(_at(context, builder, kind, signature.args[0], *arguments))
        value.align = _align(kind)
        return value

    return kind(array, types.intp), build


@intrinsic
def store(context, array, place, value):
    """Write into a flat array from `place` on."""

    def build(context, builder, signature, arguments):
        *where, numbers = arguments
        builder.store(numbers, _at(context, builder, value, signature.args[0], *where)).align = _align(value)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), build


@intrinsic
def splat(context, number):
    """The same number sixteen times."""
    kind = Sixteen(number)
    return kind(number), lambda context, builder, signature, arguments: _splat(builder, _vector(kind), arguments[0])


@intrinsic
def split(context, low, high):
    """One number eight times, then another: the first data qubit is 0, or 1."""
    kind = Sixteen(low)

    def build(context, builder, signature, arguments):
        two = (_splat(builder, _vector(kind), number) for number in arguments)
        return builder.shuffle_vector(*two, _mask([*range(8), *range(LANES + 8, 2 * LANES)]))

    return kind(low, low), build


@intrinsic
def number(context, like, x):
    """A constant, rounded to the precision of `like`, sixteen times."""

    def build(context, builder, signature, arguments):
        value = builder.fptrunc(arguments[1], ir.FloatType()) if like.number.bitwidth == 32 else arguments[1]
        return _splat(builder, _vector(like), value)

    return like(like, types.float64), build


@intrinsic
def fma(context, a, b, c):
    """a b + c, rounded once."""
    return a(a, a, a), lambda context, builder, signature, arguments: _call(builder, "fma", a, *arguments)


@intrinsic
def fms(context, a, b, c):
    """c - a b, rounded once."""

    def build(context, builder, signature, arguments):
        first, *others = arguments
        return _call(builder, "fma", a, builder.fneg(first), *others)

    return a(a, a, a), build


@intrinsic
def mul(context, a, b):
    """A product."""
    return a(a, a), lambda context, builder, signature, arguments: builder.fmul(*arguments)


@intrinsic
def add(context, a, b):
    """A sum."""
    return a(a, a), lambda context, builder, signature, arguments: builder.fadd(*arguments)


@intrinsic
def sub(context, a, b):
    """A difference."""
    return a(a, a), lambda context, builder, signature, arguments: builder.fsub(*arguments)


@intrinsic
def div(context, a, b):
    """A quotient."""
    return a(a, a), lambda context, builder, signature, arguments: builder.fdiv(*arguments)


@intrinsic
def above(context, a, least):
    """The greater of the two; NaN stays NaN."""

    def build(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered("<", *arguments), arguments[1], arguments[0])

    return a(a, a), build


@intrinsic
def at_least(context, a, least):
    """The greater of the two; `least` instead of NaN."""

    def build(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered(">=", *arguments), *arguments)

    return a(a, a), build


@intrinsic
def magnitude(context, a):
    """Without sign."""
    return a(a), lambda context, builder, signature, arguments: _call(builder, "fabs", a, *arguments)


@intrinsic
def signed(context, a, sign):
    """`a` with the sign of another."""
    return a(a, a), lambda context, builder, signature, arguments: _call(builder, "copysign", a, *arguments)


@intrinsic
def floor(context, a):
    """The whole numbers below."""
    return a(a), lambda context, builder, signature, arguments: _call(builder, "floor", a, *arguments)


@intrinsic
def power_of_two(context, k):
    """2^k of whole numbers k that are exponents of this precision."""
    bits, bias, shift = (32, 127, 23) if k.number.bitwidth == 32 else (64, 1023, 52)
    whole = ir.VectorType(ir.IntType(bits), LANES)

    def build(context, builder, signature, arguments):
        exponent = builder.add(builder.fptosi(arguments[0], whole), ir.Constant(whole, [bias] * LANES))
        return builder.bitcast(builder.shl(exponent, ir.Constant(whole, [shift] * LANES)), _vector(k))

    return k(k), build


def _swapping(bit: int):
    @intrinsic
    def swapped(context, a):
        places = [lane ^ bit for lane in range(LANES)]

        def build(context, builder, signature, arguments):
            return builder.shuffle_vector(arguments[0], ir.Constant(_vector(a), ir.Undefined), _mask(places))

        return a(a), build

    return swapped


swap1, swap2, swap4, swap8 = (_swapping(bit) for bit in (1, 2, 4, 8))  # a bit of the data state flipped


@intrinsic
def half_sums(context, a, b, c, d, e, f, g, h):
    """The sums of both halves of eight values: first and second half of a, of b, ..., h."""

    def folded(builder, first, second, distance):
        """Lanes `distance` apart added: the first value's sums in every other block, the second's between them."""
        near = [LANES * bool(lane & distance) + (lane & ~distance) for lane in range(LANES)]
        two = (builder.shuffle_vector(first, second, _mask([lane + by for lane in near])) for by in (0, distance))
        return builder.fadd(*two)

    def build(context, builder, signature, arguments):
        values, distance = list(arguments), 4
        while distance:
            values = [folded(builder, *pair, distance) for pair in zip(values[::2], values[1::2], strict=True)]
            distance //= 2
        return _in_order(builder, values[0], a)

    return a(*[a] * 8), build


def _in_order(builder, value, kind: Sixteen):
    """Lane 2 v + half takes what stands at half 8 + (bits of v: first pairing at 4, then 2, then 1)."""
    places = [8 * (lane & 1) + 4 * (lane >> 1 & 1) + 2 * (lane >> 2 & 1) + (lane >> 3 & 1) for lane in range(LANES)]
    return builder.shuffle_vector(value, ir.Constant(_vector(kind), ir.Undefined), _mask(places))


@njit(**OPTIONS)
def exponential(x):
    """e^x for x <= 0, by 2^k e^r, |r| <= ln(2)/2."""
    lowest = number(x, -87.0)  # the smallest normal number in single precision, nearly
    x = above(x, lowest)
    k = floor(fma(x, number(x, 1.44269504088896341), number(x, 0.5)))
    r = fms(k, number(x, 0.693359375), x)  # ln 2 in two parts, the first exact in either precision
    r = fms(k, number(x, -2.12194440054690583e-4), r)
    one = number(x, 1.0)
    y = one
    for term in range(N_EXP, 0, -1):
        y = fma(mul(r, number(x, 1.0 / term)), y, one)
    return mul(y, power_of_two(at_least(k, number(x, -126.0))))  # NaN has no whole number


@njit(**OPTIONS)
def log_of_one_and(e):
    """ln(1 + e) for 0 <= e <= 1, as 2 atanh(e / (2 + e))."""
    ratio = div(e, add(number(e, 2.0), e))
    square = mul(ratio, ratio)
    y = number(e, 1.0 / (2 * N_ATANH + 1))
    for term in range(N_ATANH - 1, -1, -1):
        y = fma(y, square, number(e, 1.0 / (2 * term + 1)))
    return mul(mul(number(e, 2.0), ratio), y)
