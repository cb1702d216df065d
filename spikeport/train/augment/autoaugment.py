"""AutoAugment's policy for CIFAR-10 (Cubuk et al., arXiv 1805.09501): table 7 of its appendix, on Pillow.

What the paper leaves open is as in the code that spiking networks are trained with: translations are relative to the
331 pixels that table 6's 150 belong to, pixels from outside are grey (128), and the nearest pixel is taken.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from spikeport.errors import AugmentInvalid
from spikeport.train.augment.draws import Draws, below
from spikeport.train.augment.step import Bytes

GREY = (128, 128, 128)

Operation = tuple[str, float, int]
"""Name, probability, magnitude 0..9."""

POLICY: tuple[tuple[Operation, Operation], ...] = (
    (("invert", 0.1, 7), ("contrast", 0.2, 6)),
    (("rotate", 0.7, 2), ("translate-x", 0.3, 9)),
    (("sharpness", 0.8, 1), ("sharpness", 0.9, 3)),
    (("shear-y", 0.5, 8), ("translate-y", 0.7, 9)),
    (("autocontrast", 0.5, 8), ("equalize", 0.9, 2)),
    (("shear-y", 0.2, 7), ("posterize", 0.3, 7)),
    (("color", 0.4, 3), ("brightness", 0.6, 7)),
    (("sharpness", 0.3, 9), ("brightness", 0.7, 9)),
    (("equalize", 0.6, 5), ("equalize", 0.5, 1)),
    (("contrast", 0.6, 7), ("sharpness", 0.6, 5)),
    (("color", 0.7, 7), ("translate-x", 0.5, 8)),
    (("equalize", 0.3, 7), ("autocontrast", 0.4, 8)),
    (("translate-y", 0.4, 3), ("sharpness", 0.2, 6)),
    (("brightness", 0.9, 6), ("color", 0.2, 8)),
    (("solarize", 0.5, 2), ("invert", 0.0, 3)),
    (("equalize", 0.2, 0), ("autocontrast", 0.6, 0)),
    (("equalize", 0.2, 8), ("equalize", 0.6, 4)),
    (("color", 0.9, 9), ("equalize", 0.6, 6)),
    (("autocontrast", 0.8, 4), ("solarize", 0.2, 8)),
    (("brightness", 0.1, 3), ("color", 0.7, 0)),
    (("solarize", 0.4, 5), ("autocontrast", 0.9, 3)),
    (("translate-y", 0.9, 9), ("translate-y", 0.7, 9)),
    (("autocontrast", 0.9, 2), ("solarize", 0.8, 3)),
    (("equalize", 0.8, 8), ("invert", 0.1, 3)),
    (("translate-y", 0.7, 9), ("autocontrast", 0.9, 1)),
)


@dataclass(frozen=True)
class AutoAugmentCifar10:
    """One of the 25 pairs for each picture, each operation of it with its probability, and with either sign."""

    def __call__(self, images: Bytes, draws: Draws) -> Bytes:
        if images.ndim != 4 or images.shape[1] != 3:
            limit = "(n, 3, h, w)"
            raise AugmentInvalid(
                "augment autoaugment-cifar10", "shape", got=images.shape, relation="is not", limit=limit
            )
        uniform = draws.uniform(5)
        changed = images.copy()
        for number, pair in enumerate(below(uniform[:, 0], len(POLICY))):
            image = Image.fromarray(images[number].transpose(1, 2, 0))
            for (name, probability, level), (chance, sign) in zip(
                POLICY[pair], uniform[number, 1:].reshape(2, 2), strict=True
            ):
                if chance < probability:
                    image = apply(image, name, level, -1 if sign < 0.5 else 1)
            changed[number] = np.asarray(image).transpose(2, 0, 1)
        return changed


def apply(image: Image.Image, name: str, level: int, sign: int) -> Image.Image:
    """An operation of table 6 on an RGB image.

    Args:
        level: 0 to 9, ten even steps over the operation's range.
        sign: 1 or -1, where the range has both: which way it goes, or more and less of it.
    """
    return _OPERATIONS[name](image, level / 9, sign)


def _affine(
    matrix: Callable[[float, Image.Image], tuple[float, ...]],
) -> Callable[[Image.Image, float, int], Image.Image]:
    def operation(image: Image.Image, share: float, sign: int) -> Image.Image:
        return image.transform(image.size, Image.Transform.AFFINE, matrix(share * sign, image), fillcolor=GREY)

    return operation


def _enhance(kind: Callable[[Image.Image], ImageEnhance._Enhance]) -> Callable[[Image.Image, float, int], Image.Image]:
    """0.1 to 1.9 times as much of it."""
    return lambda image, share, sign: kind(image).enhance(1 + 0.9 * share * sign)


_OPERATIONS: dict[str, Callable[[Image.Image, float, int], Image.Image]] = {
    "shear-x": _affine(lambda share, image: (1, 0.3 * share, 0, 0, 1, 0)),
    "shear-y": _affine(lambda share, image: (1, 0, 0, 0.3 * share, 1, 0)),
    "translate-x": _affine(lambda share, image: (1, 0, int(150 / 331 * image.width * share), 0, 1, 0)),
    "translate-y": _affine(lambda share, image: (1, 0, 0, 0, 1, int(150 / 331 * image.height * share))),
    "rotate": lambda image, share, sign: image.rotate(30 * share * sign, fillcolor=GREY),
    "autocontrast": lambda image, share, sign: ImageOps.autocontrast(image),
    "invert": lambda image, share, sign: ImageOps.invert(image),
    "equalize": lambda image, share, sign: ImageOps.equalize(image),
    "solarize": lambda image, share, sign: ImageOps.solarize(image, round(256 * (1 - share))),
    "posterize": lambda image, share, sign: ImageOps.posterize(image, round(8 - 4 * share)),
    "contrast": _enhance(ImageEnhance.Contrast),
    "color": _enhance(ImageEnhance.Color),
    "brightness": _enhance(ImageEnhance.Brightness),
    "sharpness": _enhance(ImageEnhance.Sharpness),
}
