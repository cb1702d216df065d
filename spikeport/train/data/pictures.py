"""Image files as pictures, through Pillow."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spikeport.errors import DataSetDamaged
from spikeport.train.data.places import AGAIN
from spikeport.train.data.resample import centre_box

BILINEAR = Image.Resampling.BILINEAR


def rgb(path: Path) -> Image.Image:
    """A file's image in RGB, decoded; raises FileError."""
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataSetDamaged(str(path), "is not an image that can be decoded", got=error, do=AGAIN) from error


def shrunk_middle(image: Image.Image, shorter: int, size: int) -> Image.Image:
    """The square in the middle, after the shorter side became `shorter` (torchvision's Resize and CenterCrop)."""
    width, height = image.size
    least = min(width, height)
    scaled = image.resize((shorter * width // least, shorter * height // least), BILINEAR)
    return scaled.crop(centre_box(*scaled.size, size))


def middle_shrunk(image: Image.Image, crop: int, size: int) -> Image.Image:
    """The square in the middle, resized (torchvision's CenterCrop and Resize)."""
    return image.crop(centre_box(*image.size, crop)).resize((size, size), BILINEAR)


def array_of(image: Image.Image) -> NDArray[np.uint8]:
    """`(3, h, w)`"""
    return np.asarray(image).transpose(2, 0, 1)
