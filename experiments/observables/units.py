"""Bits per output unit, or nats per time step: one loss in two conventions.

Hertz & Tyrcha (2024) divide by the number of keys and count in bits; the literature on the JSB chorales reports the
negative log-likelihood of a whole frame in nats (Boulanger-Lewandowski, Bengio & Vincent 2012).

    L [nats per step] = N ln 2 * L [bits per unit],    54 ln 2 = 37.43

A key that never sounds costs nothing where it is known to be silent, so that 54 keys or 88 make no difference there.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from encoding import N_KEYS
from encoding.given import whole
from experiments.observables.estimate import Fit
from experiments.observables.given import reals

Loss = TypeVar("Loss", float, NDArray[np.float64], Fit)


def bits_per_unit_to_nats_per_step(loss: Loss, n_units: int = N_KEYS) -> Loss:
    """A loss in bits per output unit as nats per time step: times n_units ln 2; a `Fit` stays one.

    Raises:
        InputError: no loss, or fewer than one output unit.

    >>> bits_per_unit_to_nats_per_step(0.2201)
    8.238...
    """
    return _times(loss, _nats(n_units))


def nats_per_step_to_bits_per_unit(loss: Loss, n_units: int = N_KEYS) -> Loss:
    """A loss in nats per time step as bits per output unit: over n_units ln 2.

    Raises:
        InputError: no loss, or fewer than one output unit.
    """
    return _times(loss, 1 / _nats(n_units))


def _nats(n_units: int) -> float:
    return float(whole("n_units", n_units) * np.log(2))


def _times(loss: Loss, factor: float) -> Loss:
    with np.errstate(over="ignore"):
        scaled: Any = reals("loss", loss) * factor
    answer: Any = Fit(*scaled.tolist()) if isinstance(loss, Fit) else scaled if scaled.ndim else float(scaled)
    return answer
