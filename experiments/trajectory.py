"""What happened in a learning run, look by look: measured later, as often as one likes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding.files import replace_file
from encoding.layout import Group

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """All looks of a run; R replicas, G groups of weights.

    A replica that went back to an earlier state (see `halve_at_spikes`) has superseded rows: what was measured there
    is NaN, and `valid` is False.

    Attributes:
        step: number of updates made, (n_looks,).
        time: proper time tau = sum of eta over steps, (n_looks, R). (Eq. (4) of Hertz & Tyrcha 2024 prints 1/eta.)
        rate: eta at the look, (n_looks, R).
        loss: in the unit of the system, (n_looks, R); NaN where a replica is frozen.
        noise: Gamma by group, (n_looks, R, G); NaN where it was not looked at.
        weights: of the looks that took them, (n_weight_looks, R, n_weights); memory-mapped where it comes from a file.
        weights_look: the look of each of those, (n_weight_looks,).
        measured: what else the system recorded, name -> (n_looks, R, ...).
        valid: whether the look lies on the path that was kept, and the replica was not frozen, (n_looks, R). Weights
            are not masked: `valid[weights_look]` says which of them count.
        layout: group -> slice, shape, period.
    """

    step: NDArray[np.int64]
    time: NDArray[np.float64]
    rate: NDArray[np.float64]
    loss: NDArray[np.float64]
    noise: NDArray[np.float64]
    weights: NDArray[np.floating]
    weights_look: NDArray[np.int64]
    measured: dict[str, NDArray[np.float64]]
    valid: NDArray[np.bool_]
    layout: dict[str, Group]

    def __repr__(self) -> str:
        """How much there is, without the numbers."""
        until = f" until time {np.min(self.time[-1]):g}" if self.n_looks else ""
        return f"<Trajectory: {self.n_looks} looks at {self.n_replicas} replica(s){until}>"

    @property
    def n_looks(self) -> int:
        """The number of looks."""
        return len(self.step)

    @property
    def n_replicas(self) -> int:
        """The number of replicas."""
        return self.time.shape[1]

    @classmethod
    def from_rows(
        cls, rows: Sequence[Row], weights: NDArray[np.floating], layout: Mapping[str, Group], n_replicas: int
    ) -> "Trajectory":
        """The trajectory of rows as a run writes them: step, time, rate, loss, and some of noise, weights, measured."""
        time = _column(rows, "time", (n_replicas,))
        loss = _column(rows, "loss", (n_replicas,))
        valid = _kept(time) & np.isfinite(loss)
        names = sorted({name for row in rows for name in row.get("measured", {})})
        taken = [(row["weights"], look) for look, row in enumerate(rows) if "weights" in row]
        measured = {name: _measured(rows, name, n_replicas) for name in names}
        return cls(
            step=np.array([row["step"] for row in rows], np.int64),
            time=time,
            rate=_column(rows, "rate", (n_replicas,)),
            loss=_masked(loss, valid),
            noise=_masked(_column(rows, "noise", (n_replicas, len(layout))), valid),
            weights=weights,
            weights_look=np.array([look for _, look in taken], np.int64),
            measured={name: _masked(values, valid) for name, values in measured.items()},
            valid=valid,
            layout=dict(layout),
        )

    def arrays(self) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Names -> (dimensions, values), as `xarray.Dataset(trajectory.arrays())` takes them."""
        named: dict[str, tuple[tuple[str, ...], NDArray[Any]]] = {
            "step": (("look",), self.step),
            "noise": (("look", "replica", "group"), self.noise),
            "weights": (("weights_look", "replica", "weight"), self.weights),
            "weights_look": (("weights_look",), self.weights_look),
            "group": (("group",), np.array(list(self.layout))),
        }
        for name in ("time", "rate", "loss", "valid"):
            named[name] = (("look", "replica"), getattr(self, name))
        for name, values in self.measured.items():
            extra = (
                ("group",)
                if values.shape[2:] == (len(self.layout),)
                else tuple(f"{name}_{i}" for i in range(values.ndim - 2))
            )
            named[name] = (("look", "replica", *extra), values)
        return named

    def to_csv(self, path: str | Path) -> None:
        """A line a look and replica: look, replica, step, time, rate, loss, valid, Gamma by group, the measured."""
        scalars = {name: values for name, values in self.measured.items() if values.ndim == 2}
        for name, values in self.measured.items():
            if values.shape[2:] == (len(self.layout),):
                scalars |= {f"{name}_{group}": values[:, :, place] for place, group in enumerate(self.layout)}
        noises = [f"noise_{group}" for group in self.layout]
        lines = [",".join(["look", "replica", "step", "time", "rate", "loss", "valid", *noises, *scalars])]
        for look in range(self.n_looks):
            for replica in range(self.n_replicas):
                at = look, replica
                numbers = [self.time[at], self.rate[at], self.loss[at]]
                rest = [*self.noise[at], *(values[at] for values in scalars.values())]
                cells = [
                    look,
                    replica,
                    int(self.step[look]),
                    *map(float, numbers),
                    int(self.valid[at]),
                    *map(float, rest),
                ]
                lines.append(",".join(map(repr, cells)))
        with replace_file(Path(path)) as file:
            file.write(("\n".join(lines) + "\n").encode())


def _column(rows: Sequence[Row], name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Values of one name for all rows, (n_looks, *shape); NaN where a row has none, or null."""
    values = np.full((len(rows), *shape), np.nan)
    for look, row in enumerate(rows):
        if name in row:
            values[look] = np.array(row[name], np.float64)
    return values


def _measured(rows: Sequence[Row], name: str, n_replicas: int) -> NDArray[np.float64]:
    sample = next(row["measured"][name] for row in rows if name in row.get("measured", {}))
    return _column([row.get("measured", {}) for row in rows], name, (n_replicas, *np.shape(sample)[1:]))


def _kept(time: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the replica never goes back to before this look later on, (n_looks, R)."""
    later = np.full_like(time, np.inf)
    later[:-1] = np.minimum.accumulate(time[::-1], axis=0)[::-1][1:]
    return time <= later


def _masked(values: NDArray[np.float64], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    values[~valid] = np.nan
    return values
