"""Where fresh networks leave the paramagnet: by theory, and in instances (Barney, Winer & Galitski 2024, Fig. 3)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classical.spins import (
    Bonds,
    chain,
    hessian,
    least_eigenvalue,
    melting_temperature,
    random_bonds,
    solutions,
    transition_temperature,
)
from experiments.figures.picture import Panel, Picture

SIZES, VARIANCE = (784, 512, 512, 512, 10), 2.0  # as for MNIST, with Kaiming's start
BETAS = np.linspace(0.02, 1, 50)
INSTANCES = 3
SMALLER = (196, 128, 128, 128, 10)  # spins of which all equations are solved
BELOW = (1.02, 0.98, 0.95, 0.9, 0.8, 0.7, 0.6)  # T over T_c
STARTS = 32
PULL = 3.0  # of the direction in each block that stands for what is learned


def spin_transition(
    name: str = "spin-transition",
    *,
    sizes: Sequence[int] = SIZES,
    smaller: Sequence[int] = SMALLER,
    n_instances: int = INSTANCES,
) -> Picture:
    """Least eigenvalues against beta: of the Hessian of all instances, of I - M of some; TAP solutions below T_c."""
    picture = Picture(
        name,
        {
            "hessian": Panel("all instances: the Hessian (15)", "β", "least eigenvalue, per spin"),
            "instances": Panel("single instances", "β", "least eigenvalue of I - M"),
            "solutions": Panel("TAP solutions found, m ≠ 0", "T / T_c", "pairs ±m", zero=True),
        },
        errors="",
    )
    t = transition_temperature(sizes, VARIANCE)
    for panel in ("hessian", "instances"):
        picture.add(panel, f"1/T_c = {1 / t:.4f}", 1 / t, 0.0, kind="wall")
        picture.add(panel, "0", 0.0, 0.0, kind="floor")
    picture.add("hessian", "theory", BETAS, [_per_spin(hessian(sizes, VARIANCE, beta)) for beta in BETAS])
    for seed in range(n_instances):
        bonds, label = random_bonds(sizes, VARIANCE, seed=seed), f"instance {seed}"
        picture.add("instances", label, BETAS, [least_eigenvalue(bonds, beta) for beta in BETAS])
        found = melting_temperature(bonds)
        where = "melts" if found.melts else f"comes down to {float(found.least):.3g}"
        picture.note(f"{label}: {where} at β = {1 / float(found.temperature):.4f}")
    fresh = random_bonds(smaller, VARIANCE, seed=0)
    _solutions(picture, "fresh", fresh)
    _solutions(picture, "a direction pulled out of each block", pulled(fresh))
    layers, fewer = (", ".join(map(str, one)) for one in (sizes, smaller))
    picture.note(f"Layers of {layers} spins, C = {VARIANCE:g}; TAP equations: {fewer}.")
    picture.note(f"Solutions: those that {STARTS} random starts come to; a lower bound.")
    return picture


def _per_spin(matrix: NDArray[np.floating]) -> float:
    """The least eigenvalue of N^(-1/2) H N^(-1/2), N the diagonal of H: zero where that of H is."""
    scale = 1 / np.sqrt(np.diagonal(matrix))
    return float(np.linalg.eigvalsh(scale[:, None] * matrix * scale)[0])


def pulled(bonds: Bonds, strength: float = PULL) -> Bonds:
    """A chain with a direction u v^T, |u| = |v| = 1, pulled out of each block, as learning does."""
    rng, blocks = np.random.default_rng(0), []
    for block in bonds.blocks.values():
        u, v = (one / np.linalg.norm(one) for one in (rng.standard_normal(n) for n in block.shape))
        blocks.append(block + strength * np.outer(u, v))
    return chain(blocks)


def _solutions(picture: Picture, label: str, bonds: Bonds) -> None:
    found_at = melting_temperature(bonds)
    t = float(found_at.temperature)
    found = [solutions(bonds, share * t, n_starts=STARTS) for share in BELOW]
    picture.add("solutions", label, BELOW, [len(one.m) for one in found], kind="points")
    lost = sum(one.lost for one in found)
    came = ", ".join(f"{one.paramagnet} at {share:g}" for one, share in zip(found, BELOW, strict=True))
    what = "T_c" if found_at.melts else "T of the least eigenvalue (nothing melts)"
    picture.note(f"{label}, {what} = {t:.4f}: starts that came to m = 0: {came}; to nothing: {lost}")
