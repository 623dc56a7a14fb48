"""The fluctuation-dissipation plot: what a field does to a machine, against how the machine moves by itself.

    T chi = X D / 2                                        (Cugliandolo & Kurchan 1993)
    D / 2 = C(tau_w, tau_w) - C(tau_w + tau, tau_w)        where the length of the weights stays the same

In equilibrium all curves lie on the line of slope 1 (against C: -1). In an aging glass they follow it while
tau << tau_w, then bend: X(C) < 1 is the ratio of the temperature to that at which slow motion seems to be.

C is not normalised. Where the weights grow longer, or shorter, the second line fails, D/2 = C(tau_w, tau_w) - C +
[C(t, t) - C(tau_w, tau_w)] / 2, and nothing can be read off against C: that panel is then left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from experiments.figures.answers import told
from experiments.figures.picture import Panel, Picture
from experiments.observables import fluctuation_dissipation
from experiments.observables.given import numbers
from experiments.twins import Response

WINDOW = 5  # lags that a local slope is taken over
DRIFT = 0.1  # of the squared length of the weights, in D
CHI, C, HALF = "T χ", "C(τ_w, τ_w + τ)", "D / 2"
ERRORS = "bands: one standard error over replicas; bars on X: 95 % intervals"
FROZEN = "every replica froze"


def fluctuation_plot(responses: Mapping[str, Response], temperature: ArrayLike, name: str = "fluctuations") -> Picture:
    """T chi against C and against D/2, a curve a waiting time with its standard error, and X by the local slope.

    X is the slope of T chi against D/2 over five neighbouring lags, at the mean C of these, with its 95 % interval over
    replicas. Where the length of the weights changes by more than a tenth of D/2, for any waiting time, there is no
    panel against C, and X stands at the mean D/2. Replicas that froze are left out.

    Args:
        responses: label (as "τ_w = 80") -> the response measured there.
        temperature: T, a number or one a replica; for SGD eta Gamma / 2.
        name: of the picture.

    Raises:
        InputError: no responses, or temperatures that are not positive, or not one a replica.
    """
    if not isinstance(responses, Mapping) or not responses:
        raise InputError("a fluctuation plot needs label -> Response, one or more; got none")
    picture = Picture(name, {}, errors=ERRORS)
    found = [_moving(picture, label, each, temperature) for label, each in responses.items()]
    curves = [each for each in found if each is not None]
    steady = _steady(picture, curves)
    if steady:
        picture.panels["correlation"] = Panel("response and correlation", C, CHI, empty=FROZEN)
    picture.panels["displacement"] = Panel("response and displacement", HALF, CHI, empty=FROZEN)
    few = FROZEN if not curves else "no slope can be told"
    picture.panels["slope"] = Panel("local slope", C if steady else HALF, "X", empty=few)
    for each in curves:
        _curves(picture, each)
        _slopes(picture, each, steady)
    seen = [one.x for one in picture.series if one.panel == "slope"]
    if seen:
        picture.add("slope", "X = 1", [np.min(np.hstack(seen)), np.max(np.hstack(seen))], 1.0, kind="guide")
    return picture


class _Moving(NamedTuple):
    """One waiting time, of the replicas that did not freeze: chi, C and D, (n_lags, R); T, (R,); C(tau_w, tau_w)."""

    label: str
    chi: NDArray[np.float64]
    correlation: NDArray[np.float64]
    displacement: NDArray[np.float64]
    heat: NDArray[np.float64]
    start: float


def _moving(picture: Picture, label: str, found: Response, temperature: ArrayLike) -> _Moving | None:
    """One waiting time, of the replicas that did not freeze; None if all did."""
    heat = _heat(temperature, found.response.n_replicas)
    three = np.stack([found.response.value, found.correlation.value, found.displacement.value])
    moving = np.flatnonzero(np.isfinite(three).all((0, 1)))
    frozen = len(heat) - len(moving)
    if not len(moving):
        picture.note(f"{label}: every replica froze")
        return None
    if frozen:
        picture.note(f"{label}: {frozen} of {len(heat)} replicas froze, and are left out")
    chi, correlation, displacement = three[:, :, moving]
    return _Moving(label, chi, correlation, displacement, heat[moving], found.start[moving].mean())


def _steady(picture: Picture, curves: Sequence[_Moving]) -> bool:
    """Whether the length of the weights stays the same, next to how far they move; if not, it is said."""
    steady = True
    for each in curves:
        half = each.displacement.mean(1) / 2
        grown = 2 * (half - each.start + each.correlation.mean(1))  # C(t, t) - C(tau_w, tau_w)
        most = grown[np.abs(grown).argmax()]
        if abs(most) / 2 > DRIFT * half.max():
            steady = False
            picture.note(
                f"{each.label}: the squared length of the weights changes by {most / each.start:+.2g} of itself, so "
                "that C does not tell how far they moved: no panel against C"
            )
    return steady


def _heat(temperature: ArrayLike, n_replicas: int) -> NDArray[np.float64]:
    heat = numbers(np.atleast_1d(np.asarray(temperature)), "temperatures", "n_replicas")
    if (heat <= 0).any() or len(heat) not in (1, n_replicas):
        raise InputError(f"temperature is positive, a number or one a replica; got {temperature!r:.60}")
    return np.broadcast_to(heat, (n_replicas,))


def _curves(picture: Picture, seen: _Moving) -> None:
    """T chi in the panels there are, and the line of equilibrium beside it."""
    along = {
        "correlation": (seen.correlation.mean(1), seen.start),
        "displacement": (seen.displacement.mean(1) / 2, 0.0),
    }
    for panel, (x, origin) in along.items():
        if panel not in picture.panels:
            continue
        order = np.argsort(x)
        picture.band(panel, seen.label, x[order], (seen.chi * seen.heat)[order])
        ends = np.array([origin, x[np.abs(x - origin).argmax()]])
        picture.add(panel, f"{seen.label}: X = 1", ends, np.abs(ends - origin), kind="guide", colour=seen.label)


def _slopes(picture: Picture, seen: _Moving, steady: bool) -> None:
    """X in windows of neighbouring lags, at the mean C or D/2 of each."""
    found, places = [], seen.correlation if steady else seen.displacement / 2
    for first in range(max(len(seen.chi) - WINDOW + 1, 1)):
        rows = slice(first, first + WINDOW)
        window = seen.chi[rows], seen.displacement[rows], seen.heat
        x: Any = told(picture, seen.label, fluctuation_dissipation, *window)
        if x is not None:
            found.append((places[rows].mean(), *x))
    if found:
        at, low, best, high = np.array(found).T
        picture.add("slope", seen.label, at, best, low=low, high=high, kind="points")
