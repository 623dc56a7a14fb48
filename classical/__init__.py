"""Classical systems that learn: recurrent networks, deep perceptrons, digit classifiers, and a spherical glass."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classical.digits.classifier import DigitClassifier
    from classical.network import Network
    from classical.perceptron.machine import DeepPerceptron
    from classical.rnn import DeepRNN
    from classical.spherical import SphericalGlass
    from classical.start import n_parameters

__all__ = ["DeepPerceptron", "DeepRNN", "DigitClassifier", "Network", "SphericalGlass", "n_parameters"]

_HOMES = {
    "DeepPerceptron": "classical.perceptron.machine",
    "DeepRNN": "classical.rnn",
    "DigitClassifier": "classical.digits.classifier",
    "Network": "classical.network",
    "SphericalGlass": "classical.spherical",
    "n_parameters": "classical.start",
}


def __getattr__(name: str):
    """Load what is asked for, when it is asked for (PEP 562): `import classical` does not load torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'classical' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """What there is, loaded or not."""
    return sorted({*globals(), *__all__})
