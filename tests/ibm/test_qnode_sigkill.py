"""A program with a QNode, killed anywhere and started again, finds what it paid for: no question costs twice."""

import json
from collections.abc import Callable, Iterator

import pytest
from begun import begun

from quantum.jobs import Journal

N_JOBS = 3
pytestmark = pytest.mark.timeout(180)  # a process that loads everything is begun


@pytest.fixture
def program(signed_in, tmp_path) -> Iterator[Callable[[int], int]]:
    """The exit code of the program, killed at an event: `program(0)` is not killed."""
    with begun("killable_qnode.py", tmp_path / "errors", tmp_path) as ask:

        def run(kill_at: int) -> int:
            with Journal(tmp_path / "jobs.sqlite") as journal:
                journal.begin()
                journal._held.execute("DELETE FROM posts")  # a minute passes
            return int(ask(kill_at))

        yield run


def answers(tmp_path):
    n_events, found = json.loads((tmp_path / "answers").read_text())
    return n_events, found


def killed_and_begun_again(ibm, program, tmp_path, stages):
    """At each stage in turn, from wherever the one before has left it; then to the end, and once more."""
    codes = [program(kill_at) for kill_at in stages]
    assert codes == [-9] * len(stages), (tmp_path / "errors").read_text()
    assert not (tmp_path / "answers").exists()
    assert program(0) == 0, (tmp_path / "errors").read_text()
    found = answers(tmp_path)[1]
    assert program(0) == 0
    assert answers(tmp_path)[1] == found
    assert found[0] != found[1]  # asked twice on purpose
    with Journal(tmp_path / "jobs.sqlite") as journal:
        rows = journal.rows()
        assert [row.state for row in rows] == ["done"] * N_JOBS
        assert {row.job for row in rows} == {job["id"] for job in ibm.jobs()}
        assert journal.spent() == pytest.approx(sum(job["usage"]["qpu_charge_time_seconds"] for job in ibm.jobs()))
    assert len(ibm.jobs()) == N_JOBS


def test_killed_before_and_after_sending_it_makes_each_job_once(ibm, program, tmp_path):
    killed_and_begun_again(ibm, program, tmp_path, [16, 18, 28, 36, 28])
