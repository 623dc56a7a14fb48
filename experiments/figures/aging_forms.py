"""Fig. 9: a power law and a logarithm fitted to the aging function at small and at large tau/tau_w.

power        f(x) - f(x_0) = A (x - x_0)^alpha
logarithm    f(x) = a + b ln x
spherical    f(x) = c [1 - (1 + x)^-lambda] / lambda         (D_inf = c/lambda; infinite for lambda <= 0)
"""

from collections.abc import Sequence

import numpy as np

from experiments.figures.aging_curves import RATIO, aging_of, quantity
from experiments.figures.answers import Answer, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import AGING_POWER, LOG_WINDOW, POWER_WINDOW, SOURCE
from experiments.observables import Aging, fit_aging

ONSET = 0.6  # of the aging regime, in tau/tau_w, as published
FITS = {"power": (POWER_WINDOW, ONSET), "logarithm": (LOG_WINDOW, 0.0), "spherical": (POWER_WINDOW, 0.0)}
FORMS = {
    "power": f"f(x) = offset + A (x - {ONSET})^alpha",
    "logarithm": "f(x) = a + b ln x",
    "spherical": "f(x) = c [1 - (1 + x)^-lambda] / lambda",
}
LINEAR, LOGARITHMIC = "linear", "log"


def aging_forms(answers: Sequence[Answer], name: str = "fig9") -> Picture:
    """Delta (D without noise) against tau/tau_w of the narrowest run, at the tau_w with the longest reach; its fits."""
    far = "no curve reaches far enough beyond its waiting time"
    picture = Picture(
        name,
        {
            LOGARITHMIC: Panel("logarithmic", RATIO, "Δ", log_x=True, log_y=True, empty=far),
            LINEAR: Panel("linear", RATIO, "Δ", empty=far),
        },
    )
    runs = there(answers, picture)
    curves = aging_of(runs[0], picture) if runs else []
    if not curves:
        return picture
    curve = _longest(curves)
    label = f"{said(runs[0])}, τ_w = {curve.waiting:g}"
    if len(runs) > 1:
        picture.note(f"of {len(runs)} runs only the narrowest is drawn: {label}, the longest with enough beyond it")
    mean, error = curve.mean()
    if curve.left_out:
        picture.note(f"{label}: without replica(s) {', '.join(map(str, curve.left_out))}, frozen or at rest")
    for panel in picture.panels:
        picture.panels[panel] = picture.panels[panel]._replace(y=quantity(curve))
        picture.add(panel, label, curve.lag / curve.waiting, mean, low=mean - error, high=mean + error)
    for form, (window, onset) in FITS.items():
        _fit(picture, curve, label, form, window, onset)
    _published(picture, curve)
    return picture


def _published(picture: Picture, curve: Aging) -> None:
    """The published power, from the onset, tied to our value at the end of its window (theirs: w = 30, tau_w = 80)."""
    lag, value = curve.shared()
    x, mean = lag / curve.waiting, value.mean(1)
    if x[-1] < POWER_WINDOW[0] * 2:
        return
    window = np.geomspace(POWER_WINDOW[0], min(POWER_WINDOW[1], x[-1]), 41)
    start, end = np.interp([ONSET, window[-1]], x, mean)
    line = start + (end - start) * ((window - ONSET) / (window[-1] - ONSET)) ** AGING_POWER
    for panel in picture.panels:
        name = f"guide, tied to our curve: power {AGING_POWER} ({SOURCE})"
        picture.add(panel, name, window, line, kind="published")


def _longest(curves: Sequence[Aging]) -> Aging:
    """The longest waiting time whose curve reaches the window of the logarithm; else the farthest reaching."""
    reach = [curve.shared()[0][-1] / curve.waiting for curve in curves]
    enough = [curve for curve, x in zip(curves, reach, strict=True) if x >= LOG_WINDOW[1] * 0.99]
    return enough[-1] if enough else curves[int(np.argmax(reach))]


def _fit(picture: Picture, curve: Aging, label: str, form: str, window: tuple[float, float], onset: float) -> None:
    """One form with its parameters; what it is stands before them, so that the numbers alone give the curve again."""
    found = told(picture, form, fit_aging, curve, form, window, onset=onset)
    if found is None:
        return
    if form == "spherical" and not np.isfinite(found.parameters["D_inf"].best):
        picture.note("spherical: best with λ < 0, which has no plateau: D_inf is infinite")
    x = np.geomspace(*found.window, 41)
    name = f"{form}: {FORMS[form]}"
    for panel in picture.panels:
        picture.add(panel, form, x, found(x), kind="fit")
    if found.rejected:
        picture.note(f"{form}: the scatter of the replicas does not explain its misfit (p = {found.p_value:.2g})")
    for parameter, value in found.parameters.items():
        picture.number(f"{name}, {found.window[0]:.3g} < x < {found.window[1]:.3g}, {parameter}", value)
