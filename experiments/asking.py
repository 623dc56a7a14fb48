"""Words of a command line made into the nouns of the library, and nouns into words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any

from encoding import Chorale, InputError
from encoding.describe import describe
from experiments.looks import Looks, aging_looks, logarithmic
from experiments.schedules import Schedule, constant, halve_at_spikes
from experiments.systems import family, names, plain_settings, typed_settings
from experiments.task import Music
from experiments.until import Until

# What `armonica learn` does when nothing is said: minutes on a laptop. The published rule asks for rates 50 times
# smaller (docs/equations.md), and so for 50 times the steps.
SAID_BY_NOBODY = {
    "deep-rnn": {"depth": 2, "width": 90, "rule": "exact", "batch": 300},
    "quantum": {"schedule": "coherent", "n_history": 2, "n_layers": 3},
    "deep-perceptron": {"depth": 10, "width": 10, "alpha": 32.0},
}
DEFAULT_TIME = 200.0
DEFAULT_TIMES = {"digits": 0.75}  # four epochs of MNIST at the default rate
DEFAULT_RATE = 0.02
OTHER_RATES = {"deep-perceptron": 1.0, "digits": 1e-4}  # a step is a sweep; the larger rate of Barney, Winer & Galitski
FIRST_LOOK = 0.1
# By depth, the largest rates scanned whose curves up to tau = 40 lie within 2 % of that of 0.0025
# (docs/performance.md). Depths between take the rate of the next deeper one; beyond 5 nothing was scanned.
STABLE_RATES = {1: 0.04, 2: 0.02, 5: 0.02}
DEEPER = 0.01
PUBLISHED_RATE = 4e-4  # of the delayed rule
LIKE = {"rates": "0.005,0.01", "aging": "80,160,320"}  # numbers with commas, by option


def settings_said(system: str, options: Mapping[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    """The settings of `system`, all of them, out of its own options and of `name=value` pairs.

    Raises:
        InputError: a pair without "=", a setting given twice, or one that the system refuses.
    """
    said = {name: value for name, value in options.items() if value is not None}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InputError(f"--set takes name=value; got {pair!r}")
        if name in said:
            raise InputError(f"{name} is given twice: {said[name]!r} and {value!r}")
        said[name] = value
    return plain_settings(typed_settings(system, SAID_BY_NOBODY.get(system, {}) | said))


def default_rate(system: str, settings: Mapping[str, Any]) -> float:
    """The rate when none is said: for the deep-rnn by rule and depth, for the perceptron whole sweeps."""
    if system != "deep-rnn":
        return OTHER_RATES.get(system, DEFAULT_RATE)
    if settings["rule"] == "delayed":
        return PUBLISHED_RATE
    return next((rate for depth, rate in STABLE_RATES.items() if settings["depth"] <= depth), DEEPER)


def schedule_named(name: str, rate: float) -> Schedule:
    """The schedule called `constant` or `spikes`, starting at `rate`.

    Raises:
        InputError: another name.
    """
    schedules = {"constant": constant, "spikes": halve_at_spikes}
    if name not in schedules:
        raise InputError(f"schedule is one of {', '.join(schedules)}; got {name!r}")
    return schedules[name](rate)


def check_names(given: Iterable[str], known: tuple[str, ...], where: str) -> None:
    """Refuse names that are not known, with the nearest that is.

    Raises:
        InputError: there is one.
    """
    for name in sorted(set(given) - set(known)):
        near = get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"{where} has {', '.join(known)}; got {name}{hint}")


def fewer_than_asked(music: Music) -> str:
    """A line where a set has fewer chorales than were asked for; empty otherwise."""
    n = len(music.chorales)
    return (
        f"{music.source} {music.split}: {n} chorales there, {music.first} asked for" if n < (music.first or 0) else ""
    )


def ending(time: float | None, loss: float | None, steps: int | None, default: float = DEFAULT_TIME) -> Until:
    """When to stop: whatever was said, else at the default proper time."""
    nothing = time is None and loss is None and steps is None
    return Until(time=default if nothing else time, loss=loss, steps=steps)


def first_look(system: str, rate: float) -> float:
    """Proper time of the first look: of digits, whose rates and times are small, after ten steps."""
    return 10 * rate if system == "digits" and rate > 0 else FIRST_LOOK


def when_to_look(per_decade: int, keep_weights: bool, waiting: str | None, first: float = FIRST_LOOK) -> Looks:
    """Log-spaced looks at loss and noise; at the weights too if they are kept, or after the waiting times of aging.

    Raises:
        InputError: waiting times that are not positive numbers with commas between.
    """
    often = logarithmic(first, per_decade)
    if waiting is None:
        return Looks(often, often, often) if keep_weights else Looks(often, often)
    lags = aging_looks(numbers_said("aging", waiting), per_decade, first)
    return Looks(often, lags, lags)


def numbers_said(name: str, text: str) -> tuple[float, ...]:
    """Numbers with commas between.

    Raises:
        InputError: something else.
    """
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        raise InputError(f"--{name} takes numbers like {LIKE.get(name, '1,2,5')}; got {text!r}") from None


def system_lines() -> list[str]:
    """Every system with its settings, the choices there are, and what `armonica learn` does when nothing is said."""
    lines = []
    for name in names():
        kind, said = family(name), SAID_BY_NOBODY.get(name, {})
        lines.append(f"{name} (learns from {kind.learns_from})")
        for entry in fields(kind.Settings):
            default = said.get(entry.name, None if entry.default is MISSING else entry.default)
            choices = getattr(kind.Settings, "choices", {}).get(entry.name)
            what = f"  one of {', '.join(choices)}" if choices else ""
            lines.append(f"  {entry.name} = {_setting_text(default)}{what}")
    return lines


def _setting_text(value: Any) -> str:
    """A setting as --set takes it."""
    if value is None:
        return "none"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def data_lines(chorales: Sequence[Chorale]) -> list[str]:
    """What there is to know about these chorales, a line each."""
    from experiments.observables import irreducible_loss

    facts = dict(describe(chorales))
    try:
        floor = f"{irreducible_loss(chorales):.5f}"
    except InputError as error:
        floor = f"none: {error}"
    facts["irreducible loss (bits per output unit per time step)"] = floor
    width = max(map(len, facts))
    return [f"{name.replace('_', ' '):<{width}}  {_worded(value)}" for name, value in facts.items()]


def chorale_lines(chorales: Sequence[Chorale]) -> list[str]:
    """The number by which `armonica listen --chorale` knows each chorale, its name and its length in chords."""
    width = max(len(chorale.name) for chorale in chorales)
    return [f"{n:3}  {chorale.name:<{width}}  {chorale.n_steps} chords" for n, chorale in enumerate(chorales)]


def _worded(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_worded(entry)}" for name, entry in value.items())
    if isinstance(value, list | tuple):
        return "..".join(map(str, value)) if len(value) == 2 else ", ".join(map(str, value))
    return str(value)
