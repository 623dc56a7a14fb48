"""The systems that can learn, by name: the entry points `armonica.systems` of all installed packages.

An entry names a class with

    Settings       a frozen dataclass that checks itself; what it does not name cannot be chosen; its `choices`, if it
                   has any, name -> what it can be, are listed by `armonica systems`
    physics        the version of its equations, part of a Task's key
    learns_from    "chorales", "digits" or "nothing"
    build(data, settings, *, seed, n_replicas, kernel, device) -> System     data: chorales, Digits, or None
"""

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

from encoding import InputError
from encoding.asked import asked
from experiments.system import System

GROUP = "armonica.systems"
LEARNS_FROM = ("chorales", "digits", "nothing")


class Family(Protocol):
    """All systems of one kind."""

    Settings: type
    physics: int
    learns_from: str

    def build(
        self,
        data: Any,
        /,
        settings: Any,
        *,
        seed: int,
        n_replicas: int,
        kernel: str | None = None,
        device: str = "cpu",
    ) -> System:
        """The system with these settings; `kernel` None: the best that can run on the device."""
        ...


def names() -> list[str]:
    """The names of all systems installed."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def family(name: str) -> Family:
    """The systems called `name`.

    Raises:
        InputError: there are none, or what is installed under the name does not load, or lacks what it should have.
    """
    for entry in entry_points(group=GROUP, name=name):
        return _checked(entry)
    raise InputError(f"system is one of {', '.join(names()) or '(none: is armonica installed?)'}; got {name!r}")


def _checked(entry: EntryPoint) -> Family:
    """What an entry point names, seen to have what a family of systems has."""
    where = f"{entry.name} = {entry.value} (entry point {GROUP})"
    try:
        found = entry.load()
    except Exception as error:  # somebody else's code
        raise InputError(
            f"{where} does not load: {type(error).__name__}: {error}; mend or remove that package"
        ) from error
    missing = [name for name in ("Settings", "physics", "learns_from", "build") if not hasattr(found, name)]
    if missing:
        raise InputError(f"{where} should name a class with Settings, physics, learns_from, build; it lacks {missing}")
    if not (isinstance(found.Settings, type) and dataclasses.is_dataclass(found.Settings)):
        raise InputError(f"{where}: Settings should be a dataclass; got {found.Settings!r}")
    if found.learns_from not in LEARNS_FROM:
        raise InputError(f"{where}: learns_from is one of {', '.join(LEARNS_FROM)}; got {found.learns_from!r}")
    return found


def typed_settings(name: str, given: Mapping[str, Any]) -> Any:
    """The settings of system `name`, all of them, checked; text (from a command line) is read as what is expected.

    Raises:
        InputError: a setting that is not known, or of another type.
    """
    wanted = family(name).Settings
    if not isinstance(given, Mapping):
        raise InputError(f"settings are names and values; got {type(given).__name__}")
    hints = typing.get_type_hints(wanted)
    kinds = {field.name: hints[field.name] for field in dataclasses.fields(wanted)}
    for setting in given:
        if setting not in kinds:
            near = difflib.get_close_matches(setting, kinds, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(f"{name} has settings {', '.join(kinds)}; got {setting!r}{hint}")
    missing = [field.name for field in dataclasses.fields(wanted) if field.name not in given and _required(field)]
    if missing:
        raise InputError(f"{name} needs {', '.join(missing)}; got {', '.join(given) or 'nothing'}")
    return wanted(**{setting: _read(setting, value, kinds[setting]) for setting, value in given.items()})


def plain_settings(settings: Any) -> dict[str, Any]:
    """Typed settings as plain data, every default filled in."""
    return {name: _plain(value) for name, value in dataclasses.asdict(settings).items()}


def asked_settings(settings: Any) -> dict[str, Any]:
    """Typed settings as plain data, without those that came later and are at their default (`encoding.asked`)."""
    return {name: _plain(value) for name, value in asked(settings).items()}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


EXACT = 1 << 53  # whole numbers up to here are all floats
KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


def _whole(value: Any) -> int:
    """A whole number as it was written; 2.0 and 1e3 are too, as far as a float knows every whole number.

    Raises:
        ValueError: a float beyond that.
    """
    try:
        return int(str(value))
    except ValueError:
        if abs(float(value)) > EXACT:
            raise
        return int(float(value))


def _required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _read(setting: str, value: Any, kind: Any) -> Any:
    """`value` as the kind the settings ask for: whole numbers may come as 2.0, everything as text."""
    if isinstance(kind, types.UnionType):
        if value is None or value in ("none", "None"):
            return None
        kind = next(part for part in kind.__args__ if part is not type(None))
    if typing.get_origin(kind) is tuple and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # one entry, as --set hidden=16 has it
    if typing.get_origin(kind) is tuple and isinstance(value, str | list | tuple):
        return tuple(value.split(",") if isinstance(value, str) else value)
    if kind is bool and isinstance(value, str) and value.lower() in ("true", "false", "yes", "no"):
        return value.lower() in ("true", "yes")
    try:
        if kind in (int, float) and not isinstance(value, bool) and float(value) == kind(float(value)):
            return _whole(value) if kind is int else float(value)
    except (ValueError, OverflowError, TypeError):
        pass
    if typing.get_origin(kind) is None and isinstance(value, kind):
        return value
    said = "a list, or a text with commas" if typing.get_origin(kind) is tuple else KINDS.get(kind, str(kind))
    raise InputError(f"{setting} is {said}; got {value!r}")
