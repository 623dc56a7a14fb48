"""Networks as spin models (Barney, Winer & Galitski 2024): weights are bonds between Ising spins, which may melt."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classical.spins.bonds import Bonds, chain
    from classical.spins.cholesky import log_determinant
    from classical.spins.exact import ground_susceptibility, thermal_susceptibility
    from classical.spins.melting import Melting, least_eigenvalue, melting_temperature
    from classical.spins.multilayer import hessian, random_bonds, transition_temperature
    from classical.spins.onsager import linear_tap, onsager_term
    from classical.spins.spectra import (
        first_spacing,
        gap_ratio,
        largest_eigenvalue,
        marchenko_pastur,
        outside_bulk,
        spectrum,
    )
    from classical.spins.tap import Magnetisations, free_energy, solutions, tap_residual
    from classical.spins.transverse import static_susceptibility, transverse_melting

_HOMES = {
    "Bonds": "bonds",
    "Magnetisations": "tap",
    "Melting": "melting",
    "chain": "bonds",
    "first_spacing": "spectra",
    "free_energy": "tap",
    "gap_ratio": "spectra",
    "ground_susceptibility": "exact",
    "hessian": "multilayer",
    "largest_eigenvalue": "spectra",
    "least_eigenvalue": "melting",
    "linear_tap": "onsager",
    "log_determinant": "cholesky",
    "marchenko_pastur": "spectra",
    "melting_temperature": "melting",
    "onsager_term": "onsager",
    "outside_bulk": "spectra",
    "random_bonds": "multilayer",
    "solutions": "tap",
    "spectrum": "spectra",
    "static_susceptibility": "transverse",
    "tap_residual": "tap",
    "thermal_susceptibility": "exact",
    "transition_temperature": "multilayer",
    "transverse_melting": "transverse",
}

__all__ = [
    "Bonds",
    "Magnetisations",
    "Melting",
    "chain",
    "first_spacing",
    "free_energy",
    "gap_ratio",
    "ground_susceptibility",
    "hessian",
    "largest_eigenvalue",
    "least_eigenvalue",
    "linear_tap",
    "log_determinant",
    "marchenko_pastur",
    "melting_temperature",
    "onsager_term",
    "outside_bulk",
    "random_bonds",
    "solutions",
    "spectrum",
    "static_susceptibility",
    "tap_residual",
    "thermal_susceptibility",
    "transition_temperature",
    "transverse_melting",
]


def __getattr__(name: str):
    """Load what is asked for, when it is asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'classical.spins' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"classical.spins.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """What there is, loaded or not."""
    return sorted({*globals(), *__all__})
