"""Augmentations one after the other, and how a recipe writes them."""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import AugmentInvalid
from spikeport.train.augment.affine import Affine
from spikeport.train.augment.autoaugment import AutoAugmentCifar10
from spikeport.train.augment.crop import CentreCrop, Crop, Resize
from spikeport.train.augment.cutout import Cutout
from spikeport.train.augment.draws import Draws
from spikeport.train.augment.flip import Flip
from spikeport.train.augment.resized_crop import ResizedCrop
from spikeport.train.augment.step import Bytes, Step
from spikeport.train.data.dataset import Files, Pictures

STEPS: dict[str, Callable[..., Step]] = {
    "crop": Crop,
    "flip": Flip,
    "affine": Affine,
    "cutout": Cutout,
    "resized-crop": ResizedCrop,
    "centre-crop": CentreCrop,
    "resize": Resize,
    "autoaugment-cifar10": AutoAugmentCifar10,
}


@dataclass(frozen=True)
class Augmentation:
    """Steps in their order. It has no state: seed, epoch and a sample's number in its split decide its picture."""

    steps: tuple[Step, ...] = ()
    seed: int = 0

    def __call__(self, pictures: Pictures, pick: NDArray[np.int64], epoch: int) -> Bytes:
        """The pictures `(n, *shape)` of these samples, as this epoch shows them.

        Raises:
            InputError: the steps leave another shape than that of the pictures, which the test part has.
        """
        draws = [Draws(self.seed, epoch, pick, number) for number in range(len(self.steps))]
        steps = list(zip(self.steps, draws, strict=True))
        if steps and isinstance(self.steps[0], ResizedCrop) and isinstance(pictures, Files) and pictures.whole:
            images = self.steps[0].whole(pictures, draws[0])
            steps = steps[1:]
        else:
            images = pictures[pick]
        for step, own in steps:
            images = step(images, own)
        if images.shape[1:] != pictures.shape:
            got, limit = images.shape[1:], f"{pictures.shape} of the data"
            raise AugmentInvalid("augment", "shape of a picture", got=got, relation="is not the", limit=limit)
        return images


def parse_augmentation(texts: Sequence[str], seed: int = 0) -> Augmentation:
    """Of a recipe's list: a name, and its numbers after a colon: `["affine:30,0.15,0.85,1.11", "flip"]`.

    Raises:
        InputError: a name that is not known, or numbers that are too many, too few or out of range.
    """
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise AugmentInvalid("augment", "list", got=texts, relation="is not of", limit="texts such as crop:4")
    return Augmentation(tuple(_step(text) for text in texts), seed)


def _step(text: str) -> Step:
    name, colon, rest = text.partition(":")
    if name not in STEPS:
        raise AugmentInvalid("augment", "name", got=name, relation="is not one of", limit=", ".join(STEPS))
    numbers = [_number(name, part) for part in rest.split(",")] if colon else []
    known: Any = fields(STEPS[name])  # type: ignore[arg-type]
    least = sum(field.default is MISSING for field in known)
    if not least <= len(numbers) <= len(known):
        limit = ", ".join(field.name for field in known) or "none"
        raise AugmentInvalid(
            f"augment {name}", "numbers", got=len(numbers), relation="are not those it takes:", limit=limit
        )
    return STEPS[name](*numbers)


def _number(name: str, text: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise AugmentInvalid(f"augment {name}", "number", got=text, relation="is not", limit="a number")
