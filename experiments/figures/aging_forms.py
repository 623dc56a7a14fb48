"""Fig. 9: a power law and a logarithm fitted to the aging function at small and at large tau/tau_w."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.aging_curves import RATIO, aging_of
from experiments.figures.answers import Answer, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import AGING_POWER, LOG_WINDOW, POWER_WINDOW, SOURCE
from experiments.observables import Aging, fit_aging

ONSET = 0.6  # of the aging regime, in tau/tau_w, as published
FITS = {"power": (POWER_WINDOW, ONSET), "logarithm": (LOG_WINDOW, 0.0), "spherical": (POWER_WINDOW, 0.0)}


def aging_forms(answers: Sequence[Answer], name: str = "fig9") -> Picture:
    """Delta against tau/tau_w of the narrowest network, at the waiting time with the longest reach; its fits."""
    picture = Picture(name, {"log": Panel("", RATIO, "Δ", log_x=True, log_y=True), "linear": Panel("", RATIO, "Δ")})
    runs = there(answers, picture)
    curves = aging_of(runs[0], picture) if runs else []
    if not curves:
        return picture
    curve = _longest(curves)
    label = f"{said(runs[0])}, τ_w = {curve.waiting:g}"
    if len(runs) > 1:
        picture.note(
            f"of {len(runs)} runs the narrowest is shown, at the longest τ_w that reaches {LOG_WINDOW[1]:g} τ_w"
        )
    mean, error = curve.mean()
    if curve.left_out:
        picture.note(f"{label}: without replica(s) {', '.join(map(str, curve.left_out))}, frozen or at rest")
    for panel in picture.panels:
        picture.add(panel, label, curve.lag / curve.waiting, mean, low=mean - error, high=mean + error)
    for form, (window, onset) in FITS.items():
        _fit(picture, curve, form, window, onset)
    _published(picture, curve)
    return picture


def _published(picture: Picture, curve: Aging) -> None:
    """The published power, from the onset, through our value at the end of its window (at w = 30, tau_w = 80)."""
    lag, value = curve.shared()
    x, mean = lag / curve.waiting, value.mean(1)
    if x[-1] < POWER_WINDOW[0] * 2:
        return
    window = np.geomspace(POWER_WINDOW[0], min(POWER_WINDOW[1], x[-1]), 41)
    start, end = np.interp([ONSET, window[-1]], x, mean)
    line = start + (end - start) * ((window - ONSET) / (window[-1] - ONSET)) ** AGING_POWER
    for panel in picture.panels:
        picture.add(panel, f"{SOURCE}: power {AGING_POWER}", window, line, kind="published")


def _longest(curves: Sequence[Aging]) -> Aging:
    """The longest waiting time whose curve reaches the window of the logarithm; else the farthest reaching."""
    reach = [curve.shared()[0][-1] / curve.waiting for curve in curves]
    enough = [curve for curve, x in zip(curves, reach, strict=True) if x >= LOG_WINDOW[1] * 0.99]
    return enough[-1] if enough else curves[int(np.argmax(reach))]


def _fit(picture: Picture, curve: Aging, form: str, window: tuple[float, float], onset: float) -> None:
    found = told(picture, form, fit_aging, curve, form, window, onset=onset)
    if found is None:
        return
    if form == "spherical" and not np.isfinite(found.parameters["D_inf"].best):
        picture.note("spherical: the curve bends away from any plateau (λ < 0): no such form")
        return
    x = np.geomspace(*found.window, 41)
    for panel in picture.panels:
        picture.add(panel, form, x, found(x), kind="fit")
    if found.rejected:
        picture.note(f"{form}: the scatter of the replicas does not explain its misfit (p = {found.p_value:.2g})")
    for name, value in found.parameters.items():
        picture.number(f"{form}, {found.window[0]:.3g} < τ/τ_w < {found.window[1]:.3g}: {name}", value)
