"""The commands at the stand-in, where what they ask for is more than one machine or one job."""

from quantum import Journal


def test_a_job_of_the_least_busy_machine_is_found_again_when_another_one_is(
    machine_at_ibm, short_run, armonica, capsys
):
    run = short_run()
    words = ["submit", run, "--backend", "ibm:least-busy", "--shots", 20, "--yes"]
    machine_at_ibm.condition("fake_torino", "paused")
    assert armonica(*words) == 0
    machine_at_ibm.condition("fake_torino", "online")
    machine_at_ibm.condition("fake_manila", "paused")
    assert armonica(*words) == 0
    assert [job["backend"] for job in machine_at_ibm.jobs()] == ["fake_manila"]
    machine_at_ibm.condition("fake_manila", "online")
    capsys.readouterr()
    assert armonica("collect", run, "--simulate-for", 0) == 0
    assert ": ibm:fake_manila, chorale 0, chords 1 to 4, 20 shots: NLL " in capsys.readouterr().out
    assert len(machine_at_ibm.jobs()) == 1


def test_jobs_one_after_the_other_are_one_batch_where_that_is_asked_for(machine_at_ibm, short_run, armonica):
    words = ["--backend", "ibm:fake_manila", "--shots", 20, "--yes", "--sequential", "--batch"]
    assert armonica("submit", short_run("measured"), *words) == 0
    sessions = {job["session_id"] for job in machine_at_ibm.jobs()}
    assert len(machine_at_ibm.jobs()) == 3
    assert len(sessions) == len(machine_at_ibm.requests("sessions.post")) == 1
    assert None not in sessions
    with Journal() as journal:
        assert [row.state for row in journal.rows()] == ["done"] * 3
