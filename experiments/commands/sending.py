"""The verbs about machines: submit circuits of a trained network, look at jobs, collect, cancel, and learn there."""

from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.commands.options import AccountOption, InstanceOption, RunArgument, StoreOption, say

JournalOption = Annotated[
    Path | None, typer.Option("--journal", help="File of the journal. [default: ARMONICA_JOURNAL, or the user's own]")
]


def submit(
    run: RunArgument,
    backend: Annotated[str, typer.Option(help="Where: aer, fake:FakeTorino, ibm:NAME, ...; see armonica backends.")],
    shots: Annotated[int, typer.Option(help="In each basis.")] = 4096,
    chorale: Annotated[int, typer.Option(help="Number of the chorale, of those that were learned from.")] = 0,
    excerpt: Annotated[int | None, typer.Option(help="Only so many of its chords.")] = None,
    replica: Annotated[int, typer.Option(help="Which of the replicas plays.")] = 0,
    repeat: Annotated[int, typer.Option(help="The same once more with other shots: another number.")] = 0,
    max_seconds: Annotated[
        float, typer.Option(help="Of machines that charge: of everything in the journal together.")
    ] = 60.0,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to the price.")] = False,
    sequential: Annotated[
        bool, typer.Option("--sequential", help="One job a chord, one after the other, where averages come back.")
    ] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help="What --sequential sends, as a batch of IBM's, which queues once.")
    ] = False,
    twirl: Annotated[str, typer.Option(help="Twirled by IBM's sampler: gates, measure, or both with a comma.")] = "",
    decouple: Annotated[str, typer.Option(help="Pulses of dynamical decoupling: XX, XpXm or XY4.")] = "",
    program: Annotated[
        str, typer.Option(help="IBM's program: executor, or the older sampler. [default: executor]")
    ] = "",
    again: Annotated[bool, typer.Option("--again", help="Send what failed or was cancelled once more.")] = False,
    account: AccountOption = None,
    instance: InstanceOption = None,
    journal: JournalOption = None,
    store: StoreOption = Path("runs"),
) -> None:
    """Send the circuits of a trained network's excerpt to a machine, once, whatever happens on the way."""
    from experiments.hardware import Wish
    from experiments.hardware import submit as send
    from experiments.store import Store, load_run
    from quantum.jobs import Journal

    how = {"twirl": twirl, "decouple": decouple, "program": program}
    wish = Wish(
        backend, shots, chorale, excerpt, replica, repeat, account=account or "", instance=instance or "", **how
    )
    loaded = load_run(Store(store).find(run))
    with Journal(journal) as held:
        agreed = {"most_seconds": max_seconds, "agreed": yes}
        ways = {"sequential": sequential, "batch": batch, "again": again}
        for line in send(loaded, wish, held, **agreed, **ways, told=say):
            say(line)


def jobs(
    look: Annotated[bool, typer.Option("--look", help="Ask the machines how they stand.")] = False,
    account: AccountOption = None,
    instance: InstanceOption = None,
    journal: JournalOption = None,
) -> None:
    """List what was sent: states, seconds of machines, and what is left to be charged."""
    from experiments.hardware_jobs import job_lines
    from quantum.jobs import Journal

    with Journal(journal, begin=False) as held:
        for line in job_lines(held, look=look, account=account or "", instance=instance or ""):
            say(line)


def collect(
    run: RunArgument,
    wait: Annotated[
        float | None, typer.Option(help="Seconds to wait for each; 0: one look. [default: as long as it takes]")
    ] = None,
    simulate_for: Annotated[
        float, typer.Option(help="Seconds that Aer may take beside it, without noise and with it; 0: not at all.")
    ] = 60.0,
    readout_mitigation: Annotated[
        str, typer.Option(help="mthree: readout put right in the same counts, where mthree is installed.")
    ] = "",
    picture: Annotated[str, typer.Option(help="Kind of picture: png, svg or pdf.")] = "png",
    account: AccountOption = None,
    instance: InstanceOption = None,
    journal: JournalOption = None,
    store: StoreOption = Path("runs"),
) -> None:
    """Fetch what has come of a run's submissions: NLL with error bars beside exact averages and simulators, music."""
    from experiments.collecting import collect as fetch
    from experiments.store import Store, load_run
    from quantum.jobs import Journal

    loaded = load_run(Store(store).find(run))
    with Journal(journal, begin=False) as held:
        ways: dict[str, Any] = {"wait": wait, "simulate_for": simulate_for, "mitigation": readout_mitigation}
        ways |= {"account": account or "", "instance": instance or "", "picture": f".{picture.lower()}"}
        for line in fetch(loaded, held, **ways):
            say(line)


def cancel(
    job: Annotated[str, typer.Argument(help="The beginning of its id, as armonica jobs shows it, or of its name.")],
    account: AccountOption = None,
    instance: InstanceOption = None,
    journal: JournalOption = None,
) -> None:
    """End a job that waits or runs; what it has used is charged all the same."""
    from experiments.hardware_jobs import cancel_job
    from quantum.jobs import Journal

    with Journal(journal, begin=False) as held:
        say(cancel_job(held, job, account=account or "", instance=instance or ""))


def train(
    run: RunArgument,
    backend: Annotated[str, typer.Option(help="Where: aer, fake:FakeTorino, ibm:NAME, ...; see armonica backends.")],
    steps: Annotated[int, typer.Option(help="Of the training; with more, the same command goes on from fewer.")],
    rate: Annotated[float, typer.Option(help="eta, as of armonica learn.")],
    rule: Annotated[str, typer.Option(help="spsa, or parameter-shift: two circuits an angle and chord.")] = "spsa",
    shots: Annotated[int, typer.Option(help="In each basis.")] = 1024,
    chorale: Annotated[int, typer.Option(help="Number of the chorale, of those that were learned from.")] = 0,
    excerpt: Annotated[int | None, typer.Option(help="Only so many of its chords.")] = None,
    replica: Annotated[int, typer.Option(help="Which of the replicas learns on.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the directions of SPSA; another one is another training.")] = 0,
    shift: Annotated[float | None, typer.Option(help="Of SPSA, in radians. [default: the run's]")] = None,
    pairs: Annotated[int | None, typer.Option(help="Of SPSA, averaged in a step. [default: the run's]")] = None,
    max_seconds: Annotated[
        float, typer.Option(help="Of machines that charge: of everything in the journal together.")
    ] = 60.0,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to the price of all steps.")] = False,
    wait: Annotated[
        float | None, typer.Option(help="Seconds to wait for each job; 0: one look. [default: as long as it takes]")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Send what failed or was cancelled once more.")] = False,
    journal: JournalOption = None,
    store: StoreOption = Path("runs"),
) -> None:
    """Let a trained network learn on from the shots of a machine, a job a step; the run itself stays as it is."""
    from experiments.hardware_training import exact_losses
    from experiments.hardware_training import train as learn_there
    from experiments.store import Store, load_run
    from experiments.trained import Training
    from quantum.jobs import Journal

    asked = Training(backend, rule, shots, rate, chorale, excerpt, replica, seed, shift, pairs)
    loaded, limits = load_run(Store(store).find(run)), {"most_seconds": max_seconds, "agreed": yes}
    with Journal(journal) as held:
        trained = learn_there(loaded, asked, held, steps=steps, **limits, wait=wait, again=again, told=say)
    if trained.n_steps:
        first, last = exact_losses(loaded, asked, trained)
        say(f"NLL with exact averages {first:.5f}, after {trained.n_steps} steps {last:.5f} (bits per unit and step)")
    say(f"{trained.path}")
