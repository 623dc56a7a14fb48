"""The verbs about machines: submit circuits of a trained network, look at jobs, collect, cancel, and learn there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.commands.options import AccountOption, InstanceOption, RunArgument, StoreOption, say

if TYPE_CHECKING:
    from quantum.jobs import Journal

BackendOption = Annotated[str, typer.Option(help="Where: aer, fake:FakeTorino, ibm:NAME, ...; see armonica backends.")]
ChoraleOption = Annotated[int, typer.Option(help="Number of the chorale, of those that were learned from.")]
BeginningOption = Annotated[int | None, typer.Option("--excerpt", help="Only so many of its chords.")]
MaxSecondsOption = Annotated[
    float, typer.Option(help="Of machines that charge: of everything in the journal together.")
]
TwirlOption = Annotated[str, typer.Option(help="Twirled by IBM's sampler: gates, measure, or both with a comma.")]
DecoupleOption = Annotated[str, typer.Option(help="Pulses of dynamical decoupling: XX, XpXm or XY4.")]
ProgramOption = Annotated[str, typer.Option(help="IBM's program: executor, or the older sampler. [default: executor]")]
AgainOption = Annotated[bool, typer.Option("--again", help="Send what failed or was cancelled once more.")]
JournalOption = Annotated[
    Path | None, typer.Option("--journal", help="File of the journal. [default: ARMONICA_JOURNAL, or the user's own]")
]


@contextmanager
def held(path: Path | None, *, begin: bool = True) -> Iterator["Journal"]:
    """The journal, and a line that says what is safe where the disk is full, whatever was being written."""
    from quantum.jobs import Journal
    from quantum.journal.opened import FULL, disk_full

    try:
        with Journal(path, begin=begin) as journal:
            yield journal
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise disk_full(error.filename) from None


def way_to(twirl: str, decouple: str, program: str, account: str | None, instance: str | None) -> dict[str, str]:
    """How a machine is gone to, as a `Wish` and a `Training` say it: nothing said is an empty text."""
    return {
        "twirl": twirl,
        "decouple": decouple,
        "program": program,
        "account": account or "",
        "instance": instance or "",
    }


def submit(
    run: RunArgument,
    backend: BackendOption,
    shots: Annotated[int, typer.Option(help="In each basis.")] = 4096,
    chorale: ChoraleOption = 0,
    excerpt: BeginningOption = None,
    replica: Annotated[int, typer.Option(help="Which of the replicas plays.")] = 0,
    repeat: Annotated[int, typer.Option(help="The same once more with other shots: another number.")] = 0,
    max_seconds: MaxSecondsOption = 60.0,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to the price.")] = False,
    sequential: Annotated[
        bool, typer.Option("--sequential", help="One job a chord, one after the other, where averages come back.")
    ] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help="What --sequential sends, as a batch of IBM's, which queues once.")
    ] = False,
    twirl: TwirlOption = "",
    decouple: DecoupleOption = "",
    program: ProgramOption = "",
    again: AgainOption = False,
    account: AccountOption = None,
    instance: InstanceOption = None,
    journal: JournalOption = None,
    store: StoreOption = Path("runs"),
) -> None:
    """Send the circuits of a trained network's excerpt to a machine, once, whatever happens on the way."""
    from experiments.hardware import Wish
    from experiments.hardware import submit as send
    from experiments.store import Store, load_run

    way = way_to(twirl, decouple, program, account, instance)
    wish = Wish(backend, shots, chorale, excerpt, replica, repeat, **way)
    loaded = load_run(Store(store).find(run))
    with held(journal) as book:
        agreed = {"most_seconds": max_seconds, "agreed": yes}
        ways = {"sequential": sequential, "batch": batch, "again": again}
        for line in send(loaded, wish, book, **agreed, **ways, told=say):
            say(line)


def jobs(
    look: Annotated[bool, typer.Option("--look", help="Ask the machines how they stand.")] = False,
    account: AccountOption = None,
    instance: InstanceOption = None,
    journal: JournalOption = None,
) -> None:
    """List what was sent: states, seconds of machines, and what is left to be charged."""
    from experiments.hardware_jobs import job_lines

    with held(journal, begin=False) as book:
        for line in job_lines(book, look=look, account=account or "", instance=instance or ""):
            say(line)


def collect(
    run: RunArgument,
    submission: Annotated[
        list[str] | None,
        typer.Argument(help="Beginnings of those that are meant, as armonica submit names them. [default: all]"),
    ] = None,
    redo: Annotated[
        bool, typer.Option("--redo", help="Make anew what is stored already, asked for in the same words.")
    ] = False,
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

    loaded = load_run(Store(store).find(run))
    with held(journal, begin=False) as book:
        ways: dict[str, Any] = {"wait": wait, "simulate_for": simulate_for, "mitigation": readout_mitigation}
        ways |= {"account": account or "", "instance": instance or "", "picture": picture, "redo": redo}
        for line in fetch(loaded, book, submission or (), **ways):
            say(line)


def cancel(
    job: Annotated[
        str, typer.Argument(help="The beginning of its id, as armonica jobs shows it, or of its name at IBM's.")
    ],
    account: AccountOption = None,
    instance: InstanceOption = None,
    journal: JournalOption = None,
) -> None:
    """End a job that waits or runs; what it has used is charged all the same."""
    from experiments.hardware_jobs import cancel_job

    with held(journal, begin=False) as book:
        say(cancel_job(book, job, account=account or "", instance=instance or ""))


def train(
    run: RunArgument,
    backend: BackendOption,
    steps: Annotated[int, typer.Option(help="Of the training; with more, the same command goes on from fewer.")],
    rate: Annotated[float, typer.Option(help="eta, as of armonica learn.")],
    rule: Annotated[str, typer.Option(help="spsa, or parameter-shift: two circuits an angle and chord.")] = "spsa",
    shots: Annotated[int, typer.Option(help="In each basis.")] = 1024,
    chorale: ChoraleOption = 0,
    excerpt: BeginningOption = None,
    replica: Annotated[int, typer.Option(help="Which of the replicas learns on.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the directions of SPSA; another one is another training.")] = 0,
    shift: Annotated[float | None, typer.Option(help="Of SPSA, in radians. [default: the run's]")] = None,
    pairs: Annotated[int | None, typer.Option(help="Of SPSA, averaged in a step. [default: the run's]")] = None,
    max_seconds: MaxSecondsOption = 60.0,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to the price of all steps.")] = False,
    wait: Annotated[
        float | None, typer.Option(help="Seconds to wait for each job; 0: one look. [default: as long as it takes]")
    ] = None,
    twirl: TwirlOption = "",
    decouple: DecoupleOption = "",
    program: ProgramOption = "",
    again: AgainOption = False,
    account: AccountOption = None,
    instance: InstanceOption = None,
    journal: JournalOption = None,
    store: StoreOption = Path("runs"),
) -> None:
    """Let a trained network learn on from the shots of a machine, a job a step; the run itself stays as it is."""
    from experiments.hardware_training import exact_losses
    from experiments.hardware_training import train as learn_there
    from experiments.store import Store, load_run
    from experiments.trained import Training

    way = way_to(twirl, decouple, program, account, instance)
    asked = Training(backend, rule, shots, rate, chorale, excerpt, replica, seed, shift, pairs, **way)
    loaded, limits = load_run(Store(store).find(run)), {"most_seconds": max_seconds, "agreed": yes}
    with held(journal) as book:
        trained = learn_there(loaded, asked, book, steps=steps, **limits, wait=wait, again=again, told=say)
    if trained.n_steps:
        first, last = exact_losses(loaded, asked, trained)
        say(f"NLL with exact averages {first:.5f}, after {trained.n_steps} steps {last:.5f} (bits per unit and step)")
    say(f"{trained.path}")
