"""A trained network learns on, from the shots of a machine: one job a step, all of them through the journal.

    w <- w - rate dE/dw,    E, dE/d(K, W, h_0) and dE/d angles from the shots of one job       (`quantum.sampled`)

In the measured schedule with more than one shot it is a job a chord. A job's name follows from (training, step, number
of the job in the step), so a process that is killed at any line and started again asks for the jobs it has made, takes
the same outcomes, and comes to the same weights, bit for bit.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from encoding import InputError
from encoding.errors import counted
from encoding.rates import rate_of_each
from experiments.hardware import check_seconds, excerpt_of, named_run
from experiments.opening import opened, unused
from experiments.store import Run, system_of
from experiments.submission import Wish
from experiments.trained import LEARNED, Held, Trained, Training, folder_of, write_trained
from quantum.backends import Backend
from quantum.jobs import Journal, JournalSampler, NotYet, Patience, Price
from quantum.journal.money import OVERHEAD
from quantum.ladder import checked_count
from quantum.rnn import QuantumRNN
from quantum.rules import RULES, Plan

MOST_STEPS = 10**6


def train(
    run: Run,
    asked: Training,
    journal: Journal,
    *,
    steps: int,
    most_seconds: float,
    agreed: bool = False,
    wait: float | None = None,
    again: bool = False,
    patience: Patience | None = None,
    told: Callable[[str], None] = print,
) -> Trained:
    """Let a network learn from the shots of a backend, from where its training stands.

    Args:
        run: of a quantum network; nothing of it is changed.
        asked: what is to be learned, where and how.
        journal: where jobs are written down.
        steps: of the training, those included that were made before.
        most_seconds: of machines, of all of the journal.
        agreed: to the price of all steps.
        wait: seconds for each job; None: as long as it takes.
        again: send what failed or was cancelled once more.
        patience: with a service that gives no answer.
        told: gets the price before anything is sent, and a line a step.

    Returns:
        What was learned; fewer steps than asked for where a job has not ended in the time.

    Raises:
        InputError: another system, no such chorale or rule, a rate of 0, options of another rule, a price that is not
            agreed to, or above the limit; another process at the same training; weights that leave the finite numbers.
        JobEnded: a job failed, or was cancelled.
        ServiceFailed: no answer; the same again goes on.
    """
    _check(asked, steps)
    check_seconds("the time to wait (--wait)", wait)
    with Held(folder_of(run, asked)) as held:
        trained = held.begun()
        if trained is not None and trained.n_steps >= steps:
            told(f"{trained.n_steps} steps are made already: {trained.path}")
            return trained
        backend = _opened(asked, trained)
        limits: dict[str, Any] = {"most_seconds": most_seconds, "agreed": agreed, "wait": wait, "patience": patience}
        sampler = JournalSampler(backend, journal, task=asked.key(run.task["key"]), place=asked.backend, **limits)
        pupil = _pupil(run, asked, sampler)
        if trained is None:
            own = pupil.weights()[:1]
            found = {"machine": backend.name, "account": asked.account, "instance": backend.instance}
            trained = Trained(held.path, losses=np.empty(0), weights=own, state=pupil.state(), **found)
        try:
            pupil.restore(trained.state)
        except InputError as error:
            raise InputError(f"{trained.path / LEARNED}: {error}; move {trained.path} aside to begin anew") from None
        told(f"{held.path.name} on {backend.name}: {trained.n_steps} of {steps} steps are made")
        plan, start = _plan(pupil), trained
        sampler.again = again
        sampler.whole = lambda first: price_of_all(first, plan, steps - sampler.step, sampler.evaluation)
        sampler.announce = lambda price: told(f"{_steps(sampler.step + 1, steps)}: {price.words()}")
        sampler.begin = lambda _: held.begin(start, asked)
        return _taught(run, held, trained, asked, steps, pupil, sampler, told)


def price_of_all(first: Price, plan: Plan, steps: int, made: int) -> Price:
    """From a job on; of jobs of one step the shots cost the same.

    Args:
        first: its price.
        plan: of a step.
        steps: that are to come, this one included.
        made: jobs of this one.
    """
    jobs, shots = steps * plan.jobs - made, steps * (plan.shots or 0)
    seconds = OVERHEAD * jobs + shots * (first.seconds - OVERHEAD) / first.shots
    return replace(first, jobs=jobs, circuits=steps * plan.circuits, shots=shots, seconds=seconds)


def _steps(first: int, last: int) -> str:
    return f"step {last}" if first == last else f"steps {first} to {last}"


def _opened(asked: Training, trained: Trained | None) -> Backend:
    """The backend: as it is asked for, or the machine that was found, asked by who asked it."""
    if trained is None:
        return opened(asked.backend, account=asked.account, instance=asked.instance, **asked.options())
    if (asked.account or asked.instance) and not trained.instance:
        raise InputError(f"{trained.machine}: {unused(asked.account, asked.instance)}: leave it out")
    who = {"account": asked.account or trained.account, "instance": asked.instance or trained.instance}
    return opened(trained.machine, awake=False, **who, **asked.options())


def _taught(
    run: Run,
    held: Held,
    trained: Trained,
    asked: Training,
    steps: int,
    pupil: QuantumRNN,
    sampler: JournalSampler,
    told: Callable[[str], None],
) -> Trained:
    """Step after step, each on disk before the next."""
    of = f"{named_run(run)}, chorale {asked.chorale}, {trained.path.name}"
    for step in range(trained.n_steps, steps):
        sampler.at(step).about = f"{of}, step {step + 1}"
        try:
            loss = float(pupil.step(asked.rate)[0, 0])
        except NotYet as error:
            held.begin(trained, asked)  # its job is in the journal, though nothing may lie here
            told(f"step {step + 1}: {str(error).partition(';')[0]}; the same command goes on with it")
            return trained
        state = pupil.state()
        if state["frozen"][0] >= 0:
            raise InputError(f"step {step + 1} leaves the finite numbers: a smaller rate than {asked.rate:g} is wanted")
        held.begin(trained, asked)
        trained = trained.moved(loss, pupil.weights()[0], state)
        write_trained(trained, asked)
        told(f"step {step + 1}: NLL {loss:.5f}, one draw of {counted(asked.shots, 'shot')}")
    return trained


def exact_losses(run: Run, asked: Training, trained: Trained) -> tuple[float, float]:
    """NLL with exact averages before the first step and after the last, of the same chords."""
    first, last = (excerpt_of(run, _wish(asked), trained.weights[row]) for row in (0, -1))
    return first.nll(first.exact()), last.nll(last.exact())


def _pupil(run: Run, asked: Training, sampler: Any) -> QuantumRNN:
    """The network before the chords, with shots in the place of exact averages."""
    excerpt_of(run, _wish(asked))  # refuses what is no network, no chorale, no excerpt
    system: Any = system_of(run)
    piece = run.chorales()[asked.chorale]
    excerpt = replace(piece, pitches=piece.pitches[: asked.chords])
    settings: dict[str, Any] = {"shots": asked.shots, "rule": asked.rule, "batch": None, "trajectories": None}
    said = {"spsa_shift": asked.shift, "spsa_pairs": asked.pairs}
    settings |= {name: value for name, value in said.items() if value is not None}
    return system.on([excerpt], replica=asked.replica, seed=asked.seed, sampler=sampler, **settings)


def _plan(pupil: QuantumRNN) -> Plan:
    plan = pupil.plan()
    assert plan is not None  # of shots
    return plan


def _wish(asked: Training) -> Wish:
    return Wish(asked.backend, asked.shots, asked.chorale, asked.chords, asked.replica)


def _check(asked: Training, steps: int) -> None:
    checked_count("the number of steps", steps, most=MOST_STEPS)
    if not rate_of_each(asked.rate, 1, 1)[0]:
        raise InputError("a rate of 0 sends all the jobs and learns nothing: a rate above 0 is wanted")
    if asked.rule not in RULES:
        raise InputError(f"what learns from shots learns by one of {', '.join(RULES)}; got {asked.rule!r:.40}")
    if asked.rule != "spsa" and (asked.shift, asked.pairs) != (None, None):
        raise InputError(f"shift and pairs are of spsa; {asked.rule} has none: leave them out (--shift, --pairs)")
