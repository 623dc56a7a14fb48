"""What a condition of Qiskit's says at an outcome: (bit, value), (register, value) and expressions of them.

Apart from what plays circuits on PennyLane, for the law of outcomes asks it too, and PennyLane takes seconds to load.
"""

import operator
from collections.abc import Callable

from qiskit import ClassicalRegister
from qiskit.circuit import Clbit
from qiskit.circuit.classical import expr

from encoding import InputError

OPERATORS: dict[str, Callable[[int, int], int]] = {
    "BIT_AND": operator.and_,
    "BIT_OR": operator.or_,
    "BIT_XOR": operator.xor,
    "LOGIC_AND": operator.and_,
    "LOGIC_OR": operator.or_,
    "EQUAL": operator.eq,
    "NOT_EQUAL": operator.ne,
    "LESS": operator.lt,
    "LESS_EQUAL": operator.le,
    "GREATER": operator.gt,
    "GREATER_EQUAL": operator.ge,
}


def bits_of(var: expr.Var) -> list[Clbit]:
    """The bits of a variable, the lowest first.

    Raises:
        InputError: it is neither a bit nor a register.
    """
    if isinstance(var.var, Clbit):
        return [var.var]
    if isinstance(var.var, ClassicalRegister):
        return list(var.var)
    raise InputError(f"a condition is on bits and registers; got the variable {var.name}")


def value_of(tree: expr.Expr, outcome: dict[Clbit, int]) -> int:
    """An expression at an outcome; a bit that was never written is 0.

    Raises:
        InputError: it is made of something else than bits, registers, comparisons and logic.
    """
    mask = (1 << getattr(tree.type, "width", 1)) - 1
    match tree:
        case expr.Var():
            return sum(outcome.get(bit, 0) << place for place, bit in enumerate(bits_of(tree)))
        case expr.Value():
            return int(tree.value)
        case expr.Cast():
            value = value_of(tree.operand, outcome)
            return value & mask if hasattr(tree.type, "width") else int(bool(value))
        case expr.Unary() if tree.op.name in ("LOGIC_NOT", "BIT_NOT"):
            return value_of(tree.operand, outcome) ^ mask
        case expr.Index():
            return value_of(tree.target, outcome) >> value_of(tree.index, outcome) & 1
        case expr.Binary() if tree.op.name in OPERATORS:
            return int(OPERATORS[tree.op.name](value_of(tree.left, outcome), value_of(tree.right, outcome)))
    what = getattr(tree, "op", tree)
    raise InputError(f"a condition is made of bits, registers, comparisons and logic; got {what!s:.60}")
