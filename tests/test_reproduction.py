"""The learning curve of the paper's network on the paper's chorales: minutes of learning, by hand (make slow)."""

import numpy as np
import pytest

from classical import DeepRNN
from encoding import load_chorales
from experiments import Looks, at, learn

# NLL(tau) of an independent prototype, two seeds that differ by 1-5 %: d = 2, w = 90, exact rule, eta = 0.01, p = 300.
ELSEWHERE = {34.1: 0.1725, 98.6: 0.1015, 200: 0.0589, 285: 0.0445}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_three_replicas_of_depth_2_and_width_90_learn_as_fast_as_elsewhere(jsb_path):
    network = DeepRNN(load_chorales(str(jsb_path)), depth=2, width=90, rule="exact", n_replicas=3)
    run = learn(network, 0.01, Looks(loss=at(ELSEWHERE)), until=285)
    np.testing.assert_allclose(run.time[1:, 0], list(ELSEWHERE), rtol=1e-9)
    np.testing.assert_allclose(run.loss[1:].mean(1), list(ELSEWHERE.values()), rtol=0.08)
    assert run.loss.min() > 0.00253  # the irreducible loss


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_delayed_rule_lies_on_the_curve_of_the_exact_one(jsb_path):
    chorales, looks = load_chorales(str(jsb_path)), Looks(loss=at([2, 5, 10, 20, 35, 50, 75, 100]))
    curves = [
        learn(DeepRNN(chorales, depth=2, width=90, rule=rule), 2e-3, looks, until=100).loss[1:]
        for rule in ("delayed", "exact")
    ]
    np.testing.assert_allclose(curves[0], curves[1], rtol=0.03)
