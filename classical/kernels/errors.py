"""Costs and target errors of `classical.costs` from output fields, a whole vector of outputs at a time.

    e = exp(-2 |H|),   tanh |H| = (1 - e) / (1 + e),   ln(1 + exp(-2 S H)) = max(-2 S H, 0) + ln(1 + e)

Written as LLVM IR because the compiler, left alone, fills half a vector: costs are added up in double precision.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false, reportArgumentType=false

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from classical.kernels.tile import LANES

NLL, SQUARED, HINGE = 0, 1, 2
LOWEST = -87.0  # e^-87 is the smallest normal number, nearly
LOG2_E, LN2_HIGH, LN2_LOW = 1.44269504088896341, 0.693359375, -2.12194440e-4
EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
ATANH = (1 / 15, 1 / 13, 1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3)  # of s^2, for |s| <= 1/3


class _Lanes:
    """One vector of fields H and targets S: its costs and errors."""

    def __init__(self, builder, fields, targets) -> None:
        self.b, self.h, self.s = builder, fields, targets
        self.vec, self.ints = fields.type, ir.VectorType(ir.IntType(32), LANES)

    def nll(self):
        b = self.b
        z, e = b.fmul(b.fmul(self._const(-2), self.s), self.h), self._exponential()
        one_more, two_more = b.fadd(self._const(1), e), b.fadd(self._const(2), e)
        inverse = b.fdiv(self._const(1), b.fmul(one_more, two_more))  # one division for both
        ratio = b.fmul(b.fmul(e, one_more), inverse)  # ln(1 + e) = 2 atanh(e / (2 + e))
        tanh = b.fmul(b.fmul(b.fsub(self._const(1), e), two_more), inverse)
        square = b.fmul(ratio, ratio)
        series = self._call("fma", self._polynomial(ATANH, square), square, self._const(1))
        log = b.fmul(b.fmul(self._const(2), ratio), series)
        cost = b.fadd(self._above(z, self._const(0)), log)
        return cost, b.fsub(self.s, self._signed(tanh))

    def squared(self):
        b, one, e = self.b, self._const(1), self._exponential()
        output = self._signed(b.fdiv(b.fsub(one, e), b.fadd(one, e)))
        gap = b.fsub(self.s, output)
        cost = b.fmul(b.fmul(self._const(0.5), gap), gap)
        return cost, b.fmul(gap, b.fsub(self._const(1), b.fmul(output, output)))

    def hinge(self):
        b, zero = self.b, self._const(0)
        gap = b.fsub(self._const(1), b.fmul(self.s, self.h))
        error = b.select(b.fcmp_ordered(">", gap, zero), self.s, zero)
        return self._above(gap, zero), error

    def _exponential(self):
        """e^(-2 |H|), by 2^k e^r."""
        b = self.b
        a = b.fmul(self._const(-2), self._call("fabs", self.h))
        a = self._above(a, self._const(LOWEST))
        k = self._call("floor", b.fadd(b.fmul(a, self._const(LOG2_E)), self._const(0.5)))
        r = self._call("fma", k, self._const(-LN2_LOW), self._call("fma", k, self._const(-LN2_HIGH), a))
        y = b.fadd(self._call("fma", self._polynomial(EXP, r), b.fmul(r, r), r), self._const(1))
        known = b.select(b.fcmp_ordered(">=", k, self._const(-126)), k, self._const(-126))  # NaN has no whole number
        power = b.shl(b.add(b.fptosi(known, self.ints), self._whole(127)), self._whole(23))
        return b.fmul(y, b.bitcast(power, self.vec))

    def _signed(self, size):
        """With the sign of H."""
        return self.b.select(self.b.fcmp_ordered("<", self.h, self._const(0)), self.b.fneg(size), size)

    def _polynomial(self, coefficients, x):
        value = self._const(coefficients[0])
        for coefficient in coefficients[1:]:
            value = self._call("fma", value, x, self._const(coefficient))
        return value

    def _above(self, x, least):
        """The greater of the two; NaN stays NaN."""
        return self.b.select(self.b.fcmp_ordered("<", x, least), least, x)

    def _call(self, name, *values):
        full, kind = f"llvm.{name}.v{LANES}f32", ir.FunctionType(self.vec, [self.vec] * len(values))
        return self.b.call(self.b.module.globals.get(full) or ir.Function(self.b.module, kind, full), values)

    def _const(self, x: float):
        return ir.Constant(self.vec, [float(np.float32(x))] * LANES)

    def _whole(self, x: int):
        return ir.Constant(self.ints, [x] * LANES)


@intrinsic(prefer_literal=True)
def errors_of(context, cost, fields, targets, start, stop, column, sums):
    """Fields to target errors, in place: rows `start` to `stop`, one vector of columns from `column` on.

    `cost` is one of NLL, SQUARED, HINGE, literally. The costs are added, row by row, to `sums` from `column` on.
    """
    way = {NLL: _Lanes.nll, SQUARED: _Lanes.squared, HINGE: _Lanes.hinge}[cost.literal_value]

    def build(context, builder, signature, arguments):
        _, fields, targets, start, stop, column, sums = arguments
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[1:3], (fields, targets), strict=True)
        ]
        total = context.make_array(signature.args[6])(context, builder, sums)
        _loop(builder, way, arrays, start, stop, column, total)
        return context.get_dummy_value()

    return types.void(cost, fields, targets, types.intp, types.intp, types.intp, sums), build


def _loop(b, way, arrays, start, stop, column, total) -> None:
    """Over rows, with the sums of the columns in registers."""
    vec, double = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.DoubleType(), LANES)
    place = b.bitcast(b.gep(total.data, [column]), double.as_pointer())
    before = b.load(place)
    before.align = 8
    entry, loop, end = b.block, b.append_basic_block("rows"), b.append_basic_block("rows.end")
    b.cbranch(b.icmp_signed("<", start, stop), loop, end)
    b.position_at_end(loop)
    row, sums = b.phi(start.type), b.phi(double)
    places = []
    for array in arrays:
        width = b.extract_value(array.shape, 1)
        spot = b.gep(array.data, [b.add(b.mul(row, width), column)])
        places.append(b.bitcast(spot, vec.as_pointer()))
    values = [b.load(spot) for spot in places]
    for value in values:
        value.align = 4
    cost, error = way(_Lanes(b, *values))
    b.store(error, places[0]).align = 4
    after, following = b.fadd(sums, b.fpext(cost, double)), b.add(row, row.type(1))
    for phi, first, then in ((row, start, following), (sums, before, after)):
        phi.add_incoming(first, entry)
        phi.add_incoming(then, loop)
    b.cbranch(b.icmp_signed("<", following, stop), loop, end)
    b.position_at_end(end)
    result = b.phi(double)
    result.add_incoming(before, entry)
    result.add_incoming(after, loop)
    b.store(result, place).align = 8
