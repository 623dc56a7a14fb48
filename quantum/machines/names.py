"""Names of what circuits run on, read in one place.

exact                   the law of the outcomes, computed
aer                     shots on Aer, without noise
aer:noise=FakeTorino    shots on Aer, with the noise of a machine as it was once measured
fake:FakeTorino         IBM's own sampler on such a machine, here (its local testing mode)
ibm:NAME                a machine of IBM's; ibm:least-busy is the one with the shortest queue
default.qubit, lightning.qubit      PennyLane's devices
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from encoding import InputError
from encoding.errors import shown

FORMS = {
    "exact": "the law of the outcomes, computed; shots are drawn from it",
    "aer": "Aer without noise",
    "aer:noise=FakeTorino": "Aer with the noise of a fake machine",
    "fake:FakeTorino": "IBM's sampler on a fake machine, in local testing mode",
    "ibm:NAME": "a machine of IBM's",
    "ibm:least-busy": "the machine of IBM's with the shortest queue",
    "default.qubit": "PennyLane's simulator",
    "lightning.qubit": "PennyLane's compiled simulator",
}
WITHOUT_MACHINE = ("exact", "aer", "default.qubit", "lightning.qubit")
INSTALL = "pip install -c constraints.txt '.[ibm]'"  # in a checkout: no index of packages has it
MACHINE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
LEAST_BUSY = "least-busy"


@dataclass(frozen=True)
class Name:
    """A name that was read.

    Attributes:
        kind: "exact", "aer", "noise", "fake", "ibm", "default.qubit" or "lightning.qubit".
        machine: the machine it names; "" where there is none.
    """

    kind: str
    machine: str = ""

    def __str__(self) -> str:
        before = {"noise": "aer:noise="}.get(self.kind, f"{self.kind}:")
        return f"{before}{self.machine}" if self.machine else self.kind


def read_name(name: Any) -> Name:
    """What a name says.

    Raises:
        InputError: no such name; the line lists those there are and the one that is nearest.

    >>> read_name("aer:noise=FakeTorino")
    Name(kind='noise', machine='FakeTorino')
    """
    if not isinstance(name, str):
        raise InputError(f"a backend has a name, one of {_all()}; got {shown(name)}")
    kind, _, rest = name.strip().partition(":")
    if kind == "aer" and rest.startswith("noise="):
        kind, rest = "noise", rest.removeprefix("noise=")
    if (kind in WITHOUT_MACHINE and name.strip() == kind) or (
        kind in ("noise", "fake", "ibm") and MACHINE.fullmatch(rest)
    ):
        return Name(kind, rest)
    raise InputError(f"there is no backend {shown(name)}{nearest(name, FORMS)}; there are {_all()}")


def nearest(word: str, known: Any) -> str:
    """The known name that is most like a word, as a question, or nothing.

    >>> nearest("fakemanila", ["FakeManilaV2", "FakeTorino"])
    ': did you mean FakeManilaV2?'
    """
    lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), lower, n=1)
    return f": did you mean {lower[found[0]]}?" if found else ""


def has_extra() -> bool:
    """Whether qiskit-ibm-runtime is installed, of which fake machines are a part too."""
    return find_spec("qiskit_ibm_runtime") is not None


def check_extra(name: Name) -> None:
    """Refuse what needs IBM's client where it is not.

    Raises:
        InputError: qiskit-ibm-runtime is not installed.
    """
    if not has_extra():
        raise InputError(f"{name} needs qiskit-ibm-runtime, which is not installed: {INSTALL}")


@lru_cache(maxsize=1)
def fake_machines() -> dict[str, type]:
    """Machines of IBM's as they once were, by name; qiskit-ibm-runtime carries them."""
    from qiskit_ibm_runtime import fake_provider
    from qiskit_ibm_runtime.fake_provider.fake_backend import FakeBackendV2

    kinds = {name: getattr(fake_provider, name) for name in dir(fake_provider) if name.startswith("Fake")}
    return {
        name: kind
        for name, kind in kinds.items()
        if isinstance(kind, type) and issubclass(kind, FakeBackendV2) and kind is not FakeBackendV2
    }


def fake_machine(name: Name) -> Any:
    """The fake machine that a name names.

    Raises:
        InputError: qiskit-ibm-runtime is not installed, or has no such machine.
    """
    check_extra(name)
    known = fake_machines()
    if name.machine not in known:
        raise InputError(
            f"there is no fake machine {name.machine}{nearest(name.machine, known)}; armonica backends --fake lists "
            f"the {len(known)} there are"
        )
    return known[name.machine]()


def _all() -> str:
    return ", ".join(FORMS)
