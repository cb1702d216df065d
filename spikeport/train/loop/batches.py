"""Which samples come when: from the seed and the epoch alone, so that a run can be taken up at any step."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikeport.errors import InputError
from spikeport.train.data import Split

Picks = NDArray[np.int64]
Augment = Callable[[NDArray[np.uint8], int, int, Picks], NDArray[np.uint8]]
"""(images `(n, *shape)`, seed, epoch, indices of the samples) to images; without a state."""
Encode = Callable[[NDArray[np.uint8]], NDArray[np.integer]]
"""Images to the integers that a model takes."""


@dataclass(frozen=True)
class Batches:
    """The order of `samples` samples in batches; the last one is what remains, or left out."""

    samples: int
    batch: int
    seed: int
    drop_last: bool = False

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self.samples // self.batch if self.drop_last else -(-self.samples // self.batch)

    def order(self, epoch: int) -> Picks:
        """All samples, shuffled for this epoch."""
        return np.random.default_rng((self.seed, epoch)).permutation(self.samples)

    def pick(self, order: Picks, step: int) -> Picks:
        """The samples of a step, from 0, of all processes together."""
        return order[step * self.batch : (step + 1) * self.batch]

    def smallest(self) -> int:
        """Samples in the smallest batch."""
        rest = self.samples % self.batch
        return rest if rest and not self.drop_last else min(self.batch, self.samples)


@dataclass(frozen=True, eq=False)
class Feed:
    """Indices to tensors: the images of a split, augmented, and their labels."""

    split: Split
    seed: int
    augment: Augment | None = None
    encode: Encode | None = None
    """None where the model takes the images themselves."""

    def __call__(self, epoch: int, picks: Picks) -> tuple[Tensor, Tensor]:
        """`(n, *shape)` integers and `(n,)` labels."""
        images = self.split.images[picks]
        if self.augment is not None:
            images = self.augment(images, self.seed, epoch, picks)
        x = images if self.encode is None else self.encode(images)
        return torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(self.split.labels[picks])


def held_out(split: Split, share: float, seed: int) -> tuple[Split, Split]:
    """What is trained on, and a share of the samples, drawn by the seed, that is not.

    Raises:
        InputError: a share that leaves one of the two empty.
    """
    count = round(share * len(split))
    if share and not 0 < count < len(split):
        do = "hold out more, or less"
        raise InputError("train.validation", "samples held out", got=count, relation="of", limit=len(split), do=do)
    order = np.random.default_rng((seed, 0)).permutation(len(split))
    parts = np.sort(order[count:]), np.sort(order[:count])
    trained, out = (Split(split.images[p], split.labels[p]) for p in parts)
    return trained if share else split, out
