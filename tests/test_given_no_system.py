"""What is no Trajectory, no System, or nothing that fits into memory is refused before anything is tried."""

import numpy as np
import pytest

from classical import SphericalGlass
from encoding import InputError
from experiments import effective_rank, lazy, observables, replay
from experiments.observables.given import room_for
from experiments.store import Run

TIME = np.geomspace(1, 64, 25)


def test_a_trajectory_whose_parts_do_not_belong_together_is_refused(planted):
    run = planted(TIME, np.ones(25))
    for part, value in (("loss", run.loss[:3]), ("noise", run.noise[:, :, :0]), ("weights", np.zeros((2, 1, 1)))):
        spoilt = planted(TIME, np.ones(25))
        object.__setattr__(spoilt, part, value)
        with pytest.raises(InputError, match="trajectory has time, loss and valid"):
            observables.noise(spoilt)


def test_triangles_and_pairs_that_do_not_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr("experiments.observables.given.os.sysconf", lambda name: 1000)  # a machine of a megabyte
    q = np.corrcoef(np.random.default_rng(0).standard_normal((40, 99)))
    with pytest.raises(InputError, match=r"9880 triangles needs about 0.00247 GB .*; this machine has 0.001 GB"):
        observables.ultrametricity(q)
    with pytest.raises(InputError, match="780 pairs in 100 bins needs"):
        observables.overlap_distribution(q, bins=100)


def test_what_the_system_refuses_a_process_is_refused_too():
    with (
        pytest.raises(InputError, match="this needs about 1e-09 GB of memory, and there was none"),
        room_for(1, "this"),
    ):
        raise MemoryError


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"system": None}, "system"),
        ({"system": "glass"}, "system"),
        ({"system": SphericalGlass(n_spins=6)}, "outputs"),
        ({"weights_0": "start"}, "weights_0"),
        ({"weights_t": np.ones((3, 4))}, "weights_t"),
        ({"n_directions": 10**12}, "n_directions"),
        ({"slots": "first"}, "slots"),
        ({"slots": 10**400}, "slots"),
        ({"slots": [10**400]}, "slots"),
        ({"slots": [[1], [2, 3]]}, "slots"),
        ({"slots": [0.5]}, "slots"),
        ({"seed": -1}, "seed"),
    ],
)
def test_an_alignment_of_nothing_is_refused(machine, given, named):
    w = np.ones((3, 5))
    system = machine(w, gradient=np.zeros_like, outputs=lambda w: np.stack([w, w**2], 2))
    asked = {"system": system, "weights_0": w, "weights_t": 2 * w, "n_directions": 3}
    if named == "outputs":
        given = {"system": machine(w, gradient=np.zeros_like)}
    with pytest.raises(InputError, match=named):
        lazy.kernel_alignment(**asked | given)


@pytest.mark.parametrize("ask", [effective_rank.effective_parameters_on_data, effective_rank.kernel_rate])
@pytest.mark.parametrize("asked", ["outputs", "jacobian"])
def test_slopes_of_nothing_are_refused(machine, ask, asked):
    for wrong in (None, "glass", 3, SphericalGlass, Run):
        with pytest.raises(InputError, match="system is a System, with step"):
            ask(wrong)
    with pytest.raises(InputError, match=rf"{asked}\(\), .*; Machine has no such method"):
        ask(machine(np.ones((2, 3)), gradient=np.zeros_like, **_but(asked)))


def _but(missing):
    """What a machine with two slots of two outputs can be asked, but for one thing."""
    asked = {"outputs": lambda w: np.ones((2, 2, 2)), "jacobian": lambda w: np.ones((2, 4, 3))}
    return {name: f for name, f in asked.items() if name != missing}


@pytest.mark.parametrize(
    "splits", [3, None, [3], {}, {"valid": 3}, {"valid": []}, {"valid": None}, 10**400, [["valid"]]]
)
def test_splits_that_are_none_are_refused(machine, planted, splits):
    w = np.ones((2, 3))
    system = machine(w, gradient=np.zeros_like)
    system.loss_on = lambda pieces: np.zeros(2)
    with pytest.raises(InputError, match="splits"):
        replay.generalisation(system, planted([0.0], weights=w[None]), splits=splits)


def test_what_is_played_again_is_a_run_or_a_system(planted):
    spins = planted([0.0], weights=np.ones((1, 1, 6)))
    measured = (replay.replay, replay.generalisation, replay.activations_at, lazy.linearisation_distance)
    for ask in measured:
        for wrong in (None, "latest", 3, Run, SphericalGlass):
            with pytest.raises(InputError, match="a Run, or a System and its Trajectory, can be played again; got"):
                ask(wrong, spins)  # type: ignore[arg-type]  # as a user may
