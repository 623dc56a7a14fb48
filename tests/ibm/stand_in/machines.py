"""The quantum computers of the room: five or more qubits each, as snapshots of IBM's own tell.

A machine mimics a fake backend of qiskit-ibm-runtime and is called as it is ("fake_manila"): configuration and
calibration are its files, word by word. They are read without loading the client: a server is there in milliseconds.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from stand_in.replies import Refused

Condition = Literal["online", "paused", "offline"]
# state, status: what GET /backends/{name}/status says; a paused machine takes jobs and lets them wait.
SAID: dict[Condition, tuple[bool, str]] = {
    "online": (True, "active"),
    "paused": (True, "internal"),
    "offline": (False, "maintenance"),
}


@dataclass
class Machine:
    """A quantum computer.

    Attributes:
        name: of the fake backend that it mimics.
        condition: "online", "paused" or "offline".
        noisy: whether its counts have the noise of its calibration, or none.
    """

    name: str
    condition: Condition = "online"
    noisy: bool = False

    def __post_init__(self) -> None:
        if not self._file("conf").is_file():
            raise ValueError(f"machines are fake backends such as fake_manila; got {self.name!r}")

    def configuration(self) -> dict[str, Any]:
        return self._read("conf") | {"backend_name": self.name}

    def properties(self) -> dict[str, Any]:
        return self._read("props") | {"backend_name": self.name}

    def status(self, queue: int) -> dict[str, Any]:
        state, status = SAID[self.condition]
        version = self.configuration()["backend_version"]
        return {"state": state, "status": status, "message": "", "length_queue": queue, "backend_version": version}

    def listed(self, queue: int) -> dict[str, Any]:
        """Its line in the list of machines."""
        qubits = self.configuration()["n_qubits"]
        return {
            "name": self.name,
            "status": {"name": self.condition, "reason": ""},
            "is_simulator": False,
            "qubits": qubits,
            "physical_qubits": qubits,
            "queue_length": queue,
        }

    def simulator(self) -> Any:
        """Aer, with the noise of the calibration if the machine is noisy."""
        return simulator(self.name, self.noisy)

    def _read(self, what: str) -> dict[str, Any]:
        return json.loads(self._file(what).read_text(encoding="utf-8"))

    def _file(self, what: str) -> Path:
        place = self.name.removeprefix("fake_")
        return snapshots() / place / f"{what}_{place}.json"


@cache
def snapshots() -> Path:
    """The folder in which qiskit-ibm-runtime keeps what it knows of machines."""
    client = find_spec("qiskit_ibm_runtime")
    if client is None or not client.submodule_search_locations:
        raise ValueError("the stand-in needs qiskit-ibm-runtime: pip install -c constraints.txt -e '.[test]'")
    return Path(client.submodule_search_locations[0]) / "fake_provider" / "backends"


@cache
def simulator(name: str, noisy: bool) -> Any:
    from qiskit_aer import AerSimulator
    from qiskit_ibm_runtime import fake_provider

    if noisy:
        like = next(kind for kind in vars(fake_provider).values() if getattr(kind, "backend_name", None) == name)
        return AerSimulator.from_backend(like())
    ideal = AerSimulator()
    ideal.set_max_qubits(10000)  # idle qubits are left out of the simulation, but counted before it
    return ideal


def named(machines: dict[str, Machine], name: str) -> Machine:
    if name not in machines:
        raise Refused(404, 1007, f"Backend {name} is not found.")
    return machines[name]
