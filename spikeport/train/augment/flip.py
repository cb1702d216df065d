"""Mirror images."""

from dataclasses import dataclass

import numpy as np

from spikeport.train.augment.draws import Draws
from spikeport.train.augment.step import Bytes, check_number


@dataclass(frozen=True)
class Flip:
    """Left and right change places with this probability."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        check_number("flip", "probability", self.probability, 0, 1)

    def __call__(self, images: Bytes, draws: Draws) -> Bytes:
        chosen = draws.uniform(1) < self.probability
        return np.where(chosen.reshape(-1, *[1] * (images.ndim - 1)), images[..., ::-1], images)
