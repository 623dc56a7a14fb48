"""What several verbs can be told: their options, the chorales these name, threads; and how a line is said."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from experiments.images import Images
    from experiments.task import Music

MUSIC = ("source", "split", "first", "transpose", "excerpt")  # the options that say which chorales

StoreOption = Annotated[Path, typer.Option("--store", help="Folder of runs.")]
StudyArgument = Annotated[
    str, typer.Argument(help="A study: fig2 ... fig9, talk, digits, quantum-learnability, ..., or a path to a .toml.")
]
ScaleOption = Annotated[str, typer.Option(help="smoke: seconds; laptop: under an hour; paper: the published grid.")]
RunArgument = Annotated[str, typer.Argument(help="A run: its folder, its key or the beginning of it, or 'latest'.")]
SourceOption = Annotated[str, typer.Option(help="music21, jsb, or a path: JSB .json/.pkl, MIDI, MusicXML, a folder.")]
SplitOption = Annotated[str, typer.Option(help="train, valid or test.")]
FirstOption = Annotated[int, typer.Option(help="The first so many chorales of the split; 0: all. The paper: 80.")]
TransposeOption = Annotated[bool, typer.Option(help="In C, as the JSB set, or in the original key.")]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data", help="Digits: mnist, download, small, an .npz file or a folder of idx files. [default: small]"
    ),
]
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
AccountOption = Annotated[
    str | None, typer.Option("--account", help="A saved account of IBM's. [default: the environment's, or the default]")
]
InstanceOption = Annotated[
    str | None, typer.Option("--instance", help="CRN of IBM's instance that is charged. [default: the account's]")
]
ExcerptOption = Annotated[int | None, typer.Option(help="Only so many chords of each chorale.")]


def music_for(context: typer.Context, system: str) -> "Music | None":
    """The chorales that a command was asked for; None for a system that learns from nothing, which refuses them."""
    from encoding.errors import InputError
    from experiments.systems import family

    if family(system).learns_from == "chorales":
        return music_there(**{name: context.params[name] for name in MUSIC})
    said = [name for name in MUSIC if was_said(context, name)]
    if said:
        raise InputError(f"{system} learns from no music; got --{', --'.join(said)}: leave it out")
    return None


def images_for(context: typer.Context, system: str) -> "Images | None":
    """The digits that a command was asked for; None for another system, which refuses them."""
    from encoding.errors import InputError
    from experiments.images import Images
    from experiments.systems import family

    data = context.params["data"]
    if family(system).learns_from == "digits":
        images = Images("small" if data is None else data)
        say(images.digits)
        return images
    if data is not None:
        raise InputError(f"{system} learns from no digits; got --data: leave it out")
    return None


def was_said(context: typer.Context, name: str) -> bool:
    """Whether an option was given, rather than left at its default."""
    return str(getattr(context.get_parameter_source(name), "name", "")) == "COMMANDLINE"


def music_there(source: str, split: str, first: int, transpose: bool, excerpt: int | None) -> "Music":
    """The chorales asked for, seen to be there (and parsed, with a bar, if that was never done)."""
    from encoding.errors import InputError
    from experiments.task import Music

    if first < 0:
        raise InputError(f"first is a number of chorales, or 0 for all; got {first}")
    music = Music(source, split, first or None, transpose, excerpt)
    music.load(progress=True)
    return music


def set_threads(n: int | None = None) -> None:
    """`n` threads for the replicas of the fast kernel; every library has one (see `experiments.cli.main`)."""
    from encoding.errors import InputError
    from encoding.threads import MOST_THREADS, n_threads

    if n is not None and not 1 <= n <= MOST_THREADS:
        raise InputError(f"--threads is a whole number from 1 to {MOST_THREADS}; got {n}")
    if n is not None:
        os.environ["ARMONICA_THREADS"] = str(n)
    n_threads()  # what the environment says is looked at too, before anything is begun


def say(line: Any) -> None:
    """A line on stdout, at once."""
    print(line, flush=True)
