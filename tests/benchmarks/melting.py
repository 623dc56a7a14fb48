"""How long the melting temperature of 2330 spins takes, against a scan of a hundred betas by diagonalisation.

The layers are those of Barney, Winer & Galitski (2024), 784-512-512-512-10; what they do at each beta is one
diagonalisation of I - M, so a few are timed and a hundred counted. The least eigenvalue of the whole matrix at the T_c
that was found says how well both agree. `make bench` prints it.
"""

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
os.environ["ARMONICA_THREADS"] = "1"

import numpy as np
from measuring import asked, seconds, table
from scipy.linalg import eigvalsh

from classical.spins import Bonds, linear_tap, melting_temperature, random_bonds, transition_temperature
from experiments.figures.spin_transition import pulled

SIZES, C, BETAS, INSTANCES = [784, 512, 512, 512, 10], 2.0, 100, 5


def compared(name: str, bonds: Bonds, turns: int) -> tuple[object, ...]:
    """One row: T_c, seconds of both, their ratio, and the eigenvalue that the whole matrix has there."""
    found = melting_temperature(bonds)
    beta = 1 / float(found.temperature)
    matrix = linear_tap(bonds, beta)
    clock = seconds({"ours": lambda: melting_temperature(bonds), "dense": lambda: np.linalg.eigvalsh(matrix)}, turns)
    scan = BETAS * clock["dense"]
    exact = float(eigvalsh(matrix, subset_by_index=[0, 0])[0]) - float(found.least)
    slope = found.mode @ (2 * beta * bonds.squares * found.mode - bonds.apply(found.mode))
    off = abs(exact / slope) / beta if found.melts else np.nan
    return (
        name,
        bool(found.melts),
        f"{found.temperature:.6f}",
        clock["ours"],
        clock["dense"],
        scan / clock["ours"],
        exact,
        off,
    )


def main() -> None:
    """The tables that were asked for."""
    arguments = asked(__doc__, ("speed", "untrained"), 3)
    if "speed" in arguments.only:
        rows = [compared("pulled", pulled(random_bonds(SIZES, C, seed=0)), arguments.turns)]
        rows.append(compared("untrained", random_bonds(SIZES, C, seed=0), arguments.turns))
        heads = ("network", "melts", "T", "s", "s of one diagonalisation", "scan of 100 / ours")
        table(
            "Melting of 2330 spins", (*heads, "least eigenvalue, whole matrix minus ours", "relative error of T"), rows
        )
    if "untrained" in arguments.only:
        betas = [1 / float(melting_temperature(random_bonds(SIZES, C, seed=s)).temperature) for s in range(INSTANCES)]
        wanted = 1 / transition_temperature(SIZES, C)
        row = (" ".join(f"{beta:.4f}" for beta in betas), float(np.mean(betas)), wanted, float(np.mean(betas) / wanted))
        table("beta of five untrained networks", ("beta", "mean", "theory", "ratio"), [row])


if __name__ == "__main__":
    main()
