"""Which samples come when: from the seed and the epoch alone, so that a run can be taken up at any step."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikeport.train.augment import Augmentation
from spikeport.train.data import DataSet, Split, centred

Picks = NDArray[np.int64]
Item = TypeVar("Item")


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
    """Numbers of samples to tensors: pictures of a split, augmented and centred, and their labels."""

    data: DataSet
    split: Split
    augmentation: Augmentation | None = None

    def __call__(self, epoch: int, picks: Picks) -> tuple[Tensor, Tensor]:
        """`(n, c, h, w)` integers, of frames `(T, n, c, h, w)`; and labels `(n,)`."""
        pictures = self.split.images
        images = pictures[picks] if self.augmentation is None else self.augmentation(pictures, picks, epoch)
        return as_input(self.data, images), torch.from_numpy(self.split.labels[picks])


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items; one thread makes the next while the last one is used."""
    waiting = iter(items)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, waiting, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, waiting, None)
            yield item


def as_input(data: DataSet, images: NDArray[np.uint8]) -> Tensor:
    """Pictures `(n, *shape)` as a model of this data set takes them: centred integers, time first."""
    x = torch.from_numpy(centred(data, images))
    return x.movedim(1, 0) if x.dim() == 5 else x
