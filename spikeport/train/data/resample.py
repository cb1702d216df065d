"""Pictures of another size."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]


def resized(images: Bytes, size: int) -> Bytes:
    """Pictures `(n, ..., h, w)` as `(n, ..., size, size)`: Pillow's bilinear, which averages where it shrinks."""
    planes = images.reshape(-1, *images.shape[-2:])
    found = np.empty((len(planes), size, size), np.uint8)
    for row, plane in zip(found, planes, strict=True):
        row[...] = np.asarray(Image.fromarray(plane).resize((size, size), Image.Resampling.BILINEAR))
    return found.reshape(*images.shape[:-2], size, size)


def padded(images: Bytes, pad: int) -> Bytes:
    """Pictures `(..., h, w)` with so many zeros on each side."""
    return np.pad(images, [(0, 0)] * (images.ndim - 2) + [(pad, pad)] * 2)


def centre_box(width: int, height: int, size: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the square in the middle; half a pixel is rounded to even, as in torchvision."""
    left, top = round((width - size) / 2), round((height - size) / 2)
    return left, top, left + size, top + size
