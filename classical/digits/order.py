"""In which order images are seen: in an epoch every image once, in an order drawn by seed, replica and epoch alone."""

import numpy as np
from numpy.typing import NDArray

from encoding import InputError, Purpose, stream


class Order:
    """Batches without replacement.

    Attributes:
        n_images: N.
        batch: p, images of a batch; the last one of an epoch has what is left.
        n_batches: steps of an epoch.
    """

    def __init__(self, n_images: int, batch: int | None) -> None:
        """Batches of `batch` images; None: all images, in their own order, so that nothing is drawn.

        Raises:
            InputError: a batch of more images than there are.
        """
        if batch is not None and batch > n_images:
            raise InputError(f"batch is at most the {n_images} images there are; got {batch}")
        self.n_images, self.batch = n_images, batch or n_images
        self.n_batches = -(-n_images // self.batch)
        self._drawn: dict[int, tuple[tuple[int, int], NDArray[np.int64]]] = {}  # the last epoch of each replica

    def images(self, seed: int, replica: int, step: int) -> NDArray[np.int64]:
        """Numbers of the images that a replica sees at `step`."""
        epoch, place = divmod(step, self.n_batches)
        return self._epoch(seed, replica, epoch)[place * self.batch : (place + 1) * self.batch]

    def _epoch(self, seed: int, replica: int, epoch: int) -> NDArray[np.int64]:
        of, order = self._drawn.get(replica, (None, None))
        if order is None or (of != (seed, epoch) and self.n_batches > 1):
            rng = stream(seed, replica, Purpose.BATCH, epoch)
            order = rng.permutation(self.n_images) if self.n_batches > 1 else np.arange(self.n_images)
            self._drawn[replica] = (seed, epoch), order
        return order
