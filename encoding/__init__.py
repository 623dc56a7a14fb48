"""What a chorale is, and how it becomes numbers."""

from encoding.chorales import REST, Chorale, load_chorales
from encoding.errors import InputError
from encoding.pianoroll import HIGHEST, LOWEST, N_KEYS, Standardisation, multi_hot, sounding_pitches, standardise
from encoding.randomness import Purpose, checked_seed, stream
from encoding.transitions import Transitions, pack

__all__ = [
    "HIGHEST",
    "LOWEST",
    "N_KEYS",
    "REST",
    "Chorale",
    "InputError",
    "Purpose",
    "Standardisation",
    "Transitions",
    "checked_seed",
    "load_chorales",
    "multi_hot",
    "pack",
    "sounding_pitches",
    "standardise",
    "stream",
]
