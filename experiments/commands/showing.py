"""The verbs that show what there is: plot and listen to runs, describe data, systems and backends."""

from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.options import (
    AccountOption,
    ExcerptOption,
    FirstOption,
    InstanceOption,
    RunArgument,
    ScaleOption,
    SourceOption,
    SplitOption,
    StoreOption,
    TransposeOption,
    music_there,
    say,
    was_said,
)


def plot(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="A study (fig2 ... fig9, talk, quantum-aging, perceptron, digits, melting, ..., a .toml), or a run, "
            "or 'latest'; or a figure of theory: perceptron-profiles, perceptron-transitions, perceptron-states, "
            "perceptron-teacher, spin-transition."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="File to draw: .png, .svg or .pdf. [default: in the store, or the run's folder]")
    ] = None,
    scale: ScaleOption = "laptop",
    store: StoreOption = Path("runs"),
) -> None:
    """Draw a study's figure from its runs, or the learning curve of a run; the numbers go beside it as CSV.

    Figures of theory compute themselves and need no runs.
    """
    from encoding.errors import InputError
    from experiments.figures.theory import THEORY
    from experiments.study import is_study

    if is_study(what):
        _plot_study(what, scale, store, out)
    elif was_said(context, "scale"):
        kind = "figure of theory" if what in THEORY else "run"
        raise InputError(f"--scale is of studies; got it with the {kind} {what!r}: leave it out, or name a study")
    elif what in THEORY:
        _plot_theory(what, store, out)
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
        say(line)
    say(f"{path}\n{path.with_suffix('.csv')}")


def _plot_theory(name: str, store: Path, out: Path | None) -> None:
    from encoding.files import expanded
    from experiments.figures.theory import draw_theory

    path = expanded(out or store / f"{name}.png")
    for line in draw_theory(name, path).lines():
        say(line)
    say(f"{path}\n{path.with_suffix('.csv')}")


def _plot_run(run: str, store: Path, out: Path | None) -> None:
    from experiments.figures.of_run import draw_learning_curve
    from experiments.figures.picture import check_table
    from experiments.store import Store, load_run

    path = Store(store).find(run)
    picture = out or path / "learning_curve.png"
    loaded = load_run(path)
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw_learning_curve(loaded, picture)
    check_table(picture.with_suffix(".csv"), begins="look,replica,step,", of="run")
    loaded.trajectory.to_csv(picture.with_suffix(".csv"))
    say(f"{picture}\n{picture.with_suffix('.csv')}")


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
        say(line)


def data(
    source: SourceOption = "music21",
    split: SplitOption = "train",
    first: FirstOption = 80,
    transpose: TransposeOption = True,
    excerpt: ExcerptOption = None,
    each: Annotated[bool, typer.Option("--each", help="A line a chorale: its number, name and length.")] = False,
) -> None:
    """Describe the chorales: counts, ranges, keys; licence and source of each part."""
    from experiments.asking import chorale_lines, data_lines, fewer_than_asked

    music = music_there(source, split, first, transpose, excerpt)
    chorales = music.chorales
    if (fewer := fewer_than_asked(music)) and not each:
        say(fewer)
    for line in chorale_lines(chorales) if each else data_lines(chorales):
        say(line)


def audit(
    encoding: Annotated[str, typer.Argument(help="pitch-class, octave-phase, octave-qubit or compass.")],
    voice: Annotated[str, typer.Option(help="soprano, alto, tenor, bass, or all.")] = "all",
    axes: Annotated[str, typer.Option(help="Along which shots are measured: some of XYZ.")] = "ZX",
    out: Annotated[
        Path | None, typer.Option(help="Picture of the clock: .png, .svg or .pdf. [default: clock-ENCODING.png]")
    ] = None,
    source: SourceOption = "music21",
    split: SplitOption = "train",
    first: FirstOption = 80,
    transpose: TransposeOption = True,
    excerpt: ExcerptOption = None,
) -> None:
    """Say what an encoding of notes as qubits can carry: aliases, success, information, shots; and draw its clock."""
    from encoding.files import expanded
    from experiments.auditing import audit_lines, audited_encoding, check_words, draw_clock

    path = expanded(out or f"clock-{encoding}.png")
    check_words(encoding, voice, axes, path)
    chorales = music_there(source, split, first, transpose, excerpt).load()
    made = audited_encoding(encoding, chorales, voice)
    for line in audit_lines(made, chorales, voice, axes=axes):
        say(line)
    draw_clock(made, chorales, path, voice)
    say(path)


def systems() -> None:
    """List what can learn: the systems installed, their settings and what these are when nothing is said."""
    from experiments.asking import system_lines

    for line in system_lines():
        say(line)


def backends(
    fake: Annotated[bool, typer.Option("--fake", help="The fake machines instead, and what each can do.")] = False,
    account: AccountOption = None,
    instance: InstanceOption = None,
) -> None:
    """List what circuits run on: names, what each can do, whether IBM's client and credentials are there."""
    from quantum.machines.listing import backend_lines, fake_lines

    for line in fake_lines() if fake else backend_lines(account=account, instance=instance):
        say(line)
