"""Windows of the size of the picture, at random or in the middle."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from spikeport.errors import AugmentInvalid
from spikeport.train.augment.draws import Draws, below
from spikeport.train.augment.step import Bytes, check_integer
from spikeport.train.data.resample import centre_box, padded, resized


@dataclass(frozen=True)
class Crop:
    """Zeros on all sides, and of that a window of the former size; all (2 pad + 1)^2 are as likely."""

    pad: int

    def __post_init__(self) -> None:
        check_integer("crop", "pad", self.pad, 0, 4096)

    def __call__(self, images: Bytes, draws: Draws) -> Bytes:
        count, height, width = len(images), *images.shape[-2:]
        planes = padded(images.reshape(count, -1, height, width), self.pad)
        windows = sliding_window_view(planes, (height, width), (2, 3))  # (n, planes, top, left, h, w)
        top, left = below(draws.uniform(2), 2 * self.pad + 1).T
        return windows[np.arange(count), :, top, left].reshape(images.shape)


@dataclass(frozen=True)
class CentreCrop:
    """The square in the middle."""

    size: int

    def __post_init__(self) -> None:
        check_integer("centre-crop", "size", self.size, 1, 4096)

    def __call__(self, images: Bytes, draws: Draws) -> Bytes:
        height, width = images.shape[-2:]
        if self.size > min(height, width):
            limit = f"the picture, {height} x {width}"
            raise AugmentInvalid("augment centre-crop", "size", got=self.size, relation="exceeds", limit=limit)
        left, top, right, bottom = centre_box(width, height, self.size)
        return images[..., top:bottom, left:right]


@dataclass(frozen=True)
class Resize:
    """A square of this side, by Pillow's bilinear."""

    size: int

    def __post_init__(self) -> None:
        check_integer("resize", "size", self.size, 1, 4096)

    def __call__(self, images: Bytes, draws: Draws) -> Bytes:
        return resized(images, self.size)
