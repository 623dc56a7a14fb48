"""The learning curve of one replica as it counts."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from experiments.trajectory import Trajectory


def seen_looks(trajectory: "Trajectory", replica: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Proper times above 0, each once and rising, and the losses there, (n,) each.

    Superseded looks and losses that are not finite do not count. Of several looks at one time the last does: one that
    went back to it wrote it again.
    """
    time, loss = trajectory.time[:, replica], trajectory.loss[:, replica]
    seen = trajectory.valid[:, replica] & np.isfinite(loss) & (time > 0)
    time, loss = time[seen], loss[seen]
    last = np.diff(time, append=np.inf) > 0
    return time[last], loss[last]
