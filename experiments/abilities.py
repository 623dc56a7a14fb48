"""What a System may be able to tell beyond its promises; a measurement that needs it refuses where it is missing.

None of these methods is recorded at looks, and none changes the state of the system.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from encoding import InputError, checked_seed
from encoding.errors import shown
from experiments.system import System

ABILITIES = {
    "outputs": "the output fields H of all training transitions, (n_replicas, n_slots, n_outputs)",
    "activations": "the hidden activations of all layers, (n_replicas, n_slots, n_units)",
    "gradient": "dE/dw of the mean cost of a time slot, in nats, over all data, (n_replicas, n_weights)",
    "jacobian": "slopes dH/dx of the outputs in all that is learned, (n_replicas, n_slots n_outputs, n_coordinates)",
    "couplings": "bonds between layers of neurons, (a, b) -> (..., N_a, N_b), of weights (..., n_weights)",
    "loss_on": "the NLL on other chorales, in bits per output unit, (n_replicas,)",
}


@runtime_checkable
class Sampling(Protocol):
    """A System that learns from circuits, and knows what they cost."""

    def plan(self) -> Any:
        """Of one step of one replica: circuits, jobs one after the other, shots; None where nothing is sampled."""
        ...


def checked_system(name: str, value: Any) -> System:
    """A System, and not its class.

    Raises:
        InputError: something else; what a run is of is built by `experiments.system_of`.
    """
    if isinstance(value, type) or not isinstance(value, System):
        kind = type(value).__name__
        came = f"a {kind}: take experiments.system_of(run)" if kind == "Run" else shown(value)
        raise InputError(f"{name} is a System, with step, loss, weights and what else one promises; got {came}")
    return value


def ability(system: System, name: str) -> Callable[..., NDArray[Any]]:
    """The method `name` of `system`, one of ABILITIES.

    Raises:
        InputError: it has none.
    """
    if not callable(getattr(system, name, None)):
        kind = type(system).__name__
        raise InputError(f"this measurement asks a system for {name}(), {ABILITIES[name]}; {kind} has no such method")
    return getattr(system, name)


@contextmanager
def undisturbed(system: System) -> Iterator[None]:
    """Whatever is done to `system` in between, it is left in the state it had, bit for bit."""
    state = system.state()
    try:
        yield
    finally:
        system.restore(state)


def signs(seed: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Independent entries +-1 with equal chances, a function of `seed` and `shape`.

    Raises:
        InputError: a seed that is none.
    """
    rng = np.random.Generator(np.random.Philox(key=[checked_seed(seed), shape[-1]]))
    return rng.integers(0, 2, shape).astype(np.float64) * 2 - 1
