"""The deep perceptron (Yoshino 2020): replica theory of what it has learned, and machines that learn it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classical.perceptron.branches import Coexistence, coexistence, continued, state_freezing
    from classical.perceptron.breaking import frozen, replica_symmetry_breaking
    from classical.perceptron.fixed_point import NotConverged
    from classical.perceptron.growth_laws import Growth, growth
    from classical.perceptron.jammed import JammedStates, jammed_states
    from classical.perceptron.machine import DeepPerceptron
    from classical.perceptron.noisy import noisy_teacher
    from classical.perceptron.profile import Profile
    from classical.perceptron.spin_overlaps import pair_overlap
    from classical.perceptron.states import marginality, overlap_distribution, overlap_function
    from classical.perceptron.storage import jamming, storage_bound
    from classical.perceptron.symmetric import bayes_optimal, generalisation_error, replica_symmetric
    from classical.perceptron.transitions import glass_transitions, penetration, penetration_depth
    from classical.perceptron.volume import entropy

__all__ = [
    "Coexistence",
    "DeepPerceptron",
    "Growth",
    "JammedStates",
    "NotConverged",
    "Profile",
    "bayes_optimal",
    "coexistence",
    "continued",
    "entropy",
    "frozen",
    "generalisation_error",
    "glass_transitions",
    "growth",
    "jammed_states",
    "jamming",
    "marginality",
    "noisy_teacher",
    "overlap_distribution",
    "overlap_function",
    "pair_overlap",
    "penetration",
    "penetration_depth",
    "replica_symmetric",
    "replica_symmetry_breaking",
    "state_freezing",
    "storage_bound",
]

_HOMES = {
    "Coexistence": "branches",
    "DeepPerceptron": "machine",
    "Growth": "growth_laws",
    "JammedStates": "jammed",
    "NotConverged": "fixed_point",
    "Profile": "profile",
    "bayes_optimal": "symmetric",
    "coexistence": "branches",
    "continued": "branches",
    "entropy": "volume",
    "frozen": "breaking",
    "generalisation_error": "symmetric",
    "glass_transitions": "transitions",
    "growth": "growth_laws",
    "jammed_states": "jammed",
    "jamming": "storage",
    "marginality": "states",
    "noisy_teacher": "noisy",
    "pair_overlap": "spin_overlaps",
    "overlap_distribution": "states",
    "overlap_function": "states",
    "penetration": "transitions",
    "penetration_depth": "transitions",
    "replica_symmetric": "symmetric",
    "replica_symmetry_breaking": "breaking",
    "state_freezing": "branches",
    "storage_bound": "storage",
}


def __getattr__(name: str):
    """Load what is asked for, when it is asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'classical.perceptron' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"classical.perceptron.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """What there is, loaded or not."""
    return sorted({*globals(), *__all__})
