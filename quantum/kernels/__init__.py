"""What makes the steps of a quantum recurrent network: `quantum.channel` in plain torch, or compiled.

Compiled are, from below: sixteen data states as one value (vectors); U of a ladder and the slopes along its angles
(gates); A(x) = U (|x> (x) 1_H) of all distinct chords, and back (maps); what is read (observables); one chord in the
coherent and the staggered schedule (carried) and in the measured one (averaged); all music, chord after chord (steps);
fields, costs and errors (readout). Above stand one network's pass and learning steps (replica), and all of them on
threads (cpu).
"""

import logging
from pathlib import Path
from typing import Any

from encoding import InputError
from encoding.kept import load, obstacle_to_compiling
from quantum.settings import MOST_HISTORY_DENSE, QuantumRNNSettings

log = logging.getLogger("armonica")

KERNELS = ("fast", "plain")
PARTS = (
    "vectors",
    "gates",
    "maps",
    "observables",
    "carried",
    "averaged",
    "readout",
    "steps",
    "laid_out",
    "replica",
    "cpu",
)


def kernel_named(name: str | None) -> str:
    """Which kernel it is, `fast` or `plain`.

    None: fast where it can run, plain where it cannot, which is then said. The fast kernel makes every network of
    either precision; it needs Numba, and a processor with fused multiply-adds.

    Raises:
        InputError: another name, or a kernel that cannot run here.
    """
    if name not in (None, *KERNELS):
        raise InputError(f"the quantum network has the kernels {', '.join(KERNELS)}; got {name!r:.40}")
    if name == "plain":
        return "plain"
    obstacle = _obstacle()
    if name == "fast" and obstacle:
        raise InputError(f"kernel fast was asked for, but {obstacle}: ask for plain")
    if obstacle:
        log.warning("kernel plain: %s", obstacle)
    return "plain" if obstacle else "fast"


def kernel_for(settings: QuantumRNNSettings, name: str | None) -> str:
    """As `kernel_named`; plain for what is not compiled: shots, rules of samplers, sampled kets, large histories.

    Raises:
        InputError: another name, or a kernel that cannot make it.
    """
    sampled = settings.shots is not None or settings.rule != "adjoint" or settings.trajectories is not None
    if not sampled and settings.n_history <= MOST_HISTORY_DENSE:
        return kernel_named(name)
    if kernel_named(name or "plain") == "fast":
        raise InputError(
            f"kernel fast makes exact averages of up to {MOST_HISTORY_DENSE} history qubits, by the adjoint rule; here "
            "it is shots, kets or more: leave kernel out"
        )
    return "plain"


def compiled(precision: str = "float32") -> Any:
    """The module `cpu` of this package, ready for a precision: only so loaded is its compiled code well kept."""
    if precision not in _compiled:
        home = Path(__file__).parent
        sources = b"".join((home / f"{part}.py").read_bytes() for part in PARTS)
        _compiled[precision] = load(f"{__name__}.cpu", [f"{__name__}.{part}" for part in PARTS], sources, precision)
    return _compiled[precision]


_compiled: dict[str, Any] = {}


def _obstacle() -> str | None:
    """Why the compiled kernel cannot run, or None."""
    if (obstacle := obstacle_to_compiling()) is not None:
        return obstacle
    import llvmlite.binding

    features = llvmlite.binding.get_host_cpu_features()
    return None if features.get("fma") or features.get("neon") else "this processor has no fused multiply-add"
