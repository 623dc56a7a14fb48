"""The command `armonica`: each verb a few lines here, the work elsewhere.

Mistakes of the user end in one line and exit code 2; anything else is a bug and keeps its traceback. Imports sit inside
the verbs, so that `armonica --help` is quick and threads are set before a library counts the cores.
"""

from experiments import interrupts

if __name__ == "__main__" or interrupts.is_command():
    interrupts.listen()

import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from experiments.store import Run
    from experiments.task import Music

app = typer.Typer(
    help="Recurrent networks learn Bach's chorales: learning curves, learning times, aging, music.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

STOPPED_LINE = interrupts.SAID.removeprefix("armonica: ")
UsageError: Any = typer.BadParameter.__bases__[0]  # typer carries its own click, and does not name this class
MUSIC = ("source", "split", "first", "transpose", "excerpt")  # the options that say which chorales
STOPPED = (130, 143)  # exit codes after SIGINT and SIGTERM
LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

StoreOption = Annotated[Path, typer.Option("--store", help="Folder of runs.")]
StudyArgument = Annotated[
    str, typer.Argument(help="A study: fig2 ... fig9, talk, overlaps, generalisation, or a path to a .toml.")
]
ScaleOption = Annotated[str, typer.Option(help="smoke: seconds; laptop: under an hour; paper: the published grid.")]
RunArgument = Annotated[str, typer.Argument(help="A run: its folder, its key or the beginning of it, or 'latest'.")]
SourceOption = Annotated[str, typer.Option(help="music21, jsb, or a path: JSB .json/.pkl, MIDI, MusicXML, a folder.")]
SplitOption = Annotated[str, typer.Option(help="train, valid or test.")]
FirstOption = Annotated[int, typer.Option(help="The first so many chorales of the split; 0: all. The paper: 80.")]
TransposeOption = Annotated[bool, typer.Option(help="In C, as the JSB set, or in the original key.")]
ReplicasOption = Annotated[int, typer.Option(help="Networks that learn side by side.")]
SeedOption = Annotated[int, typer.Option(help="Of starts and batches.")]
SettingOption = Annotated[
    list[str] | None, typer.Option("--set", help="A setting, name=value; repeatable. armonica systems lists them.")
]
DeviceOption = Annotated[str, typer.Option(help="cpu, or a graphics card: cuda, cuda:1, ...")]
ThreadsOption = Annotated[int | None, typer.Option(help="Threads for the replicas, 1 to 1024. [default: one a core]")]
KernelOption = Annotated[
    str | None, typer.Option(help="fast, plain or graph. [default: fast where it can run, graph on a card]")
]
AllowOption = Annotated[bool, typer.Option("--allow-other-kernel", help="Go on with runs that another kernel made.")]
ExcerptOption = Annotated[int | None, typer.Option(help="Only so many chords of each chorale.")]


@app.callback(invoke_without_command=True)
def _greet(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Say which armonica this is.", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        _say(f"armonica {installed('armonica')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        _say(context.get_help())


@app.command()
def learn(
    context: typer.Context,
    system: Annotated[
        str, typer.Option(help="What learns: deep-rnn, spherical-glass, or an installed plugin.")
    ] = "deep-rnn",
    depth: Annotated[int | None, typer.Option(help="Layers d of the deep-rnn. [default: 2]")] = None,
    width: Annotated[int | None, typer.Option(help="Hidden units a layer w of the deep-rnn. [default: 90]")] = None,
    rule: Annotated[str | None, typer.Option(help="delayed (as published) or exact. [default: exact]")] = None,
    batch: Annotated[
        str | None, typer.Option(help="Time slots a step p, or none: full gradient. [default: 300]")
    ] = None,
    setting: SettingOption = None,
    rate: Annotated[
        float | None,
        typer.Option(help="Learning rate eta. [default: 0.04 at depth 1, 0.02 to 5, deeper 0.01; delayed: 4e-4]"),
    ] = None,
    schedule: Annotated[
        str, typer.Option(help="constant, or spikes: back and halve the rate at a spike.")
    ] = "constant",
    until: Annotated[
        float | None, typer.Option(help="Stop at this proper time tau (sum of rates). [default: 200]")
    ] = None,
    until_loss: Annotated[float | None, typer.Option(help="Stop when every replica has this loss.")] = None,
    until_steps: Annotated[int | None, typer.Option(help="Stop after this many steps.")] = None,
    replicas: ReplicasOption = 1,
    seed: SeedOption = 0,
    source: SourceOption = "music21",
    split: SplitOption = "train",
    first: FirstOption = 80,
    transpose: TransposeOption = True,
    excerpt: ExcerptOption = None,
    looks: Annotated[int, typer.Option(help="Looks a decade of tau at loss, noise and (if kept) weights.")] = 20,
    keep_weights: Annotated[bool, typer.Option(help="Write the weights down at every look.")] = False,
    aging: Annotated[
        str | None, typer.Option(help="Waiting times, 80,160,...: look at noise and weights after each.")
    ] = None,
    store: StoreOption = Path("runs"),
    save_every: Annotated[float, typer.Option(help="Seconds between checkpoints.")] = 30.0,
    kernel: KernelOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    allow_other_kernel: AllowOption = False,
) -> None:
    """Learn, and go on where an earlier call with the same arguments stopped."""
    _set_threads(threads)
    from experiments.asking import default_rate, ending, schedule_named, settings_said, when_to_look
    from experiments.session import run_session
    from experiments.store import Store
    from experiments.task import Task

    settings = settings_said(system, {"depth": depth, "width": width, "rule": rule, "batch": batch}, setting or [])
    rate = default_rate(system, settings) if rate is None else rate
    rates, look = schedule_named(schedule, rate), when_to_look(looks, keep_weights, aging)
    until_then = ending(until, until_loss, until_steps)
    music = _music_for(context, system)
    task = Task(system, settings, rates, music, look, seed, replicas)
    code = run_session(
        Store(store),
        task,
        until=until_then,
        save_every=save_every,
        kernel=kernel,
        device=device,
        allow_other_kernel=allow_other_kernel,
    )
    raise typer.Exit(code)


@app.command()
def plot(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(help="A study (fig2 ... fig9, talk, overlaps, generalisation, a .toml), or a run, or 'latest'."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="File to draw: .png, .svg or .pdf. [default: in the store, or the run's folder]")
    ] = None,
    scale: ScaleOption = "laptop",
    store: StoreOption = Path("runs"),
) -> None:
    """Draw a study's figure from its runs, or the learning curve of a run; the numbers go beside it as CSV."""
    from encoding.errors import InputError
    from experiments.study import is_study

    if is_study(what):
        _plot_study(what, scale, store, out)
    elif _said(context, "scale"):
        raise InputError(f"--scale is of studies; got it with the run {what!r}: leave it out, or name a study")
    else:
        _plot_run(what, store, out)


def _plot_study(name: str, scale: str, store: Path, out: Path | None) -> None:
    from encoding.files import expanded
    from experiments.figures.of_study import draw_study
    from experiments.store import Store
    from experiments.study import load_study

    study = load_study(name, scale)
    path = expanded(out or store / f"{study.name}-{scale}.png")
    for line in draw_study(study, Store(store), path).lines():
        _say(line)
    _say(f"{path}\n{path.with_suffix('.csv')}")


def _plot_run(run: str, store: Path, out: Path | None) -> None:
    from experiments.figures.of_run import draw_learning_curve
    from experiments.store import Store, load_run

    path = Store(store).find(run)
    picture = out or path / "learning_curve.png"
    loaded = load_run(path)
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw_learning_curve(loaded, picture)
    _write_table(loaded, picture.with_suffix(".csv"))
    _say(f"{picture}\n{picture.with_suffix('.csv')}")


@app.command()
def listen(
    run: RunArgument,
    chorale: Annotated[int, typer.Option(help="Whose first chords the network hears, from 0.")] = 0,
    split: Annotated[
        str | None, typer.Option(help="Take the chorale from this split. [default: what was learned]")
    ] = None,
    opening: Annotated[int, typer.Option(help="How many chords it hears before it plays by itself.")] = 8,
    steps: Annotated[int | None, typer.Option(help="Chords in all. [default: as long as the chorale]")] = None,
    replica: Annotated[int, typer.Option(help="Which of the replicas plays.")] = 0,
    choose: Annotated[
        str, typer.Option(help="four: at most the 4 surest; likeliest: all above 1/2; sample: by probability.")
    ] = "four",
    seed: Annotated[int, typer.Option(help="Of the draws of sample.")] = 0,
    tempo: Annotated[float, typer.Option(help="Quarter notes a minute.")] = 80,
    out: Annotated[Path | None, typer.Option(help="Folder for what it plays. [default: the run's folder]")] = None,
    store: StoreOption = Path("runs"),
) -> None:
    """Let a trained network play: MIDI, MusicXML, WAV, and a piano roll beside the original."""
    from experiments.listening import Wish, play
    from experiments.store import Store, load_run

    wish = Wish(chorale, split, opening, steps, replica, choose, seed, tempo)
    path = Store(store).find(run)
    for line in play(load_run(path), wish, out or path):
        _say(line)


@app.command()
def data(
    source: SourceOption = "music21",
    split: SplitOption = "train",
    first: FirstOption = 80,
    transpose: TransposeOption = True,
    excerpt: ExcerptOption = None,
    each: Annotated[bool, typer.Option("--each", help="A line a chorale: its number, name and length.")] = False,
) -> None:
    """Describe the chorales: counts, ranges, keys; licence and source of each part."""
    from experiments.asking import chorale_lines, data_lines

    chorales = _music(source, split, first, transpose, excerpt).load()
    for line in chorale_lines(chorales) if each else data_lines(chorales):
        _say(line)


@app.command()
def stability(
    context: typer.Context,
    rates: Annotated[
        str, typer.Option(help="Rates with commas; the smallest is what the others are compared with.")
    ] = "0.0025,0.005,0.01,0.02,0.04",
    system: Annotated[str, typer.Option(help="What learns, see armonica systems.")] = "deep-rnn",
    setting: SettingOption = None,
    until: Annotated[float, typer.Option(help="Learn at every rate to this proper time.")] = 50.0,
    since: Annotated[float, typer.Option(help="Compare from this proper time on.")] = 2.0,
    tolerance: Annotated[float, typer.Option(help="Allowed deviation: 0.02 is 2 %.")] = 0.02,
    replicas: ReplicasOption = 4,
    seed: SeedOption = 0,
    source: SourceOption = "music21",
    split: SplitOption = "train",
    first: FirstOption = 80,
    transpose: TransposeOption = True,
    excerpt: ExcerptOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Picture; the numbers go beside it as JSON. [default: in the store]")
    ] = None,
    store: StoreOption = Path("runs"),
    kernel: KernelOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
    allow_other_kernel: AllowOption = False,
) -> None:
    """Find the largest rate whose learning curve, in proper time, is that of a small rate."""
    _set_threads(threads)
    from experiments.asking import numbers_said, settings_said
    from experiments.rate_scan import RateScan
    from experiments.session import scan_session
    from experiments.store import Store

    settings = settings_said(system, {}, setting or [])
    music = _music_for(context, system)
    asked = numbers_said("rates", rates)
    scan = RateScan(system, settings, music, asked, until, since, tolerance, seed, replicas)
    named = "-".join(str(settings[name]) for name in ("depth", "width", "rule") if name in settings) or system
    picture = out or store / f"stability-{named}.png"
    how = {"kernel": kernel, "device": device, "allow_other_kernel": allow_other_kernel}
    raise typer.Exit(scan_session(Store(store), scan, picture, **how))


@app.command()
def sweep(
    study: StudyArgument,
    scale: ScaleOption = "laptop",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is missing and how long it takes.")] = False,
    jobs: Annotated[int, typer.Option(help="Processes. [1: one run after the other, its replicas on all cores]")] = 1,
    store: StoreOption = Path("runs"),
    threads: ThreadsOption = None,
) -> None:
    """Make the runs of a study that are missing; stopped and started at any time."""
    _set_threads(threads)
    from experiments import sweep_session
    from experiments.store import Store
    from experiments.study import load_study

    wanted = load_study(study, scale)
    if dry_run:
        sweep_session.dry_run(wanted, Store(store))
    else:
        raise typer.Exit(sweep_session.sweep_session(wanted, Store(store), jobs=jobs))


@app.command()
def systems() -> None:
    """List what can learn: the systems installed, their settings and what these are when nothing is said."""
    from experiments.asking import system_lines

    for line in system_lines():
        _say(line)


def _music_for(context: typer.Context, system: str) -> "Music | None":
    """The chorales that a command was asked for; None for a system that learns from nothing, which refuses them."""
    from encoding.errors import InputError
    from experiments.systems import family

    if family(system).learns_from == "chorales":
        return _music(**{name: context.params[name] for name in MUSIC})
    said = [name for name in MUSIC if _said(context, name)]
    if said:
        raise InputError(f"{system} learns from no music; got --{', --'.join(said)}: leave it out")
    return None


def _said(context: typer.Context, name: str) -> bool:
    """Whether an option was given, rather than left at its default."""
    return str(getattr(context.get_parameter_source(name), "name", "")) == "COMMANDLINE"


def _music(source: str, split: str, first: int, transpose: bool, excerpt: int | None) -> "Music":
    """The chorales asked for, seen to be there (and parsed, with a bar, if that was never done)."""
    from encoding.errors import InputError
    from experiments.task import Music

    if first < 0:
        raise InputError(f"first is a number of chorales, or 0 for all; got {first}")
    music = Music(source, split, first or None, transpose, excerpt)
    music.load(progress=True)
    return music


def _write_table(run: "Run", path: Path) -> None:
    """The numbers of a run; in the place of such a table, but of nothing else."""
    from encoding.errors import InputError

    if path.exists() and not path.is_dir() and not path.read_bytes().startswith(b"look,replica,step,"):
        raise InputError(f"{path} is no table of a run, and is left as it is: give the picture another name (--out)")
    run.trajectory.to_csv(path)


def _set_threads(n: int | None = None) -> None:
    """`n` threads for the replicas of the fast kernel; every library has one (see `main`)."""
    from classical.threads import MOST_THREADS, n_threads
    from encoding.errors import InputError

    if n is not None and not 1 <= n <= MOST_THREADS:
        raise InputError(f"--threads is a whole number from 1 to {MOST_THREADS}; got {n}")
    if n is not None:
        os.environ["ARMONICA_THREADS"] = str(n)
    n_threads()  # what the environment says is looked at too, before anything is begun


def _say(line: Any) -> None:
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit code 0, 2 for a mistake of the user's or the disk's, 130 or 143 when stopped."""
    os.environ.update(dict.fromkeys(LIBRARIES, "1"))  # they are told before the first of them is loaded
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no τ
    before = interrupts.listen()
    try:
        code = _run(arguments)
        if code in STOPPED:
            interrupts.deafen()
            _complain(STOPPED_LINE, code)
    except KeyboardInterrupt:
        interrupts.deafen()
        code = _complain(STOPPED_LINE, STOPPED[0])
    if arguments is None:
        interrupts.deafen()  # the process ends: nothing is left to be stopped
    elif before is not None:
        signal.signal(signal.SIGINT, before)
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    """What the words ask for; its exit code, with one line where they were mistaken."""
    from encoding.errors import InputError

    try:
        code = app(args=arguments, standalone_mode=False)
    except UsageError as error:
        code = _complain(f"{error.format_message()} (armonica --help says what there is)")
    except InputError as error:
        code = _complain(str(error))
    except (FileExistsError, NotADirectoryError) as error:
        code = _complain(f"{error.filename}: a folder is wanted there, and a file is in its place: name another one")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        code = _complain(f"{where}{error.strerror or error}")
    except typer.Abort as error:
        if isinstance(error.__cause__, EOFError):
            raise error.__cause__ from None  # nothing is read from a terminal: no user's stop, but a bug
        code = STOPPED[0]
    except (MemoryError, RuntimeError) as error:
        code = _out_of_memory(error)
    return code if isinstance(code, int) else 0


def _out_of_memory(error: Exception) -> int:
    from classical.memory import ran_out

    if not ran_out(error):
        raise error
    return _complain(f"there is not enough memory ({error}): ask for fewer replicas, or a smaller size")


def _complain(message: str, code: int = 2) -> int:
    line = "".join(letter if letter.isprintable() else " " for letter in " ".join(message.split()))
    print(f"armonica: {line}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    main()
