"""What makes the steps of a deep recurrent network: in plain torch, compiled, or on a graphics card.

A kernel has a `name`, `step(flat, memory, batches, eta, n, frozen)` and `loss(flat)`, see `plain.PlainKernel`.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classical.settings import DeepRNNSettings
from encoding import InputError, Transitions
from encoding.cache import cache_folder
from encoding.layout import Group

log = logging.getLogger("armonica")


class Kernel(Protocol):
    """Steps of all replicas; weights and what is remembered are moved in place."""

    name: str

    def memory(self, past: NDArray[np.floating]) -> Any:
        """What the rule remembers, as this kernel keeps it, from (R, 2, d, n_slots, w); (R, 0, ...) where nothing."""
        ...

    def past(self, memory: Any) -> NDArray[np.floating]:
        """What is remembered as any kernel can read it."""
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


def kernel_named(
    name: str | None, device: str, data: Transitions, settings: DeepRNNSettings, layout: dict[str, Group]
) -> Kernel:
    """The kernel called `fast`, `plain` or `graph`.

    None: on the processor fast where it can run, plain where it cannot, which is then said; elsewhere graph.

    Raises:
        InputError: another name, a kernel that cannot run there, or a device that is not there.
    """
    if name not in (None, "fast", "plain", "graph"):
        raise InputError(f"kernel is fast, plain or graph; got {name!r}")
    if device != "cpu" or name == "graph":
        return _graph(name, device, data, settings, layout)
    obstacle = None if name == "plain" else _obstacle(settings)
    if name == "fast" and obstacle:
        raise InputError(f"kernel fast was asked for, but {obstacle}: ask for plain")
    if name == "plain" or obstacle:
        if obstacle:
            log.warning("kernel plain: %s", obstacle)
        from classical.kernels.plain import PlainKernel

        return PlainKernel(data, settings, layout)
    return compiled("cpu").FastKernel(data, settings, layout)


def compiled(name: str) -> Any:
    """The module `name` of this package, `cpu` or `tile`: only so loaded is its compiled code well kept."""
    with _compiled_code_kept():
        return import_module(f"classical.kernels.{name}")


def _graph(
    name: str | None, device: str, data: Transitions, settings: DeepRNNSettings, layout: dict[str, Group]
) -> Kernel:
    """The kernel for a device of torch's."""
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
    return GraphKernel(data, settings, layout, there)


@contextmanager
def _compiled_code_kept() -> Iterator[None]:
    """While the kernels are loaded, Numba keeps their code in the cache folder, under a fingerprint of their sources.

    By itself it would write beside the sources, which may be read-only, and would not notice that a file they import
    has changed. Where nothing can be kept the kernels are compiled anew in every process, and this is said.
    """
    config, home = _numba_settings(), Path(__file__).parent
    sources = b"".join((home / name).read_bytes() for name in ("tile.py", "errors.py", "steps.py"))
    sources += os.environ.get("ARMONICA_LANES", "").encode()
    folder = cache_folder() / "kernels" / hashlib.sha256(sources).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = tempfile.TemporaryFile(dir=folder)
        probe.close()
    except OSError as error:
        folder = Path(tempfile.mkdtemp(prefix="armonica-kernels-"))
        log.warning("compiled kernels are not kept, and compiled again next time: %s", error)
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def _numba_settings() -> Any:
    """Numba's settings, which it sets from the environment as it is loaded: no type checker can know their names."""
    return import_module("numba.core.config")


def _obstacle(settings: DeepRNNSettings) -> str | None:
    """Why the compiled kernel cannot run, or None."""
    if settings.precision != "float32":
        return f"the fast kernel computes in float32, not in {settings.precision}"
    try:
        import llvmlite.binding

        disabled = _numba_settings().DISABLE_JIT
    except ImportError as error:
        return f"numba cannot be loaded ({error})"
    if disabled:
        return "NUMBA_DISABLE_JIT is set"
    features = llvmlite.binding.get_host_cpu_features()
    return None if features.get("fma") else "this processor has no AVX2 with fused multiply-add"
