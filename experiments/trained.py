"""What learns on a machine, on disk: a folder in that of the run, which never changes the run itself.

    hardware/train-ID/task.json      what was asked, and the machine that was found
    hardware/train-ID/learned.npz    losses (n_steps,), weights (n_steps + 1, n_weights), and the state to go on from

ID follows from the run's key and from what was asked, but for the number of steps: more steps go on from fewer. What
was learned is one file, put in place whole after every step, and before the first one.
"""

import hashlib
import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.asked import asked as told_apart
from encoding.errors import why_unread
from encoding.files import replace_file
from experiments.run_files import read_json, write_json
from experiments.run_folder import Busy
from experiments.run_folder import _lock as lock_folder
from experiments.store import Run
from experiments.submission import Way

LEARNED, ASKED = "learned.npz", "task.json"
WHO = ("program", "account", "instance")  # who asks, and how: the law of the counts is the same
STATE = "state."
FOUND = ("machine", "account", "instance")


@dataclass(frozen=True)
class Training(Way):
    """What is to be learned, where and how.

    Attributes:
        backend: its name.
        rule: "spsa" or "parameter-shift".
        shots: S, in each basis.
        rate: eta, as of a run.
        chorale: number of the chorale that was learned from.
        chords: of its beginning; None: all.
        replica: which network.
        seed: of the directions of SPSA. Another seed is another training, with shots of its own.
        shift: of SPSA, in radians; None: that of the run's settings.
        pairs: of SPSA; None: those of the run's settings.
    """

    backend: str
    rule: str
    shots: int
    rate: float
    chorale: int = 0
    chords: int | None = None
    replica: int = 0
    seed: int = 0
    shift: float | None = None
    pairs: int | None = None

    def key(self, run: str) -> str:
        """What the evaluations of a run's training are called by, 64 hexadecimal digits."""
        said = {name: value for name, value in told_apart(self).items() if name not in WHO}
        said = {"run": run, "training": said | {"rate": float(self.rate)}}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Trained:
    """What was learned so far.

    Attributes:
        path: its folder.
        machine: where.
        losses: seen at every step, before the move, (n_steps,), in bits per output unit and time step.
        weights: before the first step and after each, (n_steps + 1, n_weights).
        state: of the network, to go on from.
        account: of IBM's that asked, by name; "": the environment's, or the default one.
        instance: CRN of what is charged; "": nothing is, or the account's.
    """

    path: Path
    machine: str
    losses: NDArray[np.float64]
    weights: NDArray[np.floating]
    state: dict[str, NDArray[Any]]
    account: str = ""
    instance: str = ""

    @property
    def n_steps(self) -> int:
        """Steps that were made."""
        return len(self.losses)

    def moved(self, loss: float, weights: NDArray[np.floating], state: dict[str, NDArray[Any]]) -> "Trained":
        """One step further."""
        losses, rows = np.append(self.losses, loss), np.concatenate([self.weights, weights[None]])
        return replace(self, losses=losses, weights=rows, state=state)


def folder_of(run: Run, asked: Training) -> Path:
    """Where a training lies, or will."""
    return run.path / "hardware" / f"train-{asked.key(run.task['key'])[:12]}"


class Held:
    """A training for this process alone: two at once would send and pay for the steps of one training together.

    Args:
        path: of its folder, which is not made before something is written there.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._held, self._locked = path, ExitStack(), False

    def begun(self) -> Trained | None:
        """What was learned so far; None: nothing was begun.

        Raises:
            Busy: another process is at it.
            InputError: files that are damaged.
        """
        if self.path.is_dir():
            self._lock()
        return read_trained(self.path)

    def begin(self, trained: Trained, asked: Training) -> None:
        """Put on disk where it starts, if nothing was begun.

        Raises:
            Busy: another process is at it, or has begun it just now.
            OSError: the disk is full, or the run's folder cannot be written.
        """
        late = self._lock()
        begun = (self.path / LEARNED).exists()
        if late and begun:
            raise Busy(f"another process has begun {self.path}: nothing was sent; the same command goes on with it")
        if not begun:
            write_trained(trained, asked)

    def _lock(self) -> bool:
        """Whether the folder was not this process's yet."""
        late = not self._locked
        if late:
            self.path.mkdir(parents=True, exist_ok=True)
            self._held.enter_context(lock_folder(self.path))
            self._locked = True
        return late

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()


def write_trained(trained: Trained, asked: Training) -> None:
    """Put on disk what was learned; a reader sees the step before or this one.

    Raises:
        OSError: the disk is full, or the run's folder cannot be written.
    """
    path = trained.path
    path.mkdir(parents=True, exist_ok=True)
    if not (path / ASKED).exists():
        who = {name: getattr(trained, name) for name in FOUND}
        write_json(path / ASKED, asdict(asked) | who)
    arrays: dict[str, Any] = {STATE + name: array for name, array in trained.state.items()}
    with replace_file(path / LEARNED) as file:
        np.savez(file, losses=trained.losses, weights=trained.weights, **arrays)


def read_trained(path: Path) -> Trained | None:
    """What was learned in a folder; None: nothing was begun.

    Raises:
        InputError: files that are damaged.
    """
    if not (path / LEARNED).exists():
        return None
    found = _found(path / ASKED)
    try:
        with open(path / LEARNED, "rb") as file, np.load(file, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        losses, weights = arrays.pop("losses"), arrays.pop("weights")
        state = {name.removeprefix(STATE): array for name, array in arrays.items()}
        if losses.ndim != 1 or weights.ndim != 2 or len(weights) != len(losses) + 1:
            raise ValueError(f"losses {losses.shape} and weights {weights.shape}")
        if state["weights"].shape != (1, weights.shape[1]) or (state["weights"][0] != weights[-1]).any():
            raise ValueError("the weights to go on from are not the last ones")
        if not np.isfinite(losses).all() or not np.isfinite(weights).all():
            raise ValueError("numbers that are not finite")
        return Trained(path, losses=losses, weights=weights, state=state, **found)
    except Exception as error:  # a damaged archive fails in many ways
        raise InputError(
            f"{path / LEARNED} cannot be read ({why_unread(error)}): move {path} aside to begin anew"
        ) from None


def _found(path: Path) -> dict[str, str]:
    """The machine that was found, and who asked it."""
    told = read_json(path)
    found = {name: told.get(name, "") for name in FOUND}  # an older armonica wrote the machine alone
    if not all(isinstance(value, str) for value in found.values()) or not found["machine"]:
        raise InputError(f"{path} names no machine: it is damaged; move {path.parent} aside to begin anew")
    return found
