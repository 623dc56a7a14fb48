"""The two registers of a recurrent circuit as PennyLane wires: any hashable labels, each named once."""

from typing import Any

from pennylane.exceptions import WireError
from pennylane.wires import Wires

from encoding import InputError
from encoding.errors import shown
from quantum.block import Block, checked_block


def checked_wires(wires: Any) -> Wires:
    """Labels as wires; a single one stands for itself.

    Raises:
        InputError: labels that cannot be hashed, or one twice.
    """
    try:
        return Wires(wires)
    except (WireError, TypeError):
        raise InputError(f"wires are hashable labels, each named once; got {shown(wires, 80)}") from None


def checked_registers(block: Block, data_wires: Any, history_wires: Any) -> Wires:
    """The wires of D, then those of H.

    Raises:
        InputError: no block, another number of wires, or a wire in both registers or twice in one.
    """
    checked_block(block)
    data, history = checked_wires(data_wires), checked_wires(history_wires)
    for what, n, wires in (("data", block.n_data, data), ("history", block.n_history, history)):
        if len(wires) != n:
            raise InputError(f"the block has {n} {what} qubit(s); got the {what} wires {wires.tolist()}")
    if shared := Wires.shared_wires([data, history]):
        raise InputError(f"data and history have no wire in common; got {shared.tolist()} in both")
    return data + history
