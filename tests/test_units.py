"""One loss in two conventions."""

import numpy as np
import pytest

from encoding import InputError
from experiments.observables import Fit, bits_per_unit_to_nats_per_step, nats_per_step_to_bits_per_unit


def test_a_bit_a_key_is_54_ln_2_nats_a_step():
    assert bits_per_unit_to_nats_per_step(1.0) == pytest.approx(37.43, abs=0.001)
    assert bits_per_unit_to_nats_per_step(1.0, n_units=88) == pytest.approx(60.997, abs=0.001)


def test_all_keys_at_one_half_cost_a_bit_each():
    uniform = -np.log(0.5**54)  # of a frame
    assert nats_per_step_to_bits_per_unit(uniform) == pytest.approx(1)


def test_arrays_and_fits_stay_what_they_are():
    fit = nats_per_step_to_bits_per_unit(bits_per_unit_to_nats_per_step(Fit(0.1, 0.2, 0.4)))
    assert isinstance(fit, Fit)
    assert fit == pytest.approx((0.1, 0.2, 0.4))
    assert bits_per_unit_to_nats_per_step(np.array([0.0, 1.0]), 1) == pytest.approx([0, np.log(2)])


@pytest.mark.parametrize("n_units", [0, 1.5, True])
def test_no_units_are_refused(n_units):
    with pytest.raises(InputError, match="whole number of at least 1"):
        bits_per_unit_to_nats_per_step(1.0, n_units)
