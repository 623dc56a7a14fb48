"""A System: what learns, as those see it who let it learn and measure it."""

from numbers import Integral
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.layout import Group


@runtime_checkable
class System(Protocol):
    """Anything that learns: `n_replicas` machines, side by side, from the same data (see docs: the System protocol).

    It may also have `measure()` and `measure_noise()`, recorded at looks, and what `experiments.abilities` names:
    outputs, activations, gradient, jacobian, loss_on, which some measurements ask for. `frozen_means` says in words why
    a replica of it may freeze, where that is not that it "became non-finite".
    """

    n_replicas: int

    def step(self, rate: ArrayLike, n: int = 1) -> NDArray[np.float64]:
        """Make n moves at `rate`, a number or (n_replicas,); the losses before each, (n, n_replicas)."""
        ...

    def loss(self) -> NDArray[np.float64]:
        """The losses now, (n_replicas,)."""
        ...

    def noise(self) -> NDArray[np.float64]:
        """Gamma by group, (n_replicas, n_groups)."""
        ...

    def weights(self) -> NDArray[np.floating]:
        """A copy of the weights, (n_replicas, n_weights)."""
        ...

    def put(self, weights: ArrayLike) -> None:
        """Set the weights."""
        ...

    def layout(self) -> dict[str, Group]:
        """Group -> slice, shape, period."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays to go on from, bit for bit; replicas along the first axis of each."""
        ...

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from a `state()`."""
        ...

    def clone(self, seed: int) -> "System":
        """A copy in the same state that goes on with other noise."""
        ...


def check_system(system: object) -> None:
    """Refuse what does not keep the promises of a System, as far as can be seen from outside.

    Raises:
        InputError: one is missing.
    """
    promised = ("step", "loss", "noise", "weights", "put", "layout", "state", "restore", "clone")
    missing = [name for name in promised if not callable(getattr(system, name, None))]
    missing += [] if isinstance(getattr(system, "n_replicas", None), Integral) else ["n_replicas"]
    if missing:
        raise InputError(f"a System has {', '.join(promised)}; {type(system).__name__} lacks {', '.join(missing)}")
