"""What of a system's settings its question names.

A setting that a later version brought leaves older questions as they were: at its default it is not named, so that
their fingerprints stay the same and the runs that answered them are found again.
"""

from dataclasses import field, fields
from typing import Any

from encoding.errors import InputError

LATER = "armonica.later"


def later(default: Any) -> Any:
    """A field of a settings dataclass that its first version did not have: named where it is not at its default."""
    return field(default=default, metadata={LATER: True})


def asked(settings: Any) -> dict[str, Any]:
    """The settings of a dataclass that tell its question from others, by name.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Settings:
    ...     width: int
    ...     skip: bool = later(True)
    >>> asked(Settings(5)), asked(Settings(5, skip=False))
    ({'width': 5}, {'width': 5, 'skip': False})
    """
    pairs = [(entry, getattr(settings, entry.name)) for entry in fields(settings)]
    return {entry.name: value for entry, value in pairs if LATER not in entry.metadata or value != entry.default}


def of_replicas(self: Any) -> str:
    """The `__repr__` of a system: its settings that have no default or another value, and how many replicas.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Settings:
    ...     width: int
    ...     skip: bool = True
    >>> class Net:
    ...     settings, n_replicas = Settings(5), 3
    >>> of_replicas(Net())
    '<Net: width=5, 3 replica(s)>'
    """
    pairs = [(entry, getattr(self.settings, entry.name)) for entry in fields(self.settings)]
    words = [f"{entry.name}={value!r}" for entry, value in pairs if value != entry.default]
    return f"<{type(self).__name__}: {', '.join([*words, f'{self.n_replicas} replica(s)'])}>"


def nothing_said(names: Any) -> bool:
    """Whether a list of names holds none, as `--set learned=` gives it."""
    return isinstance(names, str | tuple | list) and not any(names)


def check_known(options: dict[str, Any], settings: type, system: str) -> None:
    """Refuse options that are no settings.

    Raises:
        InputError: naming them, and the settings there are.
    """
    names = [entry.name for entry in fields(settings)]
    if unknown := set(options) - set(names):
        raise InputError(f"{system} has the settings {', '.join(names)}; got {', '.join(sorted(unknown))}")
