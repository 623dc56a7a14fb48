"""What the device does not do, in one line, whichever of the two kinds of exception is waited for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from pennylane.exceptions import DeviceError

from encoding import InputError

NAME = "armonica.qiskit"


class Refused(InputError, DeviceError):
    """A mistake of the user's (`InputError`), which PennyLane's own code takes for a `DeviceError`."""


@contextmanager
def as_refusals() -> Iterator[None]:
    """Mistakes that are found further in, as refusals of the device.

    Raises:
        Refused: for an InputError.
    """
    try:
        yield
    except Refused:
        raise
    except InputError as error:
        if type(error) is not InputError:  # one that says more than a line, as `Busy`
            raise
        raise Refused(str(error)) from None


def refusing(of: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose mistakes are refusals."""

    @wraps(of)
    def asked(*arguments: Any, **keywords: Any) -> Any:
        with as_refusals():
            return of(*arguments, **keywords)

    return asked
