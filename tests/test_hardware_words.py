"""What the verbs about machines say: each thing once, in a line that tells what to do; and what is stored stays so."""

import errno
import json
import os
import re

import pytest

from experiments.hardware_told import headline
from quantum import Journal
from quantum.jobs import Price

FAKE = "ibm:fake_manila"
QUIET = ("--simulate-for", 0)


@pytest.fixture
def said(armonica, capsys):
    """Lines of a command that ends well: `said("jobs")`."""

    def run(*words):
        capsys.readouterr()
        assert armonica(*words) == 0
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def sent(short_run, said, monkeypatch):
    """A run with two submissions to a simulator: its folder, and their names; pictures and music are empty files."""
    from experiments import collecting

    def empty(*paths):
        for path in paths:
            path.write_bytes(b"")
        return list(paths)

    monkeypatch.setattr(collecting, "draw_machine", lambda found, path: empty(path, path.with_suffix(".csv")))
    monkeypatch.setattr(collecting, "write_music", lambda piece, rolls, stem: empty(stem.with_suffix(".mid")))
    run = short_run()
    lines = [said("submit", run, "--backend", "aer", "--shots", shots) for shots in (50, 60)]
    return run, [line[1][:12] for line in lines]


def headlines(lines):
    return [line for line in lines if re.match(r"[0-9a-f]{12}: ", line)]


# What is stored already


def test_collect_fetches_those_that_are_named_and_those_that_were_not_fetched_yet(sent, said):
    run, (one, two) = sent
    (line,) = headlines(said("collect", run, one[:5], *QUIET))
    assert line.startswith(f"{one}: aer, chorale 0, chords 1 to 4, 50 shots: NLL ")
    assert not (run / "hardware" / f"{two}.result.json").exists()
    lines = {line[:12]: line for line in headlines(said("collect", run, *QUIET))}
    assert f"stored already: {run}/hardware/{one}.result.json (--redo makes it anew)" in lines[one]
    assert lines[one].startswith(line)
    assert "stored already" not in lines[two]
    with Journal() as journal:
        whole = journal.named(one).id
    assert "stored already" in said("collect", run, whole, *QUIET)[0]  # by the name of its first job


def test_what_is_asked_for_in_other_words_or_was_lost_is_made_anew(sent, said):
    run, (one, _) = sent
    said("collect", run, one, *QUIET)
    for words in (("--redo",), ("--picture", ".SVG")):
        assert "stored already" not in headlines(said("collect", run, one, *QUIET, *words))[0]
    said("collect", run, one, *QUIET)
    for lost in (".png", ".mid", ".result.json"):
        (run / "hardware" / f"{one}{lost}").unlink()
        assert "stored already" not in headlines(said("collect", run, one, *QUIET))[0]
        assert "stored already" in headlines(said("collect", run, one, *QUIET))[0]


def test_results_of_a_submission_that_was_edited_are_not_shown_for_it(sent, said, complaint):
    run, (one, _) = sent
    said("collect", run, one, *QUIET)
    path = run / "hardware" / f"{one}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"shots": 51}))
    assert "does not ask what was sent" in complaint("collect", run, one, *QUIET)


def test_names_of_no_submission_or_of_two_are_one_line(sent, complaint, said):
    run, (one, two) = sent
    assert re.search(rf"has no submission 'xyz': ({one}|{two}), ", complaint("collect", run, "xyz"))
    assert "has no submission ''" in complaint("collect", run, "")
    twin = run / "hardware" / f"{one[:6]}ffffff.json"
    twin.write_text((run / "hardware" / f"{one}.json").read_text())
    assert f"has 2 submissions that begin with '{one[:6]}': " in complaint("collect", run, one[:6])
    said("train", run, "--backend", "aer", "--steps", 1, "--rate", 0.1, "--shots", 20)
    with Journal() as journal:
        row = journal.rows()[-1]
    assert re.search(
        r"no submission .* \(there is a job of run \w+, chorale 0, train-\w+, step 1\)",
        complaint("collect", run, row.id[:9]),
    )


# Names


def test_lines_of_jobs_say_run_music_and_step_and_name_a_job_once(short_run, said):
    run = short_run("measured")
    said("submit", run, "--backend", "aer", "--shots", 20, "--sequential", "--repeat", 1)
    said("train", run, "--backend", "aer", "--steps", 2, "--rate", 0.1, "--shots", 20, "--excerpt", 2)
    *lines, _ = said("jobs")
    play = f"run {run.name[:12]}, chorale 0, chords 1 to 4, repeat 1"
    learn = rf"run {run.name[:12]}, chorale 0, train-\w+, step "
    wanted = [play, f"{play}, job 2", f"{play}, job 3", f"{learn}1", f"{learn}2"]
    for line, about in zip(lines, wanted, strict=True):
        n = 1 if about.startswith(play) else 3
        assert re.fullmatch(
            rf"[0-9a-f]{{12}}, done, aer, {about}, {n} circuits?, {20 * n} shots, free, [\d-]+ \d\d:\d\d UTC", line
        )


def test_a_job_is_cancelled_by_an_unambiguous_beginning_of_its_name(machine_at_ibm, short_run, said, complaint):
    run = short_run()
    machine_at_ibm.delays.queued = 3600
    said("submit", run, "--backend", FAKE, "--shots", 20, "--yes")
    with Journal() as journal:
        (row,) = journal.rows()
        assert row.job is not None
        who = {"task": "t" * 16, "step": 0, "evaluation": 0, "place": "aer", "machine": "aer", "charges": 0}
        for letter in "xyz":  # no digit of a name
            journal.intend(row.id[:7] + letter * 57, who, Price(1, 1, 1, 1, 1, 2.0), b"", limit=0)
    line = complaint("cancel", row.id[:7])
    assert re.search(
        rf"4 jobs begin with '{row.id[:7]}': {row.id[:12]}, {row.id[:7]}xxxxx, .*; say more of the one", line
    )
    assert "has no job 'none'" in complaint("cancel", "none")
    assert "has no job ''" in complaint("cancel", "")
    assert [job["status"] for job in machine_at_ibm.jobs()] == ["Queued"]
    (line,) = said("cancel", row.id[:8])
    assert line.startswith(f"{row.id[:12]}, cancelled, {FAKE}, {row.job}, run {run.name[:12]}, chorale 0, ")
    assert [job["status"] for job in machine_at_ibm.jobs()] == ["Cancelled"]
    assert f"job {row.id[:12]} is cancelled: nothing is left to cancel" in complaint("cancel", row.job[:9])


# Prices


def prices(capsys):
    out, errors = capsys.readouterr()
    return re.findall(r"\d+ job\(s\), .*", out + errors)


def test_a_price_is_said_once_of_all_that_is_to_come(machine_at_ibm, short_run, armonica, capsys):
    run = short_run("measured")
    asked = ["--backend", FAKE, "--shots", 20, "--excerpt", 3]
    submit = ["submit", run, *asked, "--sequential"]
    train = ["train", run, *asked, "--rate", 0.1, "--steps", 2]
    for words, n_jobs in ((submit, 2), (train, 4)):
        for more, code in (((), 2), (("--yes", "--max-seconds", 5), 2), (("--yes",), 0)):
            with Journal() as journal:
                journal.begin()
                journal._held.execute("DELETE FROM posts")
            assert armonica(*words, *more) == code
            (line,) = prices(capsys)
            assert line.startswith(f"{n_jobs} job(s), ")
            assert "s of the machine" in line
    assert len(machine_at_ibm.jobs()) == 6


def test_of_a_simulator_it_is_said_that_nothing_is_charged(short_run, armonica, capsys):
    run = short_run("measured")
    assert armonica("submit", run, "--backend", "aer", "--shots", 20) == 2  # averages that come back
    (refused,) = prices(capsys)
    assert armonica("submit", run, "--backend", "aer", "--shots", 20, "--sequential") == 0
    (line,) = prices(capsys)
    assert re.fullmatch(
        r"3 job\(s\), 3 circuit\(s\), 60 shots, .*, nothing is charged \(a machine: some 6.0\d s\)", line
    )
    assert refused.startswith(line)


# Options


def test_an_account_where_nothing_is_asked_of_ibm_is_said_not_to_be_used(sent, said, complaint):
    run, (one, _) = sent
    assert (
        said("collect", run, one, "--account", "ours", *QUIET)[0]
        == "--account is not used: nothing here is asked of IBM"
    )
    lines = said("jobs", "--look", "--account", "ours", "--instance", "crn:x")
    assert lines[-2] == "--account and --instance are not used: nothing here is asked of IBM"
    words = ["train", run, "--backend", "aer", "--rate", 0.1, "--shots", 20]
    for steps in (1, 2):  # of one that begins, and of one that goes on
        assert re.search(
            "no use for an account|--account is not used", complaint(*words, "--steps", steps, "--account", "ours")
        )
        said(*words, "--steps", steps)


@pytest.mark.parametrize("wrong", ["foo", "out.png", "", "png/.."])
def test_a_picture_of_no_kind_is_one_line_that_names_the_kinds(sent, complaint, wrong):
    run, _ = sent
    assert f"is of a kind: png, svg, pdf; got {wrong!r}" in complaint("collect", run, "--picture", wrong, *QUIET)


@pytest.mark.parametrize(
    "words",
    [("submit", 10_000_001), ("train", 1_000_000, "--steps", 1, "--rate", 0.1, "--rule", "parameter-shift")],
)
def test_more_shots_than_a_job_may_have_are_refused_before_anything_is_written(
    machine_at_ibm, short_run, complaint, words
):
    (verb, shots, *more), run = words, short_run()
    line = complaint(verb, run, *more, "--backend", FAKE, "--shots", shots, "--yes", "--max-seconds", 1e8)
    assert f"{FAKE} takes 10000000 shots a job, over all its circuits; got " in line
    assert not (run / "hardware").exists()
    with Journal() as journal:
        assert journal.rows() == []
    assert machine_at_ibm.requests("jobs.post") == []


# A disk that is full

SAFE = "the disk is full (No space left on device); what was written before is safe"


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_journal_without_room_is_one_line_nothing_is_sent_and_the_same_command_goes_on(
    machine_at_ibm, short_run, said, complaint, monkeypatch
):
    from quantum.journal import held

    def cramped(path, *, begin):
        raw = opened(path, begin=begin)
        raw.execute(f"PRAGMA max_page_count = {raw.execute('PRAGMA page_count').fetchone()[0]}")
        return raw

    run, opened = short_run(), held.open_journal
    with Journal() as journal:
        journal.begin()
    with monkeypatch.context() as patched:
        patched.setattr(held, "open_journal", cramped)
        patched.setattr("quantum.jobs.pack_pubs", lambda pubs: bytes(100_000))
        assert SAFE in complaint("submit", run, "--backend", FAKE, "--shots", 20, "--yes")
    assert machine_at_ibm.jobs() == []
    assert re.search(r"its job is not in .*: the same armonica submit sends it", complaint("collect", run))
    said("submit", run, "--backend", FAKE, "--shots", 20, "--yes")
    assert headlines(said("collect", run, *QUIET))
    assert len(machine_at_ibm.jobs()) == 1


@pytest.mark.parametrize("where", ["experiments.submission", "experiments.hardware_told", "experiments.trained"])
def test_a_file_without_room_is_one_line_and_the_same_command_goes_on_without_another_job(
    machine_at_ibm, short_run, said, complaint, monkeypatch, where
):
    run, n_sent = short_run(), {"experiments.submission": 0, "experiments.hardware_told": 1, "experiments.trained": 0}
    submit = ["submit", run, "--backend", FAKE, "--shots", 20, "--yes"]
    train = ["train", run, "--backend", FAKE, "--shots", 20, "--yes", "--steps", 1, "--rate", 0.1]
    words = train if where == "experiments.trained" else submit
    if n_sent[where]:
        said(*submit)
        words = ["collect", run, *QUIET]
    with monkeypatch.context() as patched:
        patched.setattr(f"{where}.replace_file", full)
        assert SAFE in complaint(*words)
    assert len(machine_at_ibm.jobs()) == n_sent[where]  # what is asked is on the disk before it is sent
    said(*words)
    assert len(machine_at_ibm.jobs()) == 1


def test_a_journal_without_room_for_one_of_two_results_is_said_as_it_is_of_one(sent, complaint, said, monkeypatch):
    from quantum.journal.books import Journal as Book
    from quantum.journal.opened import disk_full

    def kept(self, *_):
        raise disk_full(str(self.path))

    run, _ = sent
    said("submit", run, "--backend", "aer", "--shots", 70)
    with monkeypatch.context() as patched:
        patched.setattr(Book, "result", kept)
        line = complaint("collect", run, *QUIET)
    assert f"armonica: {os.environ['ARMONICA_JOURNAL']}: {SAFE}" in line


def test_weights_are_on_the_disk_before_their_circuits_are_sent(machine_at_ibm, short_run, said, monkeypatch, armonica):
    """Else a process that dies in between leaves a job that is paid for, of which nobody knows K, W and h_0."""
    from quantum.journal import sending

    def killed(*_):
        raise KeyboardInterrupt

    run = short_run()
    with monkeypatch.context() as patched:
        patched.setattr(sending, "_post", killed)
        assert armonica("submit", run, "--backend", FAKE, "--shots", 20, "--yes") == 130
    (note,) = (run / "hardware").glob("*.json")
    assert json.loads(note.read_text())["machine"] == FAKE
    assert "is submitted" in said("collect", run, "--wait", 0)[0] or headlines(said("collect", run, *QUIET))


# Figures


def test_the_legend_of_what_was_collected_covers_no_panel(short_run, said, monkeypatch):
    from experiments import collecting
    from experiments.figures.machine_chords import drawn_machine, machine_picture

    seen = []
    monkeypatch.setattr(collecting, "headline", lambda found: seen.append(found) or headline(found))
    run = short_run()
    said("submit", run, "--backend", "fake:FakeManilaV2", "--shots", 64)
    said("collect", run)
    figure = drawn_machine(machine_picture(seen[0]))
    figure.draw_without_rendering()
    assert [axes.get_legend() for axes in figure.axes] == [None] * 3
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["exact", "aer", "aer:noise=FakeManilaV2", "fake:FakeManilaV2 (sent)"]
    box, panels = legend.get_window_extent(), [axes.get_tightbbox() for axes in figure.axes]
    assert all(panel is not None and not box.overlaps(panel) for panel in panels)
    assert all(axes.get_window_extent().width > 2.6 * figure.dpi for axes in figure.axes)  # none is squeezed for it
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
