"""Random rotations, shifts and scales."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import AugmentInvalid
from spikeport.train.augment.draws import Draws
from spikeport.train.augment.step import Bytes, check_number


@dataclass(frozen=True)
class Affine:
    """torchvision's RandomAffine: the nearest pixel is taken, and zero outside of the picture.

    Args:
        degrees: The rotation is in [-degrees, degrees], clockwise.
        translate: The shift is at most this share of the width, and of the height; whole pixels.
        low, high: The scale is in [low, high].
    """

    degrees: float
    translate: float = 0.0
    low: float = 1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        check_number("affine", "degrees", self.degrees, 0, 180)
        check_number("affine", "translate", self.translate, 0, 1)
        check_number("affine", "low", self.low, 0.01, 100)
        check_number("affine", "high", self.high, 0.01, 100)
        if self.low > self.high:
            raise AugmentInvalid("augment affine", "low", got=self.low, relation="exceeds high", limit=self.high)

    def __call__(self, images: Bytes, draws: Draws) -> Bytes:
        height, width = images.shape[-2:]
        uniform = draws.uniform(4)
        turn, right, down = (2 * uniform[:, :3] - 1).T
        shift = np.rint(np.stack([right * self.translate * width, down * self.translate * height], 1))
        scale = self.low + (self.high - self.low) * uniform[:, 3]
        return warped(images, np.deg2rad(turn * self.degrees), shift, scale)


def warped(images: Bytes, angle: NDArray[np.float64], shift: NDArray[np.float64], scale: NDArray[np.float64]) -> Bytes:
    """Each picture rotated around its middle and scaled, then shifted.

    Args:
        angle: `(n,)` radians, clockwise.
        shift: `(n, 2)` pixels to the right and down.
        scale: `(n,)`
    """
    count, height, width = len(images), *images.shape[-2:]
    y, x = np.mgrid[:height, :width].reshape(2, 1, -1)
    x = x + 0.5 - width / 2 - shift[:, :1]
    y = y + 0.5 - height / 2 - shift[:, 1:]
    cosine, sine = (function(angle)[:, None] / scale[:, None] for function in (np.cos, np.sin))
    column = np.floor(cosine * x + sine * y + width / 2).astype(np.int64)
    row = np.floor(cosine * y - sine * x + height / 2).astype(np.int64)
    inside = (0 <= column) & (column < width) & (0 <= row) & (row < height)
    place = np.where(inside, row * width + column, 0)[:, None]
    planes = np.take_along_axis(images.reshape(count, -1, height * width), place, axis=2)
    return (planes * inside[:, None]).reshape(images.shape)
