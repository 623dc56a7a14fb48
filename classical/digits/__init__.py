"""Feed-forward networks that learn to tell handwritten digits apart, by steps or by ReLU (Barney et al. 2024)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classical.digits.classifier import DigitClassifier
    from classical.digits.cost import hinge
    from classical.digits.settings import DigitSettings

_HOMES = {"DigitClassifier": "classifier", "DigitSettings": "settings", "hinge": "cost"}

__all__ = ["DigitClassifier", "DigitSettings", "hinge"]


def __getattr__(name: str):
    """Load what is asked for, when it is asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'classical.digits' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"classical.digits.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """What there is, loaded or not."""
    return sorted({*globals(), *__all__})
