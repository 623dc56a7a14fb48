"""The fluctuation-dissipation plot: what a field does to a machine, against how the machine moves by itself.

    T chi = X D / 2                                        (Cugliandolo & Kurchan 1993)
    D / 2 = C(tau_w, tau_w) - C(tau_w + tau, tau_w)        where the length of the weights stays the same

In equilibrium all curves lie on the line of slope 1 (against C: -1). In an aging glass they follow it while
tau << tau_w, then bend: X(C) < 1 is the ratio of the temperature to that at which slow motion seems to be.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from experiments.figures.answers import told
from experiments.figures.picture import Panel, Picture
from experiments.observables import fluctuation_dissipation
from experiments.observables.given import numbers
from experiments.twins import Response

WINDOW = 5  # lags that a local slope is taken over
CHI = "T χ"


def fluctuation_plot(responses: Mapping[str, Response], temperature: ArrayLike, name: str = "fluctuations") -> Picture:
    """T chi against C and against D/2, a curve a waiting time with its standard error, and X by the local slope.

    X is the slope of T chi against D/2 over five neighbouring lags, at the mean C of these, with its 95 % interval over
    replicas. Replicas that froze are left out.

    Args:
        responses: label (as "τ_w = 80") -> the response measured there.
        temperature: T, a number or one a replica; for SGD eta Gamma / 2.
        name: of the picture.

    Raises:
        InputError: no responses, or temperatures that are not positive, or not one a replica.
    """
    if not isinstance(responses, Mapping) or not responses:
        raise InputError("a fluctuation plot needs label -> Response, one or more; got none")
    picture = Picture(
        name,
        {
            "correlation": Panel("response and correlation", "C(τ_w, τ_w + τ)", CHI),
            "displacement": Panel("response and displacement", "D / 2", CHI),
            "slope": Panel("local slope", "C(τ_w, τ_w + τ)", "X"),
        },
    )
    for label, found in responses.items():
        _one(picture, label, found, _heat(temperature, found.response.n_replicas))
    seen = [one.x for one in picture.series if one.panel == "slope"]
    if seen:
        picture.add("slope", "X = 1", [np.min(np.hstack(seen)), np.max(np.hstack(seen))], 1.0, kind="fit")
    return picture


def _one(picture: Picture, label: str, found: Response, heat: NDArray[np.float64]) -> None:
    """What one waiting time adds, of the replicas that did not freeze."""
    three = np.stack([found.response.value, found.correlation.value, found.displacement.value])
    moving = np.flatnonzero(np.isfinite(three).all((0, 1)))
    frozen = len(heat) - len(moving)
    if not len(moving):
        picture.note(f"{label}: every replica froze")
        return
    if frozen:
        picture.note(f"{label}: {frozen} of {len(heat)} replicas froze, and are left out")
    chi, correlation, displacement = three[:, :, moving]
    _curves(picture, label, chi * heat[moving], correlation, displacement, found.start[moving].mean())
    _slopes(picture, label, chi, correlation, displacement, heat[moving])


def _heat(temperature: ArrayLike, n_replicas: int) -> NDArray[np.float64]:
    heat = numbers(np.atleast_1d(np.asarray(temperature)), "temperatures", "n_replicas")
    if (heat <= 0).any() or len(heat) not in (1, n_replicas):
        raise InputError(f"temperature is positive, a number or one a replica; got {temperature!r:.60}")
    return np.broadcast_to(heat, (n_replicas,))


def _curves(
    picture: Picture,
    label: str,
    chi: NDArray[np.float64],
    correlation: NDArray[np.float64],
    displacement: NDArray[np.float64],
    start: float,
) -> None:
    """T chi of one waiting time in both panels, and the line of equilibrium beside it."""
    for panel, along in (("correlation", correlation.mean(1)), ("displacement", displacement.mean(1) / 2)):
        order = np.argsort(along)
        picture.band(panel, label, along[order], chi[order])
        origin = start if panel == "correlation" else 0.0
        ends = np.array([origin, along[np.abs(along - origin).argmax()]])
        picture.add(panel, f"{label}: X = 1", ends, np.abs(ends - origin), kind="fit", colour=label)


def _slopes(
    picture: Picture,
    label: str,
    chi: NDArray[np.float64],
    correlation: NDArray[np.float64],
    displacement: NDArray[np.float64],
    heat: NDArray[np.float64],
) -> None:
    """X in windows of neighbouring lags."""
    found = []
    for first in range(max(len(chi) - WINDOW + 1, 1)):
        rows = slice(first, first + WINDOW)
        x: Any = told(picture, label, fluctuation_dissipation, chi[rows], displacement[rows], heat)
        if x is not None:
            found.append((correlation[rows].mean(), *x))
    if found:
        at, low, best, high = np.array(found).T
        picture.add("slope", label, at, best, low=low, high=high, kind="points")
