"""Grey values as spikes. numpy alone: the trainers import this in the frameworks' environments, too."""

from typing import Any

import numpy as np


def bernoulli(images: Any, steps: int, rng: np.random.Generator) -> Any:
    """A pixel spikes at each step with the probability grey / 255.

    Args:
        images: `(B, *shape)` uint8.

    Returns:
        `(steps, B, *shape)` uint8, zeros and ones.
    """
    draws = rng.random((steps, *images.shape), np.float32)
    return (draws < images.astype(np.float32) / np.float32(255)).astype(np.uint8)
