"""Notes as rotations: amplitudes by hand, length one, and what is declared to be the same is, and nothing else."""

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from encoding import REST, InputError
from encoding.clock import ENCODINGS, compass, encoding_named, hour, octave, of_voices, pitch_class
from encoding.qubits import Encoding

PITCHES = st.lists(st.integers(0, 127), min_size=1, max_size=6)
HALF, THIRD = np.sqrt(0.5), np.sqrt(3) / 2
BY_HAND = {  # k -> cos(k pi/12), sin(k pi/12), from the half angles of the square and the hexagon
    0: (1, 0),
    2: (THIRD, 0.5),
    3: (HALF, HALF),
    4: (0.5, THIRD),
    6: (0, 1),
    8: (-0.5, THIRD),
    9: (-HALF, HALF),
    10: (-THIRD, 0.5),
}
X = np.array([[0, 1], [1, 0]])
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1, -1])


@pytest.mark.parametrize(("k", "amplitudes"), BY_HAND.items())
@pytest.mark.parametrize("rest", ["axis", "noon"])
def test_hours_are_multiples_of_30_degrees_as_in_the_talk(k, amplitudes, rest):
    assert_allclose(pitch_class(rest=rest).states([48 + k, 60 + k]), [amplitudes] * 2, atol=1e-15)


def test_a_quarter_turn_of_the_clock_is_three_hours():
    state, apart = pitch_class().states(np.arange(60, 72)), np.subtract.outer(range(12), range(12))
    assert_allclose(np.abs(state.conj() @ state.T) ** 2, np.cos(np.pi / 12 * apart) ** 2, atol=1e-15)


@pytest.mark.parametrize("name", ENCODINGS)
@given(pitches=st.lists(st.integers(43, 96), min_size=1, max_size=6))
def test_states_have_length_one_and_their_bloch_vectors_and_densities_belong_to_them(name, pitches):
    encoding = encoding_named(name)
    states, rho = encoding.states([*pitches, REST]), encoding.densities([*pitches, REST])
    assert_allclose((np.abs(states) ** 2).sum(-1), 1)
    assert_allclose(rho, np.einsum("ni,nj->nij", states, states.conj()))
    for qubit in range(encoding.n_qubits):
        left, right = np.eye(2**qubit), np.eye(2 ** (encoding.n_qubits - qubit - 1))
        for axis, pauli in enumerate((X, Y, Z)):
            whole = np.kron(np.kron(left, pauli), right)
            expected = np.einsum("ni,ij,nj->n", states.conj(), whole, states).real
            assert_allclose(encoding.bloch([*pitches, REST])[:, qubit, axis], expected, atol=1e-12)


@pytest.mark.parametrize(("name", "options"), [*((name, {}) for name in ENCODINGS), ("pitch-class", {"rest": "noon"})])
def test_two_notes_have_one_name_if_and_only_if_they_have_one_state(name, options):
    encoding = encoding_named(name, **options)
    states = encoding.states(encoding.known)
    one_state = np.abs(states.conj() @ states.T) ** 2 > 1 - 1e-9
    names = [encoding.same(note) for note in encoding.known]
    one_name = np.array([[a == b for a in names] for b in names])
    np.testing.assert_array_equal(one_state, one_name)


def test_silence_is_as_near_to_every_hour_as_to_any_other():
    state = pitch_class().states([*range(60, 72), REST])
    assert_allclose(np.abs(state[:12].conj() @ state[12]) ** 2, 0.5)


def test_a_phase_is_not_seen_at_the_poles_and_half_a_turn_mirrors_the_clock():
    encoding = encoding_named("octave-phase")
    state = encoding.states([48, 60, 54, 66, 36 + 4, 36 + 72 + 8])
    fidelity = np.abs((state[::2].conj() * state[1::2]).sum(1)) ** 2
    assert_allclose(fidelity, 1)


def test_a_compass_is_one_dial_with_a_place_for_silence():
    encoding = compass(60, 62)
    assert_allclose(encoding([60, 61, 62, REST])[:, 0], np.array([0, 0.25, 0.5, 0.75]) * 2 * np.pi)
    chords = np.array([[70, 60, 55, 43], [72, 65, REST, 50]])
    assert [len(voice.known) for voice in of_voices("compass", chords)] == [4, 7, 2, 9]


def test_voices_share_an_encoding_that_is_no_compass():
    assert {encoding.name for encoding in of_voices("octave-qubit")} == {"octave-qubit"}


@given(pitches=PITCHES)
def test_an_hour_and_an_octave_make_a_pitch(pitches):
    np.testing.assert_array_equal(12 * octave(pitches) + hour(pitches), pitches)
    assert hour([REST]) == octave([REST]) == REST


@settings(max_examples=30)
@given(
    rotations=st.lists(st.tuples(st.sampled_from(["RX", "RY", "RZ"]), st.integers(0, 2)), min_size=1, max_size=5),
    slopes=st.lists(st.floats(-4, 4), min_size=5, max_size=5),
)
def test_any_rotations_in_any_order_are_matrices_one_after_the_other(rotations, slopes):
    rates = np.array(slopes[: len(rotations)])
    encoding = Encoding("mine", lambda pitch: pitch[:, None] * rates, rotations, range(60, 64))
    n = encoding.n_qubits
    for note in encoding.known:
        psi = np.eye(2**n)[0].astype(complex)
        for (axis, qubit), rate in zip(rotations, rates, strict=True):
            value, vector = np.linalg.eigh({"RX": X, "RY": Y, "RZ": Z}[axis])
            turn = (vector * np.exp(-0.5j * value * rate * note)) @ vector.conj().T
            psi = np.kron(np.kron(np.eye(2**qubit), turn), np.eye(2 ** (n - qubit - 1))) @ psi
        assert_allclose(encoding.states(note), psi, atol=1e-12)


def test_one_rotation_needs_no_axis_of_its_own():
    flat = Encoding("flat", lambda pitch: pitch % 12 * np.pi / 6, notes=range(60, 72))
    assert_allclose(flat.states(range(60, 72)), pitch_class(rest="noon").states(range(60, 72)))


TWO = (("RY", 0), ("RZ", 0))
WRONG = {
    "whole MIDI numbers": lambda: pitch_class()([128]),
    "got -2": lambda: pitch_class()([60, -2]),
    "got 60.5": lambda: pitch_class()([60.5]),
    "got C4": lambda: hour(["C4"]),
    "got ragged": lambda: pitch_class()([[60], [60, 61]]),
    "made for 3 pitches of 60..62, no rests; got pitch 63": lambda: Encoding(
        "three", lambda pitch: pitch[:, None], notes=range(60, 63)
    )([63]),
    "no rests; got rests": lambda: Encoding("three", lambda pitch: pitch[:, None], notes=range(60, 63))([REST]),
    r"finite angles \(n_notes, n_rotations\) = \(1, 2\); got \(1,\)": lambda: Encoding("flat", abs, TWO)([60]),
    "not all finite": lambda: Encoding("deep", lambda pitch: pitch[:, None] * np.nan)([60]),
    "it raised ZeroDivisionError": lambda: Encoding("broken", lambda pitch: 1 // 0)([60]),
    "rotations are at least one of RX, RY, RZ; got 'RW'": lambda: Encoding("x", lambda p: p[:, None], [("RW", 0)]),
    "rotations are at least one": lambda: Encoding("x", lambda p: p[:, None], []),
    "pairs of axis and qubit": lambda: Encoding("x", lambda p: p[:, None], cast(Any, "RY")),
    "a qubit is a whole number": lambda: Encoding("x", lambda p: p[:, None], cast(Any, [("RY", 0.5)])),
    "at most 16 qubits": lambda: Encoding("x", lambda p: p[:, None], [("RY", 16)]),
    "at most 8 qubits": lambda: Encoding("x", lambda p: p[:, None], [("RY", 8)]).densities(60),
    "pitches, each once, at least one": lambda: Encoding("x", lambda p: p[:, None], notes=[60, 60]),
    "notes are pitches": lambda: Encoding("x", lambda p: p[:, None], notes=cast(Any, 5)),
    "radians, real numbers; got complex128": lambda: Encoding("x", lambda p: p[:, None] * 1j)([60]),
    "radians, real numbers; got <U": lambda: Encoding("x", lambda p: p[:, None].astype(str))([60]),
    "functions for angles and same": lambda: Encoding("x", lambda p: p[:, None], same=cast(Any, 3)),
    "take at most 1.07374 GB": lambda: Encoding("x", lambda p: p[:, None], [("RY", 7)]).densities([60] * 20_000),
    "encodings are pitch-class": lambda: encoding_named("clock"),
    "has other options": lambda: encoding_named("compass", rest="noon"),
    "rest is one of axis, noon": lambda: encoding_named("pitch-class", rest="night"),
    "from a pitch up to another": lambda: compass(70, 60),
    "have 4 voices": lambda: of_voices("compass", [[60, 61, 62]]),
    "silent throughout": lambda: of_voices("compass", [[60, 61, 62, REST]]),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_no_encoding_is_said_in_a_line(message):
    with pytest.raises(InputError, match=message) as caught:
        WRONG[message]()
    assert "\n" not in str(caught.value)
