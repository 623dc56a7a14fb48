"""Everything a trainer need not know: learning runs, where they are kept, what is measured on them, how it is drawn."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.images import Images
    from experiments.learner import Progress
    from experiments.learning import NothingMoves, learn
    from experiments.looks import Looks, aging_looks, at, linear, logarithmic
    from experiments.melting import MeltingCurve, bonds_of, melting_along
    from experiments.run_folder import RunFolder
    from experiments.schedules import constant, halve_at_spikes, piecewise
    from experiments.store import Store, load_run, system_of
    from experiments.system import System
    from experiments.task import Music, Task
    from experiments.trajectory import Trajectory
    from experiments.until import Until

_HOMES = {
    "images": ("Images",),
    "learner": ("Progress",),
    "learning": ("NothingMoves", "learn"),
    "melting": ("MeltingCurve", "bonds_of", "melting_along"),
    "run_folder": ("RunFolder",),
    "looks": ("Looks", "aging_looks", "at", "linear", "logarithmic"),
    "schedules": ("constant", "halve_at_spikes", "piecewise"),
    "store": ("Store", "load_run", "system_of"),
    "system": ("System",),
    "task": ("Music", "Task"),
    "trajectory": ("Trajectory",),
    "until": ("Until",),
}

__all__ = [
    "Images",
    "Looks",
    "MeltingCurve",
    "Music",
    "NothingMoves",
    "Progress",
    "RunFolder",
    "Store",
    "System",
    "Task",
    "Trajectory",
    "Until",
    "aging_looks",
    "at",
    "bonds_of",
    "constant",
    "halve_at_spikes",
    "learn",
    "linear",
    "load_run",
    "logarithmic",
    "melting_along",
    "piecewise",
    "system_of",
]


def __getattr__(name: str):
    """Load what is asked for, when it is asked for (PEP 562)."""
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"experiments.{home}"), name)
    raise AttributeError(f"module 'experiments' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What there is, loaded or not."""
    return sorted({*globals(), *__all__})
