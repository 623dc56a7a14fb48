"""The first motion after a waiting time, when tau << tau_w: Delta ~ tau^alpha, the same for all tau_w."""

from encoding import InputError
from encoding.errors import shown
from encoding.given import is_number
from experiments.observables.estimate import Fit
from experiments.observables.log_slope import log_slope
from experiments.observables.two_times import TwoTimeCurve, check_curve_of_ratio

LEAST = 4  # looks: a line through fewer has no scatter to speak of


class Exponent(Fit):
    """An exponent with its 95 % interval.

    Attributes:
        n_replicas: how many counted.
        left_out: the others, by number: see `TwoTimeCurve.lasting`.
    """

    n_replicas: int = 0
    left_out: tuple[int, ...] = ()


def short_time_exponent(curve: TwoTimeCurve, *, below: float = 0.1) -> Exponent:
    """alpha of Delta ~ tau^alpha for tau < `below` tau_w (Hertz & Tyrcha 2024, Sec. V, find 0.7 +- 0.1).

    The slope of ln Delta against ln tau, of the mean over replicas; its interval over replicas, or for a single one
    from the scatter of the looks around the line, as if they were independent (they are not: it is too narrow).

    Args:
        curve: of aging or displacement.
        below: in units of tau_w.

    Raises:
        InputError: no curve, fewer than 4 looks there at which it is positive, or a `below` that is not positive.
    """
    check_curve_of_ratio(curve)
    if not is_number(below) or not below > 0:
        raise InputError(f"short times are those below a positive multiple of tau_w; got {shown(below)}")
    lag, value = curve.shared()
    early = (lag < below * curve.waiting) & (value.mean(1) > 0)
    if early.sum() < LEAST:
        raise InputError(
            f"an exponent needs {LEAST} looks below {below:g} tau_w at which the curve is positive; got {early.sum()}: "
            "look more often, or raise below"
        )
    found = Exponent(*log_slope(lag[early], value[early]))
    found.n_replicas, found.left_out = value.shape[1], curve.left_out
    return found
