"""Cutout (DeVries and Taylor, arXiv 1708.04552): a black square."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport.train.augment.draws import Draws, below
from spikeport.train.augment.step import Bytes, check_integer


@dataclass(frozen=True)
class Cutout:
    """Zeros in a square of `length` pixels around any pixel of the picture; what lies outside of it is cut off.

    The zeros are set before the mean is subtracted, as in the code that spiking networks are trained with.
    """

    length: int

    def __post_init__(self) -> None:
        check_integer("cutout", "length", self.length, 1, 4096)

    def __call__(self, images: Bytes, draws: Draws) -> Bytes:
        height, width = images.shape[-2:]
        y, x = draws.uniform(2).T
        rows = self._covered(below(y, height), height)[:, :, None]
        columns = self._covered(below(x, width), width)[:, None, :]
        hole = (rows & columns).reshape(len(images), *[1] * (images.ndim - 3), height, width)
        return np.where(hole, 0, images).astype(images.dtype)

    def _covered(self, middle: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
        """`(n, count)`: [middle - length / 2, middle + length / 2)."""
        first = middle[:, None] - self.length // 2
        places = np.arange(count)[None]
        return (first <= places) & (places < first + self.length)
