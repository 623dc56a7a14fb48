"""Computes perceptron_transitions.csv, glass transitions of the deep perceptron: python docs/perceptron_transitions.py.

Some minutes for each number of steps k. Where a layer does not freeze continuously, or no solution is found, its row
and all after it are left out, which is said; of k = 20 only three layers are asked for, which take longest.
"""

from pathlib import Path

from classical.perceptron import NotConverged, glass_transitions

TABLE = Path(__file__).with_suffix(".csv")
TOLERANCE = 1e-7
ASKED = (("random", 0, 8), ("teacher", 0, 8), *(("random", k, 5) for k in (1, 2, 3, 5, 10)), ("random", 20, 3))


def main() -> None:
    """Write the table."""
    rows = ["scenario,steps,layer,alpha_g"]
    for scenario, steps, n_layers in ASKED:
        alphas = as_far_as_it_goes(scenario, steps, n_layers)
        rows += [f"{scenario},{steps},{layer},{alpha:.5f}" for layer, alpha in enumerate(alphas, 1)]
    TABLE.write_text("\n".join(rows) + "\n", encoding="utf-8")


def as_far_as_it_goes(scenario: str, steps: int, n_layers: int) -> list[float]:
    """Transitions of so many layers, or of fewer."""
    for n in range(n_layers, 0, -1):
        try:
            found = glass_transitions(n, scenario=scenario, levels=steps or None, tolerance=TOLERANCE)
        except NotConverged as told:
            print(f"{scenario}, k = {steps}: {told}")
        else:
            print(f"{scenario}, k = {steps}: {found.round(3).tolist()}", flush=True)
            return found.tolist()
    return []


if __name__ == "__main__":
    main()
