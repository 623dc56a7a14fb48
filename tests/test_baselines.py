"""What the bias alone, and the present chord alone, can predict of the paper's 80 chorales."""

import numpy as np
import pytest

from classical import DeepRNN
from encoding import load_chorales


@pytest.fixture(scope="module")
def chorales(jsb_path):
    return load_chorales(jsb_path)


def test_the_bias_alone_learns_the_entropy_of_single_keys(chorales):
    # dE/dh0 has slope 1 - O^2 <= 1, so that rate 1 and, once the keys are rarer than half, 2 are stable.
    network = DeepRNN(chorales, depth=1, width=1, rule="exact", batch=None, learned=("h0",))
    losses = np.concatenate([network.step(1, 20), network.step(2, 280)])[:, 0]
    sounds = np.concatenate([[np.isin(np.arange(43, 97), chord) for chord in c.pitches[1:]] for c in chorales]).mean(0)
    share = np.stack([sounds, 1 - sounds])
    entropy = -(share * np.log2(share, where=share > 0, out=np.zeros_like(share))).sum(0).mean()
    assert entropy == pytest.approx(0.2802, abs=5e-5)
    assert (np.diff(losses) < 0).all()
    assert entropy < losses[-1] < entropy + 1e-4


def test_the_present_chord_alone_predicts_as_well_as_logistic_regression(chorales):
    # .2204 by independent logistic regression; .2201 where L-BFGS ends. With keys of unit variance, rate 0.7 is stable.
    options = {"rule": "exact", "batch": None, "standardisation": "component"}
    network = DeepRNN(chorales, depth=1, width=1, learned=("W", "h0"), **options)
    network.step(0.25, 50)
    losses = network.step(0.7, 500)[:, 0]
    assert (np.diff(losses[50:]) < 0).all()
    assert 0.2201 < losses[-1] < 0.2214
