"""What makes the steps of a digit classifier: torch, or code compiled for its products. They agree to rounding.

`plain` runs everywhere; `fast` where the processor multiplies and adds in one, and where hidden layers are made of
whole vectors (16 or 8 units). Losses and gradients that are looked at now and then are torch's in both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classical.digits.inputs import Seen
from classical.digits.settings import DigitSettings
from encoding import InputError
from encoding.errors import shown
from encoding.kept import load, obstacle_to_compiling
from encoding.layout import Group

KERNELS = ("fast", "plain")


def chosen(name: str | None, device: str, settings: DigitSettings) -> str:
    """`fast` or `plain`; None: fast where it can run.

    Raises:
        InputError: another name, a device that is no processor, or a fast one that cannot run.
    """
    if name is not None and name not in KERNELS:
        raise InputError(f"kernel of a digit classifier is {' or '.join(KERNELS)}; got {shown(name)}")
    if device != "cpu":
        raise InputError(f"a digit classifier learns on cpu; got device {shown(device)}")
    why_not = None if name == "plain" else _obstacle(settings)
    if name == "fast" and why_not:
        raise InputError(f"kernel fast was asked for, but {why_not}: ask for plain")
    return "plain" if name == "plain" or why_not else "fast"


def _obstacle(settings: DigitSettings) -> str | None:
    """Why the compiled steps cannot be made, or None."""
    if (obstacle := obstacle_to_compiling()) is not None:
        return obstacle
    import llvmlite.binding

    if not llvmlite.binding.get_host_cpu_features().get("fma"):
        return "this processor has no AVX2 with fused multiply-add"
    from classical.kernels.lanes import n_lanes

    lanes = n_lanes()
    odd = next((n for n in settings.hidden if n % lanes), None)
    return None if odd is None else f"hidden layers come in whole vectors of {lanes} units; got {odd}"


class FastSteps:
    """Compiled steps of any replica of one system; nothing is written but its weights and velocities."""

    def __init__(
        self, train: Seen, settings: DigitSettings, sizes: tuple[int, ...], layout: Mapping[str, Group]
    ) -> None:
        """What does not change from step to step."""
        from classical.kernels.lanes import n_lanes

        self._steps, numbers = compiled(), range(1, len(sizes))
        self._plan = self._steps.Plan(
            np.array(sizes),
            np.array([layout[f"J{k}"].slice.start for k in numbers]),
            np.array([layout[f"b{k}"].slice.start if settings.biases else -1 for k in numbers]),
            train.inputs.numpy(),
            train.labels,
            settings.activation == "binary",
            settings.margin,
            settings.momentum,
        )
        self.name = f"fast, {n_lanes()} lanes"

    def run(
        self, flat: NDArray[np.float32], velocity: NDArray[np.float32], batches: list[NDArray[np.int64]], rate: float
    ) -> NDArray[np.float64]:
        """A step for each batch; the mean hinge of each before it, (n,)."""
        ends = np.cumsum([0, *map(len, batches)])
        return self._steps.learn(self._steps.ADDRESS, self._plan, flat, velocity, np.concatenate(batches), ends, rate)


def compiled() -> Any:
    """The module `classical.digits.steps`, its code compiled and kept."""
    if not _loaded:
        from classical.kernels.lanes import n_lanes

        home = Path(__file__).parent
        sources = (home / "steps.py").read_bytes() + (home.parent / "kernels" / "tile.py").read_bytes()
        names = ["classical.kernels.tile", "classical.digits.steps"]
        _loaded.append(load(names[1], names, sources + str(n_lanes()).encode()))
    return _loaded[0]


_loaded: list[Any] = []
