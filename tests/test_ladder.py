"""Ladders: counted by hand, and none that would take for ever."""

import pytest

from encoding import InputError
from quantum.ladder import Ladder, edges


def test_gates_and_angles_are_those_counted_by_hand():
    ladder = Ladder(3, 2, closing=True)
    names = [gate.name for gate in ladder.gates()]
    layer = 3 * ["RX", "RZ", "RX"]
    assert names == [*layer, *3 * ["RZZ"], *layer, *3 * ["RZZ"], *layer]
    assert [gate.angle for gate in ladder.gates()] == list(range(ladder.n_angles))
    assert [gate.qubits for gate in ladder.gates() if gate.name == "RZZ"] == 2 * [(0, 1), (1, 2), (2, 0)]


@pytest.mark.parametrize(
    ("n", "topology", "pairs"),
    [(1, "ring", 0), (2, "ring", 1), (3, "ring", 3), (5, "ring", 5), (5, "chain", 4), (5, "all-to-all", 10)],
)
def test_every_topology_has_its_edges_once(n, topology, pairs):
    found = edges(n, topology)
    assert len(found) == len({frozenset(pair) for pair in found}) == pairs


REFUSED = {
    "a topology is one of ring, chain, all-to-all; got 'star'": lambda: Ladder(3, topology="star"),
    "number of qubits is a whole number of at least 1; got 0": lambda: Ladder(0),
    "at most 1024; got 10000000": lambda: Ladder(10**7),
    "at most 65536; got 1000000000": lambda: Ladder(2, 10**9),
    "at most 1048576 gates; got 4194304": lambda: Ladder(1024, 1024),
    "rotations are one of XZX, ZX": lambda: Ladder(2, rotations="XYX"),
    "closing is True or False": lambda: Ladder(2, closing=1),  # type: ignore[arg-type]  # as a user may
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_no_ladder_is_said_in_a_line_at_once(message):
    with pytest.raises(InputError, match=message):
        REFUSED[message]()
