"""Compiled code kept between processes: Numba writes it into the cache folder, under a fingerprint of what made it.

By itself Numba would write beside the sources, which may be read-only, and would not notice that a file they import has
changed. Code that cannot be loaded is removed and compiled again; where none can be kept, it is compiled anew in every
process. All of this is said.
"""

import atexit
import hashlib
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from encoding.cache import cache_folder
from encoding.errors import InputError
from encoding.memory import ran_out

log = logging.getLogger("armonica")

COMPLETE = "complete"  # a file beside the code: all that `ready` asks for is there


def load(
    name: str, modules: Sequence[str], made_from: bytes, *part: str, advice: str = "the kernel plain needs none"
) -> Any:
    """The module `name` with its code compiled: its function `ready`, if it has one, calls all there is.

    Args:
        name: of the module.
        modules: all that hold compiled code; after a failure they are imported anew.
        made_from: whatever the code depends on beside Python, Numba and the processor.
        part: words that `ready` is called with, where only a part of the code is needed.
        advice: to those who wait for it.
    """
    folder = _folder(made_from)
    complete, begun = _marker(folder, part).exists(), any(folder.rglob("*.nbi"))
    try:
        _check_written(folder)
        if not complete:
            log.warning("compiling the kernels, once: some 10 seconds; they are kept in %s (%s)", folder, advice)
        return _loaded(name, folder, part)
    except OSError as error:  # it cannot be written, or the disk is full
        return _unkept(name, modules, str(error), part)
    except Exception as error:
        if ran_out(error) or not begun:
            raise
        reason = " ".join(f"{type(error).__name__} {error}".split())
        log.warning("the compiled kernels in %s are damaged (%.60s): they are compiled again", folder, reason)
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        return _unkept(name, modules, f"{folder} cannot be removed", part)
    _forget(modules)
    return load(name, modules, made_from, *part, advice=advice)


def obstacle_to_compiling() -> str | None:
    """Why nothing can be compiled here, whatever the processor; or None.

    Raises:
        InputError: NUMBA_DISABLE_JIT says neither yes nor no.
    """
    said = os.environ.get("NUMBA_DISABLE_JIT", "")
    if said not in ("", "0", "1"):  # Numba would warn, at length
        raise InputError(f"NUMBA_DISABLE_JIT is 0 or 1; got {said!r}")
    try:
        disabled = _numba_settings().DISABLE_JIT
    except ImportError as error:
        return f"numba cannot be loaded ({error})"
    return "NUMBA_DISABLE_JIT is set" if disabled else None


def _numba_settings() -> Any:
    """Numba's settings, which it sets from the environment as it is loaded: no type checker can know their names."""
    return import_module("numba.core.config")


def _folder(made_from: bytes) -> Path:
    """Where the code of this armonica, Python, Numba and processor is kept."""
    import llvmlite.binding
    import numba

    others = sys.version, numba.__version__, llvmlite.binding.get_host_cpu_name(), str(Path(__file__).parent)
    return cache_folder() / "kernels" / hashlib.sha256(made_from + repr(others).encode()).hexdigest()[:16]


def _check_written(folder: Path) -> None:
    """See that files can be made there."""
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()


def _marker(folder: Path, part: Sequence[str]) -> Path:
    return folder / "-".join([COMPLETE, *part])


def _loaded(name: str, folder: Path, part: Sequence[str]) -> Any:
    """Import and make ready, with `folder` as Numba's."""
    config = _numba_settings()
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        module = import_module(name)
        if hasattr(module, "ready"):
            module.ready(*part)
            _marker(folder, part).touch()
    finally:
        config.CACHE_DIR = before
    return module


def _unkept(name: str, modules: Sequence[str], why: str, part: Sequence[str]) -> Any:
    """The same in a folder that is removed when this process ends."""
    log.warning("compiled kernels are not kept, and compiled again next time: %s", why)
    folder, owner = tempfile.mkdtemp(prefix="armonica-kernels-"), os.getpid()
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == owner else None)
    _forget(modules)
    return _loaded(name, Path(folder), part)


def _forget(modules: Sequence[str]) -> None:
    """As if they had never been imported."""
    for module in modules:
        sys.modules.pop(module, None)
