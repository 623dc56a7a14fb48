"""The verbs that make runs: learn, stability, sweep."""

from pathlib import Path
from typing import Annotated

import typer

from experiments.commands.options import (
    AllowOption,
    DataOption,
    DeviceOption,
    ExcerptOption,
    FirstOption,
    KernelOption,
    ReplicasOption,
    ScaleOption,
    SeedOption,
    SettingOption,
    SourceOption,
    SplitOption,
    StoreOption,
    StudyArgument,
    ThreadsOption,
    TransposeOption,
    images_for,
    music_for,
    set_threads,
)


def learn(
    context: typer.Context,
    system: Annotated[
        str, typer.Option(help="What learns: deep-rnn, quantum, deep-perceptron, digits, spherical-glass, or a plugin.")
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
        typer.Option(
            help="Learning rate eta. [default: deep-rnn 0.04 at depth 1, 0.02 to 5, deeper 0.01, delayed 4e-4; "
            "digits 1e-4; deep-perceptron 1, a sweep]"
        ),
    ] = None,
    schedule: Annotated[
        str, typer.Option(help="constant, or spikes: back and halve the rate at a spike.")
    ] = "constant",
    until: Annotated[
        float | None, typer.Option(help="Stop at this proper time tau (sum of rates). [default: 200; digits 0.75]")
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
    data: DataOption = None,
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
    set_threads(threads)
    from experiments.asking import (
        DEFAULT_TIME,
        DEFAULT_TIMES,
        default_rate,
        ending,
        first_look,
        schedule_named,
        settings_said,
        when_to_look,
    )
    from experiments.session import run_session
    from experiments.store import Store
    from experiments.task import Task

    settings = settings_said(system, {"depth": depth, "width": width, "rule": rule, "batch": batch}, setting or [])
    rate = default_rate(system, settings) if rate is None else rate
    rates, look = schedule_named(schedule, rate), when_to_look(looks, keep_weights, aging, first_look(system, rate))
    until_then = ending(until, until_loss, until_steps, DEFAULT_TIMES.get(system, DEFAULT_TIME))
    music, images = music_for(context, system), images_for(context, system)
    task = Task(system, settings, rates, music, look, seed, replicas, images=images)
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


def stability(
    context: typer.Context,
    rates: Annotated[
        str, typer.Option(help="Rates with commas; the smallest is what the others are compared with.")
    ] = "0.0025,0.005,0.01,0.02,0.04",
    system: Annotated[str, typer.Option(help="What learns, see armonica systems.")] = "deep-rnn",
    setting: SettingOption = None,
    until: Annotated[float, typer.Option(help="Learn at every rate to this proper time.")] = 40.0,
    since: Annotated[float, typer.Option(help="Compare from this proper time on.")] = 2.0,
    tolerance: Annotated[float, typer.Option(help="Allowed deviation: 0.02 is 2 %.")] = 0.02,
    replicas: ReplicasOption = 4,
    seed: SeedOption = 0,
    source: SourceOption = "music21",
    split: SplitOption = "train",
    first: FirstOption = 80,
    transpose: TransposeOption = True,
    excerpt: ExcerptOption = None,
    data: DataOption = None,
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
    set_threads(threads)
    from experiments.asking import numbers_said, settings_said
    from experiments.rate_scan import RateScan
    from experiments.session import scan_session
    from experiments.store import Store

    settings = settings_said(system, {}, setting or [])
    music, images = music_for(context, system), images_for(context, system)
    asked = numbers_said("rates", rates)
    scan = RateScan(system, settings, music, asked, until, since, tolerance, seed, replicas, images)
    named = "-".join(str(settings[name]) for name in ("depth", "width", "rule") if name in settings) or system
    picture = out or store / f"stability-{named}.png"
    how = {"kernel": kernel, "device": device, "allow_other_kernel": allow_other_kernel}
    raise typer.Exit(scan_session(Store(store), scan, picture, **how))


def sweep(
    study: StudyArgument,
    scale: ScaleOption = "laptop",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is missing and how long it takes.")] = False,
    jobs: Annotated[int, typer.Option(help="Processes. [1: one run after the other, its replicas on all cores]")] = 1,
    store: StoreOption = Path("runs"),
    threads: ThreadsOption = None,
) -> None:
    """Make the runs of a study that are missing; stopped and started at any time."""
    set_threads(threads)
    from experiments import sweep_session
    from experiments.store import Store
    from experiments.study import load_study

    wanted = load_study(study, scale)
    if dry_run:
        sweep_session.dry_run(wanted, Store(store))
    else:
        raise typer.Exit(sweep_session.sweep_session(wanted, Store(store), jobs=jobs))
