"""Questions to ask of a recurrent block before training it: does it remember, how many angles count, is it a channel.

    memory          |d f_t / d x_(t-lag)|               0 for Li's one-layer block read in Z: its last gates, RZZ,
                                                        commute with what is read
    parameters      rank of d f / d theta               without the redundant angles, and with an end to what more add
    a channel       sum_k K_k^dagger K_k = 1, and linear in rho              a reset that renormalises is none

An answer is an object: the numbers that were measured; true or false by a threshold that has its reason.
"""

from quantum.cells import block_cell
from quantum.effective import EffectiveParameters, effective_parameters
from quantum.memory import Memory, carries_memory, cell_carries_memory
from quantum.reduction import reduced, reduced_angles
from quantum.trace import TracePreserved, is_trace_preserving

__all__ = [
    "EffectiveParameters",
    "Memory",
    "TracePreserved",
    "block_cell",
    "carries_memory",
    "cell_carries_memory",
    "effective_parameters",
    "is_trace_preserving",
    "reduced",
    "reduced_angles",
]
