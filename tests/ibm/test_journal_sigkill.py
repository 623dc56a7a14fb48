"""Killed at every stage of a submission, and begun again: jobs = intents, results = jobs, and no key anywhere."""

from collections.abc import Callable, Iterator

import pytest
from begun import begun

from quantum.jobs import Journal

N_EVENTS = 34  # of a submission that nothing disturbs


@pytest.fixture
def hand_in(signed_in, tmp_path) -> Iterator[Callable[..., list[int]]]:
    """Exit codes of processes that hand in jobs at once: `hand_in(step, kill_at)`."""
    with begun("killable.py", tmp_path / "errors", tmp_path / "jobs.sqlite") as ask:
        yield lambda *numbers: [int(code) for code in ask(*numbers).split()]


def minute_passes(journal):
    journal._held.execute("DELETE FROM posts")


def balanced(ibm, tmp_path, n_jobs):
    with Journal(tmp_path / "jobs.sqlite") as journal:
        rows = journal.rows()
        assert len(rows) == len(ibm.jobs()) == n_jobs
        assert {row.job for row in rows} == {job["id"] for job in ibm.jobs()}
        assert [row.state for row in rows] == ["done"] * n_jobs
        assert all(journal.result(row.id) for row in rows)
        assert all(journal.extras(row.id) == [] for row in rows)
        assert journal.spent() == pytest.approx(sum(job["usage"]["qpu_charge_time_seconds"] for job in ibm.jobs()))
    assert all(ibm.key.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert all(entry.authorization != "key" for entry in ibm.log)


def kill_and_begin_again(ibm, hand_in, tmp_path, n_jobs, stages):
    """Every job is killed at its stage, then soon after it was begun again, then left alone."""
    kills = 0
    with Journal(tmp_path / "jobs.sqlite") as journal:
        journal.begin()
        for step in range(n_jobs):
            minute_passes(journal)
            for kill_at in (stages[step % len(stages)], 1 + step % 12, 0):
                (code,) = hand_in(step, kill_at)
                assert code in (0, -9), (tmp_path / "errors").read_text()
                kills += code == -9
            assert code == 0
    balanced(ibm, tmp_path, n_jobs)
    print(f"{kills} kills over {n_jobs} jobs: as many jobs as intents, as many results as jobs, no key in any file")
    return kills


def test_jobs_of_a_process_that_is_killed_are_made_once(ibm, hand_in, tmp_path):
    assert kill_and_begin_again(ibm, hand_in, tmp_path, 8, [5, 13, 16, 17, 18, 19, 22, 28]) >= 12


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_kills_at_every_stage_make_no_job_twice_and_lose_none(ibm, hand_in, tmp_path):
    assert kill_and_begin_again(ibm, hand_in, tmp_path, 2 * N_EVENTS, range(1, N_EVENTS + 1)) >= 100


def test_two_processes_at_once_make_one_job_even_where_one_is_killed(ibm, hand_in, tmp_path):
    with Journal(tmp_path / "jobs.sqlite") as journal:
        journal.begin()
        for step, kill_at in enumerate((0, 8, 15, 18, 20)):
            minute_passes(journal)
            codes = hand_in(step, kill_at, step, 0)
            assert set(codes) <= {0, 3, -9}, (tmp_path / "errors").read_text()
            assert kill_at or 0 in codes
            assert hand_in(step, 0) == [0]
    balanced(ibm, tmp_path, 5)
