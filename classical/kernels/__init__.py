"""What makes the steps of a deep recurrent network: one in plain torch, one compiled; the same numbers to rounding.

A kernel has a `name`, `step(flat, past, batches, eta, n, frozen)` and `loss(flat)`, see `plain.PlainKernel`.
"""

import logging
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classical.settings import DeepRNNSettings
from encoding import InputError, Transitions
from encoding.layout import Group

log = logging.getLogger("armonica")


class Kernel(Protocol):
    """Steps of all replicas; weights and remembered errors are moved in place."""

    name: str

    def step(
        self,
        flat: NDArray[np.floating],
        past: NDArray[np.floating],
        batches: NDArray[np.int64],
        eta: NDArray[np.float64],
        n: int,
        frozen: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Losses before each step (n, R), and at which of the steps a replica froze (R,), or -1."""
        ...

    def loss(self, flat: NDArray[np.floating]) -> NDArray[np.float64]:
        """The losses at these weights, (R,)."""
        ...


def kernel_named(name: str | None, data: Transitions, settings: DeepRNNSettings, layout: dict[str, Group]) -> Kernel:
    """The kernel called `fast` or `plain`; None: fast where it can run, plain where it cannot, which is then said.

    Raises:
        InputError: another name, or `fast` where it cannot run.
    """
    if name not in (None, "fast", "plain"):
        raise InputError(f"kernel is fast or plain; got {name!r}")
    obstacle = None if name == "plain" else _obstacle(settings)
    if name == "fast" and obstacle:
        raise InputError(f"kernel fast was asked for, but {obstacle}: ask for plain")
    if name == "plain" or obstacle:
        if obstacle:
            log.warning("kernel plain: %s", obstacle)
        from classical.kernels.plain import PlainKernel

        return PlainKernel(data, settings, layout)
    from classical.kernels.cpu import FastKernel

    return FastKernel(data, settings, layout)


def _obstacle(settings: DeepRNNSettings) -> str | None:
    """Why the compiled kernel cannot run, or None."""
    if settings.precision != "float32":
        return f"the fast kernel computes in float32, not in {settings.precision}"
    try:
        import llvmlite.binding
        import numba  # noqa: F401 (whether it can be loaded is the question)
    except ImportError as error:
        return f"numba cannot be loaded ({error})"
    features = llvmlite.binding.get_host_cpu_features()
    return None if features.get("fma") else "this processor has no AVX2 with fused multiply-add"
