"""Who made a run: versions and machine, kept beside the numbers and never among them."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("armonica", "numpy", "scipy", "torch", "numba", "pennylane", "qiskit", "qiskit-aer", "music21")


def made_by() -> dict[str, Any]:
    """Versions of Python and of the packages that compute, and the machine's name and kind."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "host": platform.node(),
        "machine": platform.machine(),
        "system": platform.system(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
