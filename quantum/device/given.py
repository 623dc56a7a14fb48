"""What a device is given when it is made: shots and wires, or a line that says what they are."""

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
from pennylane.measurements import Shots
from pennylane.wires import Wires

from encoding import InputError
from encoding.errors import shown

MOST_WIRES = 10_000  # more than any machine has


def given_shots(given: Any) -> Shots:
    """The shots, perhaps in parts.

    Raises:
        InputError: no whole numbers of at least 1.

    >>> given_shots([2, (3, 2)]).total_shots
    8
    """
    try:
        if not isinstance(given, bool):
            return Shots(int(given) if isinstance(given, np.integer) else given)
    except (TypeError, ValueError, LookupError):
        pass
    raise InputError(f"shots are a whole number of at least 1, or a list of them; got {shown(given)}")


def check_wires(wires: Any) -> None:
    """Refuse what is neither a number of wires nor their labels.

    Raises:
        InputError: no number of at least 1, too many, or labels that are the same.
    """
    try:
        if isinstance(wires, Iterable):
            wires = Wires(wires)
        if (
            wires is None
            or isinstance(wires, Wires)
            or (1 <= operator.index(wires) <= MOST_WIRES and wires is not True)
        ):
            return
    except Exception:  # PennyLane's own are of several kinds
        pass
    raise InputError(f"wires are a number of at least 1, up to {MOST_WIRES}, or labels that differ; got {shown(wires)}")
