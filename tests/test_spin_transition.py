"""The figure of fresh networks: theory's transition, instances beside it, and solutions below it."""

import numpy as np

from classical.spins import hessian, least_eigenvalue, random_bonds, transition_temperature
from experiments.figures import spin_transition as figure


def test_theory_and_instances_stand_beside_each_other_and_order_alone_has_solutions(monkeypatch):
    monkeypatch.setattr(figure, "STARTS", 8)
    sizes, few = [60, 50, 40], [40, 30, 30, 10]
    picture = figure.spin_transition(sizes=sizes, smaller=few, n_instances=2)
    (theory,) = [one for one in picture.in_panel("hessian") if one.name == "theory"]
    t = transition_temperature(sizes, figure.VARIANCE)
    assert ((theory.y > 0) == (theory.x < 1 / t)).all()
    np.testing.assert_allclose(theory.y, 1 - (theory.x * t) ** 2)
    least = [np.linalg.eigvalsh(hessian(sizes, figure.VARIANCE, beta))[0] for beta in theory.x]
    assert ((theory.y > 0) == (np.array(least) > 0)).all()
    for seed in (0, 1):
        (curve,) = [one for one in picture.in_panel("instances") if one.name == f"instance {seed}"]
        bonds = random_bonds(sizes, figure.VARIANCE, seed=seed)
        np.testing.assert_allclose(curve.y[9], least_eigenvalue(bonds, curve.x[9]))
        assert abs(curve.x[curve.y.argmin()] * t - 1) < 0.3
    found = {one.name: dict(zip(one.x, one.y, strict=True)) for one in picture.in_panel("solutions")}
    assert set(found["fresh"].values()) == {0}
    ordered = found["a direction pulled out of each block"]
    assert ordered[1.02] == 0 < ordered[0.98] == 1
    assert [note.split(":")[0] for note in picture.notes][:2] == ["instance 0", "instance 1"]
