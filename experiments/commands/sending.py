"""The verbs about machines: submit circuits of a trained network, look at jobs, collect what came, cancel."""

from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.options import RunArgument, StoreOption, say

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
    again: Annotated[bool, typer.Option("--again", help="Send what failed or was cancelled once more.")] = False,
    journal: JournalOption = None,
    store: StoreOption = Path("runs"),
) -> None:
    """Send the circuits of a trained network's excerpt to a machine, once, whatever happens on the way."""
    from experiments.hardware import Wish
    from experiments.hardware import submit as send
    from experiments.store import Store, load_run
    from quantum.jobs import Journal

    wish = Wish(backend, shots, chorale, excerpt, replica, repeat)
    loaded = load_run(Store(store).find(run))
    with Journal(journal) as held:
        options = {"most_seconds": max_seconds, "agreed": yes, "sequential": sequential, "again": again}
        for line in send(loaded, wish, held, **options, told=say):
            say(line)


def jobs(
    look: Annotated[bool, typer.Option("--look", help="Ask the machines how they stand.")] = False,
    journal: JournalOption = None,
) -> None:
    """List what was sent: states, seconds of machines, and what is left to be charged."""
    from experiments.hardware_jobs import job_lines
    from quantum.jobs import Journal

    with Journal(journal) as held:
        for line in job_lines(held, look=look):
            say(line)


def collect(
    run: RunArgument,
    wait: Annotated[
        float | None, typer.Option(help="Seconds to wait for each; 0: one look. [default: as long as it takes]")
    ] = None,
    journal: JournalOption = None,
    store: StoreOption = Path("runs"),
) -> None:
    """Fetch what has come of a run's submissions: NLL with error bars, beside exact averages."""
    from experiments.hardware import collect as fetch
    from experiments.store import Store, load_run
    from quantum.jobs import Journal

    loaded = load_run(Store(store).find(run))
    with Journal(journal) as held:
        for line in fetch(loaded, held, wait=wait):
            say(line)


def cancel(
    job: Annotated[str, typer.Argument(help="The beginning of its id, as armonica jobs shows it, or of its name.")],
    journal: JournalOption = None,
) -> None:
    """End a job that waits or runs; what it has used is charged all the same."""
    from experiments.hardware_jobs import cancel_job
    from quantum.jobs import Journal

    with Journal(journal) as held:
        say(cancel_job(held, job))
