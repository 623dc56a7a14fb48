"""Where the looks of a run go: into memory here, onto disk in `experiments.run_folder`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from experiments.trajectory import Row, Trajectory

if TYPE_CHECKING:
    from experiments.system import System

Saved = dict[str, NDArray[Any]]


@runtime_checkable
class Recorder(Protocol):
    """Takes rows in order, and a checkpoint now and then."""

    def begin(self, system: "System") -> Saved | None:
        """Get ready for this system; what was last saved, if there is anything."""
        ...

    def append(self, row: Row, weights: NDArray[np.floating] | None) -> None:
        """One more row: step, time, rate, loss, perhaps noise, measured; weights (n_replicas, n_weights) or None."""
        ...

    def maybe_save(self, checkpoint: Callable[[], Saved]) -> None:
        """Save, if it is time."""
        ...

    def save(self, checkpoint: Saved) -> None:
        """Save now."""
        ...

    def last_looked_loss(self) -> NDArray[np.float64]:
        """The losses of the last row, (n_replicas,)."""
        ...

    def trajectory(self) -> Trajectory:
        """All rows so far."""
        ...


class Record:
    """A run kept in memory, lost with the process."""

    def begin(self, system: "System") -> Saved | None:
        """An empty record."""
        self._layout, self._n_replicas = system.layout(), system.n_replicas
        self._rows: list[Row] = []
        self._weights: list[NDArray[np.floating]] = []
        return None

    def append(self, row: Row, weights: NDArray[np.floating] | None) -> None:
        """Keep the row; weights in single precision, as on disk."""
        if weights is not None:
            row = row | {"weights": len(self._weights)}
            self._weights.append(weights.astype(np.float32))
        self._rows.append({name: np.array(value) if name != "measured" else value for name, value in row.items()})

    def maybe_save(self, checkpoint: Callable[[], Saved]) -> None:
        """Nothing to save to."""

    def save(self, checkpoint: Saved) -> None:
        """Nothing to save to."""

    def last_looked_loss(self) -> NDArray[np.float64]:
        """The losses of the last row."""
        return self._rows[-1]["loss"]

    def trajectory(self) -> Trajectory:
        """All rows so far."""
        n_weights = max(group.slice.stop for group in self._layout.values())
        weights = np.array(self._weights, np.float32).reshape(-1, self._n_replicas, n_weights)
        return Trajectory.from_rows(self._rows, weights, self._layout, self._n_replicas)
