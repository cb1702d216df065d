"""The random numbers of a batch: of each sample its own, whoever else is in the batch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import AugmentInvalid
from spikeport.train.augment.philox import philox


@dataclass(frozen=True, eq=False)
class Draws:
    """Numbers that the seed, the epoch, a step's place in the augmentation and the sample's number decide alone.

    Args:
        seed: In [0, 2^64).
        epoch: In [0, 2^32).
        samples: `(n,)` numbers of the samples in their split, in [0, 2^32).
        step: In [0, 2^32).
    """

    seed: int
    epoch: int
    samples: NDArray[np.int64]
    step: int = 0

    def __post_init__(self) -> None:
        for name, most in (("seed", 1 << 64), ("epoch", 1 << 32), ("step", 1 << 32)):
            value = getattr(self, name)
            if not 0 <= value < most:
                raise AugmentInvalid("augment", name, got=value, relation="is not in", limit=f"[0, {most})")

    def __len__(self) -> int:
        return len(self.samples)

    def uniform(self, count: int) -> NDArray[np.float64]:
        """`(n, count)` in [0, 1), multiples of 2^-32; the same at each call."""
        blocks = np.arange(-(-count // 4), dtype=np.uint64)[None]
        samples = self.samples.astype(np.uint64)[:, None]
        epoch, step = np.array([[[self.epoch]], [[self.step]]], np.uint64)
        words = philox((blocks, samples, epoch, step), (self.seed & 0xFFFFFFFF, self.seed >> 32))
        return np.stack(words, axis=-1).reshape(len(self), -1)[:, :count] / 2.0**32


def below(uniform: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Numbers in [0, 1) as integers in [0, count)."""
    return (uniform * count).astype(np.int64)
