"""Two curves are compared at the same proper times, replica by replica, and the verdict is what the numbers say."""

import numpy as np
import pytest

from encoding import InputError
from experiments.figures.stability import stability
from experiments.figures.style import new_figure
from experiments.observables import compare_curves, largest_stable_rate

TIME = np.geomspace(1, 100, 60)
START = np.array([1.0, 1.1, 0.9, 1.05])


def law(time: np.ndarray, factor: float | np.ndarray = 1.0) -> np.ndarray:
    """Replicas that follow a power law, exactly linear in the logarithms."""
    return factor * START * time[:, None] ** -0.5


def test_curves_on_one_power_law_agree_wherever_they_were_looked_at():
    other = np.geomspace(1.5, 90, 17)
    same = compare_curves(0.1, other, law(other), TIME, law(TIME), since=2, tolerance=1e-9)
    assert np.abs(same.deviation).max() < 1e-12
    assert same.time[0] >= 2
    assert (same.within, same.surely) == (True, True)


def test_the_deviation_is_the_mean_over_replicas_with_its_standard_error():
    factors = np.array([1.01, 1.02, 1.03, 1.02])
    off = compare_curves(0.1, TIME, law(TIME, factors), TIME, law(TIME), since=1, tolerance=0.03)
    assert off.deviation == pytest.approx(np.log(factors).mean())
    assert off.error == pytest.approx(np.log(factors).std(ddof=1) / 2)
    assert (off.within, off.surely) == (True, True)
    tight = compare_curves(0.1, TIME, law(TIME, factors), TIME, law(TIME), since=1, tolerance=0.0205)
    assert (tight.within, tight.surely) == (True, False)
    assert not compare_curves(0.1, TIME, law(TIME, factors), TIME, law(TIME), since=1, tolerance=0.01).within


def test_replicas_that_differ_are_compared_each_with_itself():
    apart = np.array([1.0, 30.0, 0.1, 5.0])
    same = compare_curves(0.1, TIME, law(TIME, apart), TIME, law(TIME, apart), since=1, tolerance=1e-9)
    assert same.surely


def test_one_that_diverges_is_too_large_and_one_replica_is_never_sure():
    loss = law(TIME)
    loss[30:, 1] = np.nan
    assert not compare_curves(0.1, TIME, loss, TIME, law(TIME), since=1, tolerance=0.5).within
    alone = compare_curves(0.1, TIME, law(TIME)[:, :1], TIME, law(TIME)[:, :1], since=1)
    assert (alone.within, alone.surely) == (True, False)


def test_the_largest_stable_rate_has_only_stable_ones_below():
    def at(rate, factor):
        return compare_curves(rate, TIME, law(TIME, factor), TIME, law(TIME), since=1)

    assert largest_stable_rate([at(0.04, 1.0), at(0.01, 1.001), at(0.02, 1.5)]) == 0.01
    assert largest_stable_rate([at(0.01, 2)]) is None


def test_the_figure_shows_the_deviation_in_per_cent():
    axes = new_figure().add_subplot()
    stability(
        axes, [compare_curves(0.1, TIME, law(TIME, 1.05), TIME, law(TIME), since=1)], reference=0.01, tolerance=0.02
    )
    assert np.asarray(axes.get_lines()[0].get_ydata()) == pytest.approx(5.0)
    assert axes.get_ylabel() == "loss against η = 0.01 (%)"


@pytest.mark.parametrize(
    ("loss", "reference", "since", "said"),
    [
        (law(TIME)[:, :2], law(TIME), 1, r"replica by replica, .*got \(60, 2\) and \(60, 4\)"),
        (law(TIME), law(TIME), 200, "no common times from 200 on"),
        (-law(TIME), law(TIME), 1, "must be positive"),
    ],
)
def test_what_cannot_be_compared_is_refused(loss, reference, since, said):
    with pytest.raises(InputError, match=said):
        compare_curves(0.1, TIME, loss, TIME, reference, since=since)
