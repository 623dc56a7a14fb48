"""Functions of x = tau / tau_w that aging may follow: the form tells glasses of one kind from another.

    power          A x^alpha                                  0.66 for 1 < x < 6       (Hertz & Tyrcha 2024, Fig. 9)
    logarithm      a + b ln x                                 x > 10                   (the same; manifolds without a
                                                                                       trap: Cugliandolo & Le Doussal
                                                                                       1996)
    spherical      D_inf [1 - (1 + x)^-lambda]                saturates: C = q (tau_w / (tau_w + tau))^lambda
    near_plateau   a + c x^b                                  leaving the plateau q_EA, small x

In the spherical p-spin model C is one function of h(tau_w + tau) / h(tau_w) (Cugliandolo & Kurchan, PRL 71, 173, 1993);
`spherical` is the simplest such function for h(t) = t, written for a displacement. It starts as c x, c = lambda D_inf;
lambda = 0 is c ln(1 + x), lambda < 0 grows without end: then D_inf is infinite.

Least squares of relative deviations; each form has at most one parameter, its shape, that is not linear.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Span = tuple[float, float]

N_TRIED = 41  # shapes, before the best of them is refined
STEP = 1e-5  # of a shape, for the derivative
TINY = 1e-30  # mean square of relative deviations: what rounding leaves of an exact fit


class Form(NamedTuple):
    """A function of x, linear in its amplitudes: names, the range of its shape (None: it has none), and the basis."""

    names: tuple[str, ...]
    shapes: tuple[float, float] | None
    basis: Callable[[NDArray[np.float64], float], list[NDArray[np.float64]]]


def _box_cox(x: NDArray[np.float64], shape: float) -> NDArray[np.float64]:
    """[1 - (1 + x)^-lambda] / lambda, ln(1 + x) at 0."""
    log = np.log1p(x)
    return log if abs(shape) < 1e-12 else -np.expm1(-shape * log) / shape


FORMS = {
    "power": Form(("A", "alpha"), (0.01, 4.0), lambda x, alpha: [x**alpha]),
    "logarithm": Form(("a", "b"), None, lambda x, _: [np.ones_like(x), np.log(x)]),
    "spherical": Form(("c", "lambda"), (-3.0, 30.0), lambda x, decay: [_box_cox(x, decay)]),
    "near_plateau": Form(("a", "c", "b"), (0.01, 4.0), lambda x, b: [np.ones_like(x), x**b]),
}


def counted_from(onset: float, form: Form) -> Form:
    """The form with the value of the curve at the onset as one more amplitude, the first; as it is without an onset."""
    if onset == 0 or form.names[0] == "a":  # these have a constant
        return form
    return Form(("offset", *form.names), form.shapes, lambda x, shape: [np.ones_like(x), *form.basis(x, shape)])


def best_shape(form: Form, x: NDArray[np.float64], y: NDArray[np.float64], span: Span | None) -> float:
    """The shape within `span` that leaves the smallest relative deviations; 0 for a form without one."""
    if span is None:
        return 0.0
    from scipy.optimize import minimize_scalar

    tried = np.linspace(*span, N_TRIED if span == form.shapes else 5)
    best = int(np.argmin([amplitudes(form, x, y, shape)[1] for shape in tried]))
    bounds = tried[max(best - 1, 0)], tried[min(best + 1, len(tried) - 1)]
    found: Any = minimize_scalar(
        lambda shape: amplitudes(form, x, y, shape)[1], bounds=bounds, method="bounded", options={"xatol": 1e-6}
    )
    return float(found.x)


def amplitudes(
    form: Form, x: NDArray[np.float64], y: NDArray[np.float64], shape: float
) -> tuple[NDArray[np.float64], float]:
    """The linear parameters at this shape, and the mean of [(y - fit) / y]^2."""
    relative = np.stack(form.basis(x, shape), 1) / y[:, None]  # (n, n_amplitudes)
    found = np.linalg.lstsq(relative, np.ones_like(y), rcond=None)[0].astype(np.float64)
    return found, float(np.mean((1 - relative @ found) ** 2))


def slopes(form: Form, x: NDArray[np.float64], y: NDArray[np.float64], shape: float) -> NDArray[np.float64]:
    """Derivatives of fit / y by the parameters, (n, n_parameters); by the shape from a small difference."""
    basis = np.array(form.basis(x, shape))
    columns = [*basis]
    if form.shapes:
        linear = amplitudes(form, x, y, shape)[0]
        columns.append(np.tensordot(linear, np.array(form.basis(x, shape + STEP)) - basis, 1) / STEP)
    return np.stack(columns, 1) / y[:, None]


def around(shape: float, span: Span | None) -> Span | None:
    """A tenth of `span` to either side: leaving out one replica moves a shape little."""
    if span is None:
        return None
    reach = (span[1] - span[0]) / 10
    return max(span[0], shape - reach), min(span[1], shape + reach)


def at_an_end(shape: float, span: Span | None) -> bool:
    """Whether the best shape is the last that was allowed, so that the data tell none."""
    return span is not None and min(shape - span[0], span[1] - shape) < 1e-3 * (span[1] - span[0])


def akaike(mean_square: float, n: int, n_parameters: int) -> float:
    """n ln(mean square) + 2k + 2k(k+1)/(n-k-1)      (Hurvich & Tsai 1989), k counting the variance too."""
    k = n_parameters
    return float(n * np.log(max(mean_square, TINY)) + 2 * k + 2 * k * (k + 1) / (n - k - 1))
