"""The journal by itself, and with simulators: names, rules that the file keeps, packing, money, mishaps of the disk."""

import errno
import os
import shutil
import sqlite3
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.classical import expr
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError, Purpose, encoding_named, pack, stream
from quantum import Block, Ladder, Sampler, backend_named, features_of
from quantum.jobs import Busy, Journal, JournalSampler
from quantum.journal import owners, places
from quantum.journal.identity import circuit_digest, intent_id
from quantum.journal.money import Price, check_limit, duration, pairs_in, price_of
from quantum.journal.owners import Owner, may_be_alive, read_owner
from quantum.journal.packing import NoResult, pack_pubs, pack_result, unpack_pubs, unpack_result
from quantum.journal.tables import ALLOWED, STATES
from quantum.music import chord_angles

WHO = {"task": "t", "step": 0, "evaluation": 0, "place": "ibm:x", "machine": "ibm:x", "charges": 1}
PRICE = Price(1, 1, 100, 3, 1, 2.0)
ID = "a" * 64


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "jobs.sqlite") as held:
        yield held


def intended(journal, intent=ID, **who):
    return journal.intend(intent, WHO | who, PRICE, b"circuits", limit=1e6)


def pub(given):
    return SamplerPub.coerce(given)


def bell():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


angles = arrays(np.float64, st.integers(0, 5), elements=st.floats(-10, 10))


def decided(build):
    """A circuit with an if on an expression of two bits."""
    circuit = QuantumCircuit(2, 2)
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test(build(*circuit.clbits)):
        circuit.x(0)
    return circuit


def with_matrix(entry):
    circuit = QuantumCircuit(6)
    phases = np.ones(64)
    phases[30] = entry
    circuit.unitary(np.diag(phases), range(6))
    return circuit


def with_gate(angle, *, state=None):
    inner = QuantumCircuit(1)
    inner.rx(angle, 0)
    gate = inner.to_gate()
    circuit = QuantumCircuit(2)
    circuit.append(gate if state is None else gate.control(1, ctrl_state=state), [0] if state is None else [0, 1])
    return circuit


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (decided(lambda a, b: expr.logic_and(a, b)), decided(lambda a, b: expr.logic_or(a, b))),
        (decided(lambda a, b: expr.logic_and(a, b)), decided(lambda a, b: expr.logic_and(a, expr.logic_not(b)))),
        (decided(lambda a, b: (a, 1)), decided(lambda a, b: (b, 1))),
        (decided(lambda a, b: (a, 1)), decided(lambda a, b: (a, 0))),
        (with_matrix(1), with_matrix(-1)),
        (with_gate(0.1), with_gate(0.2)),
        (with_gate(0.1, state=0), with_gate(0.1, state=1)),
        (with_gate(0.1, state=0), with_gate(0.2, state=0)),
    ],
)
def test_circuits_that_do_other_things_have_other_names(one, other):
    assert circuit_digest(one) != circuit_digest(other)


def test_circuits_that_do_the_same_have_one_name_whatever_their_gates_are_called():
    for build in (lambda: with_gate(0.1), lambda: with_gate(0.1, state=0), lambda: with_matrix(1)):
        first, again = build(), build()
        assert circuit_digest(first) == circuit_digest(again)
    assert with_gate(0.1).data[0].name != with_gate(0.1).data[0].name  # Qiskit counts


@settings(max_examples=40)
@given(angles, angles, st.integers(0, 3), st.integers(0, 3), st.sampled_from(["Z", "X"]))
def test_the_name_of_an_evaluation_is_a_function_of_the_question_and_of_nothing_else(theta, x, step, evaluation, basis):
    def named(**other):
        said = {"step": step, "evaluation": evaluation, "theta": theta, "x": x, "basis": basis, "shots": [100]} | other
        logical = [{name: said[name] for name in ("theta", "x", "basis")}]
        return intent_id("task", said["step"], said["evaluation"], "aer", said["shots"], logical)

    assert named() == named(theta=list(theta), x=np.array(x, np.float64))
    others = [{"step": step + 1}, {"evaluation": evaluation + 1}, {"shots": [101]}, {"shots": [100, 100]}]
    others += [{"theta": np.append(theta, 0.0)}, {"basis": "Y"}, {"x": x + 1.0}] if len(x) else [{"basis": "Y"}]
    assert len({named(), *(named(**other) for other in others)}) == len(others) + 1


def test_parameters_that_move_from_one_name_to_the_next_make_another_name():
    first = intent_id("t", 0, 0, "aer", [1], [{"a": [1.0, 2.0], "b": [3.0]}])
    assert first != intent_id("t", 0, 0, "aer", [1], [{"a": [1.0], "b": [2.0, 3.0]}])
    with pytest.raises(InputError, match="is finite; got NaN"):
        intent_id("t", 0, 0, "aer", [1], [{"a": [np.nan]}])


def test_the_name_does_not_depend_on_the_machine_s_gates(journal, music):
    note, pieces = encoding_named("pitch-class"), music(4)
    chords = chord_angles(pieces, pack(pieces), note)
    block = Block(Ladder(5), n_data=4, schedule="coherent", rotations=note)
    theta, found = np.full((1, block.ladder.n_angles), 0.3), []

    class Told(Exception):
        pass

    class Listens(JournalSampler):
        def _intend(self, intent, asked):
            found.append((intent, circuit_digest(asked[0].circuit)))
            raise Told

    for level in (0, 3):
        backend = backend_named("aer:noise=FakeManilaV2", seed=1)
        sampler = Listens(backend, journal, task="t")
        source = Sampler(block, chords, sampler, 100, pass_manager=backend.pass_manager(level))
        with pytest.raises(Told):
            features_of(source, theta, stream(0, 0, Purpose.OUTCOME))
    (one, circuit), (other, another) = found
    assert one == other
    assert circuit != another


def test_a_step_that_is_repeated_takes_its_numbers_from_the_journal(journal, music):
    note, pieces = encoding_named("pitch-class"), music(4, 3)
    chords = chord_angles(pieces, pack(pieces), note)
    block = Block(Ladder(5), n_data=4, schedule="measured", rotations=note)
    theta = np.full((2, block.ladder.n_angles), 0.3)
    seen = []
    for seed in (1, 2):  # the second time nothing is drawn
        sampler = JournalSampler(backend_named("aer", seed=seed), journal, task="t").at(3)
        seen.append(features_of(Sampler(block, chords, sampler, 50), theta, stream(0, 0, Purpose.OUTCOME)))
    assert (seen[0] == seen[1]).all()
    assert [row.state for row in journal.rows()] == ["done"] * 3  # a job a chord
    assert [row.evaluation for row in journal.rows()] == [0, 1, 2]


def test_two_steps_have_numbers_of_their_own_and_a_seed_repeats_them(tmp_path):
    def counts(folder, step):
        with Journal(tmp_path / folder) as journal:
            sampler = JournalSampler(backend_named("aer", seed=5), journal, task="t")
            return sampler.at(step).run([bell()], shots=200).result()[0].data.meas.array.tolist()

    assert counts("a", 0) != counts("a", 1)
    assert counts("b", 1) == counts("a", 1)  # whatever was asked for before


@settings(max_examples=10)
@given(st.integers(1, 3), st.integers(1, 20), st.integers(1, 9), st.integers(0, 1000))
def test_circuits_and_outcomes_come_back_from_the_journal_as_they_went_in(n_rows, shots, size, seed):
    rng, theta = np.random.default_rng(seed), ParameterVector("theta", 2)
    circuit = QuantumCircuit(size, size)
    circuit.ry(theta[0] + theta[1], 0)
    circuit.measure(range(size), range(size))
    asked = [pub((circuit, rng.normal(size=(n_rows, 2)), shots))]
    (again,) = unpack_pubs(pack_pubs(asked))
    assert circuit_digest(again.circuit) == circuit_digest(circuit)
    assert (
        again.parameter_values.as_array(again.circuit.parameters) == asked[0].parameter_values.as_array(theta)
    ).all()
    bits = BitArray.from_bool_array(rng.random((n_rows, shots, size)) < 0.5)
    result = PrimitiveResult([SamplerPubResult(DataBin(c=bits, shape=(n_rows,)))])
    assert unpack_result(pack_result(result, asked), asked)[0].data.c == bits
    for wrong in (shots + 1, 2 * shots):
        more = [pub((circuit, np.zeros((n_rows, 2)), wrong))]
        with pytest.raises(NoResult, match="has shots and bits"):
            pack_result(result, more)


@pytest.mark.parametrize(
    "wrong", [None, "<html>", {}, PrimitiveResult([]), PrimitiveResult([SamplerPubResult(DataBin())])]
)
def test_what_is_no_result_is_not_packed(wrong):
    with pytest.raises(NoResult):
        pack_result(wrong, [pub((bell(), None, 5))])


def test_only_ways_that_are_allowed_lead_from_state_to_state(tmp_path):
    for before in STATES:
        for after in STATES:
            with Journal(tmp_path / f"{before}-{after}") as journal:
                intended(journal)
                raw = journal._held
                (rule,) = raw.execute("SELECT sql FROM sqlite_schema WHERE name = 'one_way'").fetchone()
                raw.execute("DROP TRIGGER one_way")
                journal.has_job(ID, "J", "intended")
                raw.execute("UPDATE intents SET state = ?, result = ?", (before, b"x" if before == "done" else None))
                raw.execute(rule)
                allowed = before == after or (before, after) in ALLOWED
                change = ("UPDATE intents SET state = ?, result = ?", (after, b"x" if after == "done" else None))
                if allowed:
                    raw.execute(*change)
                else:
                    with pytest.raises(sqlite3.IntegrityError):
                        raw.execute(*change)


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM intents",
        "DELETE FROM jobs",
        "UPDATE intents SET result = x'00'",
        "UPDATE intents SET job = 'other'",
    ],
)
def test_what_is_done_is_neither_changed_nor_deleted(journal, harm):
    intended(journal)
    journal.has_job(ID, "J")
    journal.keep(ID, b"outcomes")
    with pytest.raises(sqlite3.IntegrityError):
        journal._held.execute(harm)
    assert journal.keep(ID, b"others").state == "done"
    assert journal.result(ID) == b"outcomes"


def test_everything_that_is_set_aside_or_used_counts(journal):
    intended(journal)
    assert journal.spent() == 5  # ceil(2 * 2) + 1
    journal.has_job(ID, "J")
    journal.has_extra(ID, "K")
    assert journal.spent() == 10
    journal.charged("J", 1.5)
    journal.charged("K", 0.5)
    assert (journal.spent(), journal.used(ID)) == (2.0, 2.0)
    intended(journal, "b" * 64, charges=0)
    assert journal.spent() == 2.0
    with pytest.raises(InputError, match=r"of the limit of 3.9 s the journal has spent or set aside 2 s"):
        journal.intend("c" * 64, WHO, PRICE, b"", limit=3.9)
    assert journal.find("c" * 64) is None


@given(st.floats(0.1, 1e4), st.floats(0, 1e4), st.floats(0, 1e5))
def test_what_is_set_aside_never_exceeds_the_limit(seconds, spent, limit):
    try:
        bound = check_limit(Price(1, 1, 1, 1, 1, seconds), spent, limit)
    except InputError:
        assert limit - spent < seconds + 1
    else:
        assert seconds <= bound
        assert spent + bound <= limit


def test_a_price_is_what_was_counted_by_hand():
    circuit = bell()
    price = price_of([pub((circuit, None, 1000))])
    assert (price.circuits, price.shots, price.pairs) == (1, 1000, 1)
    assert duration(circuit) == pytest.approx(60e-9 + 500e-9 + 3e-6)
    assert price.seconds == pytest.approx(2 + 1000 * (250e-6 + 3.56e-6))
    decided = QuantumCircuit(2, 1)
    decided.measure(0, 0)
    with decided.if_test((0, 1)):
        decided.cx(0, 1)
    assert pairs_in(decided) == 1
    assert duration(decided) == pytest.approx(3e-6 + 500e-9)


def test_clocks_that_go_backwards_change_nothing(journal, monkeypatch):
    intended(journal)
    with journal.leased(ID):
        assert [journal.about_to_post(ID, limited=True) for _ in range(5)] == [0.0] * 5
        monkeypatch.setattr(time, "time", lambda: 0.0)
        assert 59 < journal.about_to_post(ID, limited=True) <= 60
        with Journal(journal.path) as other, pytest.raises(Busy):
            other.leased(ID).__enter__()
    assert journal.row(ID).posts == 5


def test_who_is_dead_holds_nothing(monkeypatch):
    me = Owner()
    assert read_owner(me.words()) == me
    gone = os.fork()
    if not gone:
        os._exit(0)
    os.waitpid(gone, 0)
    now = owners.now()
    assert may_be_alive(me, now)  # a journal of this process
    assert not may_be_alive(me, now - 1e4)
    assert may_be_alive(Owner(pid=os.getppid(), born=owners._born(os.getppid())), now - 1e4)  # alive, if slow
    assert not may_be_alive(Owner(pid=os.getppid(), born="another"), now)  # its number was used again
    assert not may_be_alive(Owner(pid=gone, born=""), now)
    assert not may_be_alive(Owner(boot="before"), now)
    assert may_be_alive(Owner(pid=gone, where="a container"), now)
    assert not may_be_alive(Owner(pid=gone, where="a container"), now - 1e4)


def test_a_change_is_on_the_disk_when_it_ends(journal):
    journal.begin()
    asked = ("journal_mode", "synchronous", "foreign_keys")
    found = [journal._held.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]
    assert found == ["wal", 2, 1]  # 2: FULL, a commit waits for the disk (sqlite.org/pragma.html)


def test_a_full_disk_is_one_line_and_loses_nothing(journal):
    sampler = JournalSampler(backend_named("aer", seed=1), journal, task="t")
    first = sampler.run([bell()], shots=10).result()[0].data.meas
    pages = journal._held.execute("PRAGMA page_count").fetchone()[0]
    journal._held.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OSError, match=r"disk is full \(No space left on device\); what was written before") as full:
        sampler.run([bell()], shots=100_000).result()
    assert full.value.errno == errno.ENOSPC
    assert full.value.filename == str(journal.path)
    journal._held.execute("PRAGMA max_page_count = 1000000")
    assert sampler.at(0).run([bell()], shots=10).result()[0].data.meas == first
    assert sampler.run([bell()], shots=100_000).result()[0].data.meas.num_shots == 100_000
    assert journal._held.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_is_no_journal_is_refused_and_left_as_it_is(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no journal, but a text of some length\n" * 40)
    foreign = tmp_path / "other.sqlite"
    with sqlite3.connect(foreign) as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    newer = tmp_path / "newer.sqlite"
    with Journal(newer) as journal:
        journal.begin()
    with sqlite3.connect(newer) as held:
        held.execute("PRAGMA user_version = 99")
    held.close()
    for path, said in ((text, "is no journal"), (foreign, "no journal of armonica"), (newer, "a newer armonica")):
        before = path.read_bytes()
        with pytest.raises(InputError, match=said):
            Journal(path)
        assert path.read_bytes() == before
    with pytest.raises(OSError, match="File exists"):
        Journal(text / "jobs.sqlite").begin()


def test_a_journal_lies_on_a_disk_of_this_machine(tmp_path, monkeypatch):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        f"2 1 0:9 / {tmp_path}/far rw shared:1 - nfs4 host:/x rw\n"
        f"3 1 8:2 / {tmp_path}/far/near rw - xfs /dev/sdb rw\n"
    )
    kinds = [places.file_system(tmp_path / where / "jobs", mounts) for where in ("", "far", "far/near", "farther")]
    assert kinds == ["ext4", "nfs4", "xfs", "ext4"]
    monkeypatch.setattr(places, "file_system", lambda path: "nfs4")
    with pytest.raises(InputError, match="is on nfs4, a file system of another machine"):
        Journal(tmp_path / "jobs.sqlite")


def test_a_journal_of_its_own_is_readable_by_its_owner_only(journal):
    journal.begin()
    assert journal.path.stat().st_mode & 0o077 == 0


def test_a_journal_is_a_file_from_its_first_change_on_whoever_makes_it(journal):
    assert (journal.rows(), journal.spent(), journal.find(ID), journal.path.exists()) == ([], 0, None, False)
    with Journal(journal.path) as other:
        assert journal.rows() == []
        intended(other)
    assert [row.id for row in journal.rows()] == [ID]


def test_a_journal_that_was_closed_makes_no_file(journal):
    journal.close()
    with pytest.raises(sqlite3.ProgrammingError):
        intended(journal)
    assert not journal.path.exists()


def test_a_copy_made_at_any_time_is_a_journal(journal, tmp_path):
    intended(journal)
    for path in tmp_path.glob("jobs.sqlite*"):
        shutil.copy(path, tmp_path / f"copy{path.name.removeprefix('jobs')}")
    with Journal(tmp_path / "copy.sqlite") as copy:
        assert [row.id for row in copy.rows()] == [ID]


def test_a_sampler_with_a_journal_refuses_what_is_none(journal):
    backend = backend_named("aer")
    with pytest.raises(InputError, match="has a Backend and a Journal"):
        JournalSampler(backend, "jobs.sqlite", task="t")  # pyright: ignore[reportArgumentType]  # as a user may
    with pytest.raises(InputError, match="a limit is in seconds"):
        JournalSampler(backend, journal, task="t", most_seconds=-1)
    with pytest.raises(InputError, match="a step"):
        JournalSampler(backend, journal, task="t").at(-1)
    with pytest.raises(InputError, match="has no job 'none'"):
        journal.named("none")


def broken(path, *statements):
    """The same journal, with contents that nobody wrote."""
    held = sqlite3.connect(path)
    held.execute("PRAGMA writable_schema = ON")
    held.execute("DROP TRIGGER IF EXISTS done_is_done")
    for statement in statements:
        held.execute(statement)
    held.commit()
    held.close()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE intents SET task = CAST(x'ff' AS TEXT)", "ould not decode"),
        ("UPDATE intents SET pubs = x'00'", "(job {id}: its circuits cannot be read)"),
        ("UPDATE intents SET result = x'00'", "(job {id}: its outcomes cannot be read)"),
        ("PRAGMA user_version = -3", "(version -3)"),
        ("PRAGMA user_version = 0", "(version 0)"),
        ("DROP TABLE posts", "no such table: posts"),
        ("ALTER TABLE intents DROP COLUMN reason", "no such column: reason"),
    ],
)
def test_a_damaged_journal_is_said_in_a_line_without_advice_of_libraries(tmp_path, harm, said):
    path, backend = tmp_path / "jobs.sqlite", backend_named("aer", seed=1)

    def asked(journal, task):
        return JournalSampler(backend, journal, task=task).run([bell()], shots=20).result()

    with Journal(path) as journal:
        asked(journal, "test")
        (intent,) = (row.id for row in journal.rows())
    broken(path, harm)
    with pytest.raises(InputError) as told, Journal(path) as journal:  # noqa: PT012  # some harm is told on opening, some later
        asked(journal, "test")
        asked(journal, "another")
        journal.rows()
    assert str(told.value).startswith(f"{path} is a damaged journal (")
    assert said.format(id=intent[:12]) in str(told.value)
    assert "pickle" not in str(told.value)


def test_an_owner_that_is_none_is_said_with_its_job(journal):
    intended(journal)
    broken(journal.path, "UPDATE intents SET owner = 'x'")
    with pytest.raises(InputError, match=f"is a damaged journal .job {ID[:12]}: its owner is none"):
        with journal.leased(ID):
            pass


def test_only_who_sends_begins_a_journal(tmp_path, armonica, complaint):
    nowhere, empty = tmp_path / "nowhere" / "jobs.sqlite", tmp_path / "empty"
    empty.touch()
    for path in (nowhere, empty):
        for words in (["jobs"], ["cancel", "abc"]):
            assert f"there is no journal at {path}" in complaint(*words, "--journal", path)
    assert not nowhere.parent.exists()
    assert empty.stat().st_size == 0
    assert "is a folder: name a file" in complaint("jobs", "--journal", tmp_path)
    assert "is a folder: name a file" in complaint("jobs", "--journal", "")
    with Journal(empty):  # who sends
        assert armonica("jobs", "--journal", empty) == 0
