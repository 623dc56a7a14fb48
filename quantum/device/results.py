"""What a circuit returns, in the shapes that PennyLane gives it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pennylane.measurements import (
    CountsMP,
    ExpectationMP,
    ProbabilityMP,
    SampleMP,
    Shots,
    StateMeasurement,
    VarianceMP,
)
from pennylane.ops import MeasurementValue
from pennylane.wires import Wires

from quantum.device.bases import Term
from quantum.device.outcomes import Outcomes, Wire, bits_of, table_of

Read = Sequence[tuple[Term, Outcomes]]  # the terms of a measurement, each with the outcomes that it is read from


def results_of(
    asked: Sequence[Any], reads: Sequence[Read], shots: Shots, wires: Sequence[Wire], rows: int | None
) -> Any:
    """Of every part of the shots, of every measurement, its result.

    Args:
        asked: measurements of the circuit.
        reads: of each.
        shots: of the circuit, perhaps in parts.
        wires: of the circuit, in their order.
        rows: sets of angles, if the circuit has a batch of them.
    """
    if not shots.has_partitioned_shots:
        return _of_all(asked, reads, wires, rows)
    parts = [[[(term, outcomes.part(*bounds)) for term, outcomes in read] for read in reads] for bounds in shots.bins()]
    return tuple(_of_all(asked, part, wires, rows) for part in parts)


def _of_all(asked: Sequence[Any], reads: Sequence[Read], wires: Sequence[Wire], rows: int | None) -> Any:
    found = tuple(_shaped(one, read, wires, rows) for one, read in zip(asked, reads, strict=True))
    return found[0] if len(found) == 1 else found


def _shaped(one: Any, read: Read, wires: Sequence[Wire], rows: int | None) -> Any:
    """A result, of each set of angles where there are several."""
    if isinstance(one, ExpectationMP | VarianceMP | ProbabilityMP):
        found = np.asarray(_statistic(one, read, wires))
        found = np.array(np.broadcast_to(found, (rows or 1, *found.shape[1:])))  # a copy: torch wants to write
        return found if rows is not None else found[0]
    each = [_single(one, [(term, outcomes.row(k)) for term, outcomes in read], wires) for k in range(rows or 1)]
    if rows is None:
        return each[0]
    return each if isinstance(one, CountsMP) else np.stack(each)


def _statistic(one: Any, read: Read, wires: Sequence[Wire]) -> NDArray[np.float64]:
    """An average, a variance or probabilities, (rows, ...)."""
    if isinstance(one, ExpectationMP):
        total: Any = np.zeros(1)
        for part, seen in read:
            assert part.values is not None
            total = total + part.factor * seen.mean(part.values(seen))
        return total
    term, outcomes = read[0]
    if isinstance(one, VarianceMP):
        assert term.values is not None
        values = term.values(outcomes)
        centred = values - outcomes.mean(values)[:, None]  # first: a difference of squares would lose digits
        return outcomes.mean(centred**2)
    if one.mv is not None:
        assert term.values is not None
        n = len(one.mv) if not isinstance(one.mv, MeasurementValue) else 1
        return outcomes.law(term.values(outcomes).astype(np.int64), 2**n)
    named = one.wires or wires
    return outcomes.law(bits_of(outcomes, named), 2 ** len(named))


def _single(one: Any, read: Read, wires: Sequence[Wire]) -> Any:
    """Samples, counts, or what a measurement makes of them itself, of one set of angles."""
    term, outcomes = read[0]
    if outcomes.kets is not None and isinstance(one, StateMeasurement):
        return one.process_state(outcomes.kets[0], Wires(list(wires)))
    named = one.wires or wires
    values = None if term.values is None or isinstance(one.mv, list | tuple) else _values(term, outcomes)
    if values is None and one.mv is None:
        columns = [outcomes.bits[wire][0] for wire in named]
    elif values is None:
        columns = [outcomes.middle[value.measurements[0].hash][0] for value in one.mv]
    else:
        columns = []
    table = np.stack(columns, -1).astype(np.int64) if columns else None  # (S, wires)
    if isinstance(one, SampleMP):
        found = table if values is None else values
        kind = getattr(one, "_dtype", None)
        return found if kind is None or found is None else found.astype(kind)
    if isinstance(one, CountsMP):
        return _counts(one, table, values)
    assert table is not None
    return one.process_samples(table, Wires(list(named)))


def _values(term: Term, outcomes: Outcomes) -> NDArray[Any]:
    assert term.values is not None
    n = next(iter({**outcomes.bits, **outcomes.middle}.values())).shape[1]
    return np.array(np.broadcast_to(term.values(outcomes), (1, n))[0])


def _counts(one: CountsMP, table: NDArray[np.int64] | None, values: NDArray[Any] | None) -> dict[Any, Any]:
    """How often each outcome was seen: eigenvalues, values of an expression, or strings of bits."""
    if values is None:
        assert table is not None
        _, first, times = np.unique(_packed(table), return_index=True, return_counts=True)
        names: list[Any] = ["".join(map(str, bits)) for bits in table[first].tolist()]
        n = table.shape[1]
        all_names: list[Any] = [f"{k:0{n}b}" for k in range(2**n if one.all_outcomes else 0)]
    else:
        exact = _eigenvalues(one)
        if exact is not None:  # one name for an eigenvalue, whatever the rounding of a sum
            values = exact[np.abs(values[:, None] - exact).argmin(1)]
        elif values.dtype == np.float64:
            values = np.round(values, 12) + 0.0
        found, times = np.unique(values, return_counts=True)
        names, all_names = list(found), list(exact) if one.all_outcomes and exact is not None else []
    return dict.fromkeys(all_names, np.int64(0)) | dict(zip(names, times, strict=True))


def _packed(table: NDArray[np.int64]) -> NDArray[Any]:
    """Rows of bits as strings of bytes, in the same order; numpy sorts these far faster than rows."""
    packed = np.packbits(table.astype(np.uint8), axis=1)
    return packed.view(f"V{packed.shape[1]}")[:, 0] if packed.shape[1] > 1 else packed[:, 0]


def _eigenvalues(one: CountsMP) -> NDArray[Any] | None:
    """All that can be seen, where asked for."""
    if not one.all_outcomes:
        return None
    if isinstance(one.mv, MeasurementValue):
        return np.unique(table_of(one.mv))
    every = np.sort(np.real(np.asarray(one.eigvals())))
    return every[np.append(True, np.diff(every) > 1e-9)]
