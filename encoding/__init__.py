"""What a chorale is, and a handwritten digit, and how they become numbers."""

from encoding.chorales import REST, Chorale, load_chorales
from encoding.clock import encoding_named, of_voices
from encoding.digits import Digits, load_digits
from encoding.errors import InputError
from encoding.pianoroll import HIGHEST, LOWEST, N_KEYS, Standardisation, multi_hot, sounding_pitches, standardise
from encoding.qubits import Encoding
from encoding.randomness import Purpose, checked_seed, stream
from encoding.transitions import Transitions, pack

__all__ = [
    "HIGHEST",
    "LOWEST",
    "N_KEYS",
    "REST",
    "Chorale",
    "Digits",
    "Encoding",
    "InputError",
    "Purpose",
    "Standardisation",
    "Transitions",
    "checked_seed",
    "encoding_named",
    "load_chorales",
    "load_digits",
    "multi_hot",
    "of_voices",
    "pack",
    "sounding_pitches",
    "standardise",
    "stream",
]
