"""The crop that ImageNet's networks are trained with (Szegedy et al. 2015, section 6), as torchvision draws it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spikeport.errors import AugmentInvalid
from spikeport.train.augment.draws import Draws
from spikeport.train.augment.step import Bytes, check_integer, check_number
from spikeport.train.data.dataset import Files

TRIES = 10
RATIO = 3 / 4, 4 / 3


@dataclass(frozen=True)
class ResizedCrop:
    """A rectangle of `least` to all of the area and of ratio 3/4 to 4/3, resized to a square by Pillow's bilinear."""

    size: int
    least: float = 0.08

    def __post_init__(self) -> None:
        check_integer("resized-crop", "size", self.size, 1, 4096)
        check_number("resized-crop", "least", self.least, 0.0001, 1)

    def __call__(self, images: Bytes, draws: Draws) -> Bytes:
        channels, height, width = images.shape[-3:]
        if images.ndim != 4 or channels not in (1, 3):
            limit = "(n, 1, h, w) or (n, 3, h, w)"
            raise AugmentInvalid("augment resized-crop", "shape", got=images.shape, relation="is not", limit=limit)
        found = np.empty((len(images), channels, self.size, self.size), np.uint8)
        for row, image, box in zip(found, images, self.boxes([(width, height)] * len(images), draws), strict=True):
            for plane, of in zip(row, image, strict=True):
                plane[...] = self._cut(Image.fromarray(of), box)
        return found

    def whole(self, pictures: Files, draws: Draws) -> Bytes:
        """The same, of the whole images in the files."""
        assert pictures.whole is not None
        images = [pictures.whole(pictures.paths[number]) for number in draws.samples]
        boxes = self.boxes([image.size for image in images], draws)
        cuts = [self._cut(image, box).transpose(2, 0, 1) for image, box in zip(images, boxes, strict=True)]
        return np.stack(cuts) if cuts else np.empty((0, 3, self.size, self.size), np.uint8)

    def boxes(self, sizes: list[tuple[int, int]], draws: Draws) -> list[tuple[int, int, int, int]]:
        """Left, top, right and bottom in each image of (width, height)."""
        uniform = draws.uniform(4 * TRIES).reshape(-1, TRIES, 4)
        return [self._box(width, height, tries) for (width, height), tries in zip(sizes, uniform, strict=True)]

    def _box(self, width: int, height: int, tries: NDArray[np.float64]) -> tuple[int, int, int, int]:
        """The first rectangle that fits; after ten the largest in the middle whose ratio is allowed."""
        low, high = (math.log(ratio) for ratio in RATIO)
        for share, shape, x, y in tries:
            area = width * height * (self.least + (1 - self.least) * share)
            ratio = math.exp(low + (high - low) * shape)
            wide, tall = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < wide <= width and 0 < tall <= height:
                left, top = int(x * (width - wide + 1)), int(y * (height - tall + 1))
                return left, top, left + wide, top + tall
        wide, tall = min(width, round(height * RATIO[1])), min(height, round(width / RATIO[0]))
        left, top = (width - wide) // 2, (height - tall) // 2
        return left, top, left + wide, top + tall

    def _cut(self, image: Image.Image, box: tuple[int, int, int, int]) -> Bytes:
        return np.asarray(image.crop(box).resize((self.size, self.size), Image.Resampling.BILINEAR))
