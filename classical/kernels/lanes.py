"""How many numbers one vector of the compiled kernel holds. Sums fold lane by lane: other lanes, other last digits."""

import os

from encoding import InputError

LONG, SHORT = 16, 8  # single-precision numbers in a vector of AVX-512, and of AVX2


def n_lanes() -> int:
    """16 where the processor has AVX-512, else 8; ARMONICA_LANES may ask for 8 there too.

    Raises:
        InputError: ARMONICA_LANES is neither, or asks for vectors that this processor does not have.
    """
    import llvmlite.binding

    said = os.environ.get("ARMONICA_LANES", "")
    if said not in ("", str(SHORT), str(LONG)):
        raise InputError(f"ARMONICA_LANES is {SHORT} or {LONG}; got {said!r}: leave it out")
    long = bool(llvmlite.binding.get_host_cpu_features().get("avx512f"))
    if said == str(LONG) and not long:
        raise InputError(f"ARMONICA_LANES={LONG} needs AVX-512, which this processor has not: leave it out")
    return LONG if long and said != str(SHORT) else SHORT
