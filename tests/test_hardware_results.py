"""What came back from a machine beside what is computed here: numbers, pictures, chords."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.transpiler import InstructionProperties
from scipy.stats import chi2

from encoding import InputError, multi_hot
from encoding.score import write_midi
from experiments.figures.machine_chords import machine_picture
from experiments.hardware_music import accuracy, foretold
from experiments.hardware_results import Played, exactly, simulated
from experiments.hardware_told import headline, table
from experiments.submission import Wish
from quantum import QuantumRNN, backend_named
from quantum.backends import noise_of
from quantum.excerpts import Estimate, Excerpt
from quantum.mitigation import misreadings, reader
from quantum.outcomes import Kept, Shown, some_shots

HOW: dict[str, Any] = {
    "schedule": "coherent",
    "n_history": 1,
    "n_layers": 1,
    "kernel": "plain",
    "readout_start": "random",
}


@pytest.fixture(scope="module")
def network(music):
    """A network, untrained, and a piece of four chords that it knows."""
    pieces = music(4, 4)
    return QuantumRNN(pieces, seed=3, **HOW), pieces[0]


@pytest.fixture
def excerpt(network):
    return Excerpt(*network)


def test_shots_of_aer_have_the_scatter_of_exact_averages_and_noise_is_seen(excerpt):
    backend, shots = backend_named("fake:FakeNairobiV2", seed=0), 3000
    (ideal, noisy), left_out = simulated(excerpt, backend, shots, most_seconds=1e6)
    exact = excerpt.exact()
    assert (ideal.where, noisy.where, left_out) == ("aer", "aer:noise=FakeNairobiV2", [])
    (z_ideal, z_noisy) = ((one.features - exact) / np.sqrt((1 - exact**2) / shots) for one in (ideal, noisy))
    assert 1e-3 < chi2.sf((z_ideal**2).sum(), z_ideal.size) < 1 - 1e-4  # qubits of a chord hang together a little
    assert chi2.sf((z_noisy**2).sum(), z_noisy.size) < 1e-6


def test_simulators_that_take_long_are_left_out_and_it_is_said(excerpt):
    found, left_out = simulated(excerpt, backend_named("aer:noise=FakeNairobiV2", seed=0), 10**6, most_seconds=1)
    assert found == []
    assert [line.partition(" is left out")[0] for line in left_out] == ["aer", "aer:noise=FakeNairobiV2"]
    assert all("s may be spent" in line for line in left_out)
    assert simulated(excerpt, backend_named("aer"), 10, most_seconds=0) == (
        [],
        ["no simulator was asked (--simulate-for 0)"],
    )
    found, left_out = simulated(excerpt, backend_named("aer"), 10, most_seconds=9)
    assert ([one.where for one in found], left_out) == (["aer"], ["aer has no noise of its own to compare with"])


def test_the_errors_of_chords_are_their_scatter_over_repeats(excerpt):
    backend, shots, found = backend_named("aer", seed=2), 100, []
    for _ in range(16):
        kept = Kept(backend)
        found.append(excerpt.estimate(excerpt.shown(kept, shots), kept.results, shots))
    scatter = np.std([one.chords for one in found], axis=0, ddof=1)
    told = np.sqrt(np.mean([one.chord_errors**2 for one in found], axis=0))
    assert (0.45 < scatter / told).all()
    assert (scatter / told < 1.8).all()  # each of three has 18 %
    assert found[0].chords.mean() == pytest.approx(found[0].value)
    assert exactly(excerpt).found.chords == pytest.approx(excerpt.losses(excerpt.exact()))


def test_one_or_two_shots_have_no_error(excerpt):
    for shots in (1, 2):
        kept = Kept(backend_named("aer", seed=2))
        found = excerpt.estimate(excerpt.shown(kept, shots), kept.results, shots)
        assert (found.error, found.chord_errors) == (None, None)


def test_shots_that_are_all_alike_leave_no_error_to_be_told_and_a_readout_that_hears_none_has_none(network, music):
    system, piece = network
    for start, error in (("random", None), ("zero", 0.0)):  # with K = 0 the NLL is the same whatever the shots are
        other = QuantumRNN(music(4, 4), seed=3, **dict(HOW, readout_start=start))
        own, kept = Excerpt(other, piece), Kept(backend_named("aer", seed=2))
        own.shown(kept, 8)
        alike = some_shots(kept.results, np.zeros(8, int))
        found = own.estimate(own.shown(Shown(alike), 8), alike, 8)
        assert found.error == error
        assert (found.chord_errors is None) == (error is None)
    collected: Any = SimpleNamespace(
        path=Path("a.json"),
        wish=Wish("aer", 8, machine="aer"),
        excerpt=Excerpt(system, piece),
        name="a: aer",
        exact=exactly(Excerpt(system, piece)),
        machine=Played("aer (sent)", 8, Excerpt(system, piece).exact(), Estimate(0.5, None, np.ones(3), None)),
        left_out=[],
    )
    collected.played = [collected.exact, collected.machine]
    assert "NLL 0.50000 +- not known, with" in headline(collected)
    assert "0.50000 +- not known " in list(table(collected))[-1]


def test_some_shots_are_those_that_were_asked_for():
    circuit = QuantumCircuit(3, 3)
    circuit.h(range(3))
    circuit.measure(range(3), range(3))
    (result,) = kept = [backend_named("aer", seed=1).run([circuit], shots=9).result()]
    (part,) = some_shots(kept, np.array([1, 4, 7]))
    assert part[0].data.c.array.tolist() == result[0].data.c.array[[1, 4, 7]].tolist()


# Readout


class ByHand:
    """mthree's own words, by the inverse of the whole matrix of misread outcomes."""

    def __init__(self, system):
        assert system is None

    def cals_from_matrices(self, matrices):
        self.matrices = matrices

    def apply_correction(self, counts, qubits):
        n = len(qubits)
        seen = np.array([counts.get(format(key, f"0{n}b"), 0) for key in range(2**n)], float)
        whole = np.eye(1)
        for qubit in qubits:  # the first is the last letter
            whole = np.kron(self.matrices[qubit], whole)
        law = np.linalg.solve(whole, seen / seen.sum())

        def expval(sign):
            masks = sum(1 << place for place, letter in enumerate(reversed(sign)) if letter == "Z")
            return sum(p * (-1) ** (key & masks).bit_count() for key, p in enumerate(law))

        return SimpleNamespace(expval=expval)


@pytest.fixture
def mthree(monkeypatch):
    """A module of that name, which is not a dependency."""
    from importlib.machinery import ModuleSpec

    module = SimpleNamespace(M3Mitigation=ByHand, __spec__=ModuleSpec("mthree", None))
    monkeypatch.setitem(sys.modules, "mthree", module)


def misread_alone(backend):
    """A machine whose gates never err, and whose readout does, of each qubit otherwise."""
    target = backend.target
    for name in target.operation_names:
        for place in target[name] or {}:
            error = 0.02 + 0.04 * place[0] if name == "measure" else 0.0
            if place is not None and target[name][place] is not None:
                target.update_instruction_properties(name, place, InstructionProperties(error=error, duration=0.0))
    target.qubit_properties = None
    return backend


def test_readout_that_errs_alone_is_put_right(mthree, excerpt):
    backend, shots, exact = misread_alone(backend_named("aer:noise=FakeNairobiV2", seed=4)), 8000, excerpt.exact()
    assert [matrix[1, 0] for matrix in misreadings(backend)] == pytest.approx(0.02 + 0.04 * np.arange(7))
    kept = Kept(backend)
    raw, read = excerpt.shown(kept, shots), reader("mthree", backend)
    better = read(kept.results, kept.pubs)
    error = 1 / np.sqrt(shots) / (1 - 2 * 0.26)  # of the worst qubit
    assert abs(better - exact).max() < 5 * error < abs(raw - exact).max()
    found = excerpt.estimate(better, kept.results, shots, read=lambda parts: read(parts, kept.pubs))
    assert found.error is not None
    assert abs(found.value - excerpt.nll(exact)) < 4 * found.error < abs(excerpt.nll(raw) - excerpt.nll(exact))


def test_readout_that_cannot_be_put_right_is_refused_in_a_line(excerpt, monkeypatch):
    machine = backend_named("aer:noise=FakeNairobiV2", seed=4)
    with pytest.raises(InputError, match="mitigated by mthree; got 'magic'"):
        reader("magic", machine)
    with pytest.raises(InputError, match="aer misreads nothing"):
        reader("mthree", backend_named("aer"))
    monkeypatch.setattr("quantum.mitigation.find_spec", lambda name: None)
    with pytest.raises(InputError, match="needs mthree, which is not installed: pip install mthree"):
        reader("mthree", machine)


# Music and pictures


def test_fields_of_the_written_chords_foretell_them(network, excerpt, monkeypatch):
    _, piece = network
    his = multi_hot(piece.pitches)
    monkeypatch.setattr(excerpt, "fields", lambda features: 3 * his[1:] + features)
    played = foretold(excerpt, np.zeros((3, 54)), piece.pitches[0])
    assert (multi_hot(played) == his).all()
    n_notes = int((his[1:] > 0).sum())
    assert accuracy(played, piece.pitches) == (3, 3, n_notes, n_notes, 0)
    loud, silent = np.zeros((3, 54)), np.zeros((3, 54))
    key = np.flatnonzero(his[1] < 0)[0]
    loud[0, key], silent[2] = 7, -7  # surer than one of the four that are there; no note at all
    found = accuracy(foretold(excerpt, loud, piece.pitches[0]), piece.pitches)
    assert (found.chords, found.wrong, n_notes - found.notes) == (2, 1, int((his[1] > 0).sum() == 4))
    found = accuracy(foretold(excerpt, silent, piece.pitches[0]), piece.pitches)
    assert (found.chords, found.wrong, n_notes - found.notes) == (2, 0, int((his[3] > 0).sum()))


@given(st.integers(0, 10**6), st.integers(2, 9))
@settings(max_examples=20)
def test_what_is_as_written_is_counted_right(music, seed, n):
    (written,), (other,) = music(n, seed=seed), music(n, seed=seed + 1)
    ours, his = multi_hot(other.pitches)[1:] > 0, multi_hot(written.pitches)[1:] > 0
    found = accuracy(other.pitches, written.pitches)
    assert found.notes + found.wrong == ours.sum()
    assert found.n_notes == his.sum()
    same = accuracy(written.pitches, written.pitches)
    assert same == (n - 1, n - 1, his.sum(), his.sum(), 0)


# By the command


@pytest.fixture
def collected(armonica, music, tmp_path, monkeypatch, capsys):
    """What `armonica collect` says and writes of a submission: `collected("aer")`."""
    monkeypatch.setenv("ARMONICA_JOURNAL", str(tmp_path / "jobs.sqlite"))
    (tmp_path / "midi").mkdir()
    for i, piece in enumerate(music(5, 4)):
        write_midi(tmp_path / "midi" / f"piece{i}.mid", piece.pitches)
    words = ["--system", "quantum", "--kernel", "plain", "--first", 2, "--excerpt", 4, "--rate", 0.01, "--until", 0.02]
    words += [f"--set={said}" for said in ("schedule=coherent", "n_history=1", "n_layers=1")]
    assert armonica("learn", *words, "--source", tmp_path / "midi", "--store", tmp_path / "runs") == 0
    (run,) = (path.parent for path in (tmp_path / "runs").glob("*/task.json"))

    def collect(backend, *submitted, fetch=()):
        assert armonica("submit", run, "--backend", backend, "--shots", 512, *submitted) == 0
        capsys.readouterr()
        assert armonica("collect", run, *fetch) == 0
        return run, capsys.readouterr().out

    return collect


def test_collect_shows_four_rows_and_writes_numbers_a_picture_and_music(collected, mthree):
    run, said = collected("fake:FakeNairobiV2", fetch=("--readout-mitigation", "mthree"))
    rows = ["exact", "aer", "aer:noise=FakeNairobiV2", "fake:FakeNairobiV2 (sent)", "fake:FakeNairobiV2, mthree"]
    for row in rows:  # once in the table, once with its chords
        assert len([line for line in said.splitlines() if line.strip().startswith(f"{row} ")]) == 2
    (stem,) = (path.name.partition(".")[0] for path in (run / "hardware").glob("*.result.json"))
    suffixes = ("json", "result.json", "png", "csv", "mid", "wav")
    files = {path.name for path in (run / "hardware").iterdir()}
    assert files == {f"{stem}.{suffix}" for suffix in suffixes} | {
        f"{stem}-original.mid",
        f"{stem}-original.wav",
        f"{stem}-roll.png",
    }
    told = json.loads((run / "hardware" / f"{stem}.result.json").read_text())
    assert [one["where"] for one in told["played"]] == rows
    table = (run / "hardware" / f"{stem}.csv").read_text()
    for one in told["played"][1:]:
        for value, error in zip(one["chords"], one["chord_errors"], strict=True):
            assert f",{value!r},{value - error!r},{value + error!r}," in table


def test_a_mitigation_or_a_picture_that_there_is_not_is_one_line(collected, complaint):
    run, _ = collected("aer", fetch=("--simulate-for", 0))
    assert "(--picture) is of a kind: png, svg, pdf; got 'gif'" in complaint("collect", run, "--picture", "gif")
    assert "aer misreads nothing" in complaint("collect", run, "--readout-mitigation", "mthree")


def test_a_submission_that_cannot_be_fetched_hides_no_other(collected, armonica, capsys):
    run, _ = collected("aer", fetch=("--simulate-for", 0))
    (run / "hardware" / "0.json").write_text("{}")
    assert armonica("collect", run, "--simulate-for", 0) == 2
    said, error = capsys.readouterr()
    assert "0.json is no submission" in said
    assert "NLL" in said
    assert error == "armonica: 1 of 2 submissions could not be fetched, as their lines say\n"


def test_the_noise_beside_a_machine_is_that_of_its_target_now():
    backend = backend_named("fake:FakeManilaV2", seed=1)
    noisy = noise_of(backend, seed=1)
    assert noisy is not None
    assert (noisy.name, noisy.target, noisy.abilities.charges) == ("aer:noise=FakeManilaV2", backend.target, False)
    assert noise_of(backend_named("exact")) is None


def test_a_picture_of_what_was_played_has_a_bar_for_every_chord(excerpt, network):
    (ideal,), _ = simulated(excerpt, backend_named("aer"), 300, most_seconds=1e6)
    exact = exactly(excerpt)
    collected: Any = SimpleNamespace(exact=exact, machine=ideal, played=[exact, ideal], left_out=["what is missing"])
    picture = machine_picture(collected)
    (bars,) = (one for one in picture.series if (one.panel, one.name) == ("far", "aer"))
    assert bars.x.tolist() == [2, 3, 4]
    assert bars.y == pytest.approx(ideal.found.chords - exact.found.chords)
    low, high, errors = (np.asarray(one) for one in (bars.low, bars.high, ideal.found.chord_errors))
    assert high - low == pytest.approx(2 * errors)
    assert picture.notes == ["what is missing"]
