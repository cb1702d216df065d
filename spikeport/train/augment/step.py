"""What one augmentation is, and how its numbers are checked."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import AugmentInvalid
from spikeport.train.augment.draws import Draws

Bytes = NDArray[np.uint8]


class Step(Protocol):
    """Changes a batch `(n, c, h, w)` or `(n, T, c, h, w)`; all frames of a sample alike."""

    def __call__(self, images: Bytes, draws: Draws, /) -> Bytes: ...


def check_integer(step: str, name: str, value: object, low: int, high: int) -> None:
    """Raises InputError for what is no integer in [low, high]."""
    if type(value) is not int or not low <= value <= high:
        raise AugmentInvalid(
            f"augment {step}", name, got=value, relation="is not an integer in", limit=f"[{low}, {high}]"
        )


def check_number(step: str, name: str, value: object, low: float, high: float) -> None:
    """Raises InputError for what is no number in [low, high]."""
    if type(value) not in (int, float) or not low <= value <= high:  # type: ignore[operator]
        raise AugmentInvalid(f"augment {step}", name, got=value, relation="is not in", limit=f"[{low:g}, {high:g}]")
