"""What makes the steps of a deep recurrent network: in plain torch, compiled, or on a graphics card.

A kernel has a `name`, `step(flat, memory, batches, eta, n, frozen)` and `loss(flat)`, see `plain.PlainKernel`.
"""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classical.kernels.lanes import n_lanes
from classical.settings import DeepRNNSettings
from encoding import InputError, Transitions
from encoding.kept import load, obstacle_to_compiling
from encoding.layout import Group

log = logging.getLogger("armonica")


class Kernel(Protocol):
    """Steps of all replicas; weights and what is remembered are moved in place."""

    name: str

    def memory(self, past: NDArray[np.floating]) -> Any:
        """What the rule remembers, as this kernel keeps it, from (R, 2, d, n_slots, w); (R, 0, ...) where nothing."""
        ...

    def past(self, memory: Any, of: slice = slice(None)) -> NDArray[np.floating]:
        """What is remembered, of some of the replicas, as any kernel can read it."""
        ...

    def step(
        self,
        flat: NDArray[np.floating],
        memory: Any,
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


Build = Callable[[Transitions, DeepRNNSettings, dict[str, Group]], Kernel]


def kernel_named(name: str | None, device: str, settings: DeepRNNSettings) -> tuple[str, Build]:
    """Which kernel it is, `fast`, `plain` or `graph`, its code compiled, and what builds it.

    None: on the processor fast where it can run, plain where it cannot, which is then said; elsewhere graph.

    Raises:
        InputError: another name, a kernel that cannot run there, or a device that is not there.
    """
    if name not in (None, "fast", "plain", "graph"):
        raise InputError(f"kernel is fast, plain or graph; got {name!r}")
    if device != "cpu" or name == "graph":
        return "graph", _graph(name, device)
    obstacle = None if name == "plain" else _obstacle(settings)
    if name == "fast" and obstacle:
        raise InputError(f"kernel fast was asked for, but {obstacle}: ask for plain or graph")
    if name == "plain" or obstacle:
        if obstacle:
            log.warning("kernel plain: %s", obstacle)
        from classical.kernels.plain import PlainKernel

        return "plain", PlainKernel
    return "fast", compiled("cpu").FastKernel


def compiled(name: str) -> Any:
    """The module `name` of this package, `cpu` or `tile`: only so loaded is its compiled code well kept.

    Raises:
        InputError: ARMONICA_LANES asks for vectors that are not to be had.
    """
    if name not in _compiled:
        home = Path(__file__).parent
        sources = b"".join((home / f"{part}.py").read_bytes() for part in ("tile", "errors", "steps"))
        names = [f"{__name__}.{part}" for part in ("tile", "errors", "steps", "cpu")]
        _compiled[name] = load(f"{__name__}.{name}", names, sources + str(n_lanes()).encode())
    return _compiled[name]


_compiled: dict[str, Any] = {}


def _graph(name: str | None, device: str) -> Build:
    """What builds the kernel for a device of torch's."""
    import torch

    from classical.kernels.graph import GraphKernel

    if name not in (None, "graph"):
        raise InputError(f"kernel {name} runs on the processor; got device {device!r}: ask for graph, or for none")
    try:
        there = torch.device(device)
    except (RuntimeError, TypeError):
        raise InputError(f"device is cpu, cuda or cuda:0, cuda:1, ...; got {device!r}") from None
    if there.type not in ("cpu", "cuda") or (there.type == "cpu" and device != "cpu"):
        raise InputError(f"device is cpu, cuda or cuda:0, cuda:1, ...; got {device!r}")
    count = torch.cuda.device_count() if there.type == "cuda" and torch.cuda.is_available() else 0
    if there.type == "cuda" and (there.index or 0) >= count:
        raise InputError(
            f"device {device} was asked for, but torch {torch.__version__} sees {count} CUDA devices: leave it out, or "
            "install a build of torch for your card"
        )
    return partial(GraphKernel, device=there)


def _obstacle(settings: DeepRNNSettings) -> str | None:
    """Why the compiled kernel cannot run, or None."""
    if settings.precision != "float32":
        return f"the fast kernel computes in float32, not in {settings.precision}"
    if (obstacle := obstacle_to_compiling()) is not None:
        return obstacle
    import llvmlite.binding

    features = llvmlite.binding.get_host_cpu_features()
    return None if features.get("fma") else "this processor has no AVX2 with fused multiply-add"
