"""What becomes of a reconstruction when latent spikes disappear and appear (ESVAE section IV-D2 and Fig. 5).

The paper adds "Gaussian noise with probability a", by which spikes disappear and new ones appear: each of the T D
values of z is flipped with probability a, independently.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikeport.errors import InputError
from spikeport.train.autoencoders.base import SpikingAutoencoder
from spikeport.train.measures.passes import BATCH
from spikeport.train.measures.robustness import Disturb, Disturbed, disturbed

PROBABILITIES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Its figure shows a to at least 0.1."""


@dataclass(frozen=True)
class NoiseCurve:
    probabilities: tuple[float, ...]
    errors: tuple[Disturbed, ...]
    """One for each probability."""
    images: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def noise_curve(
    model: SpikingAutoencoder,
    images: Tensor,
    probabilities: Sequence[float] = PROBABILITIES,
    *,
    seed: int = 0,
    batch: int = BATCH,
) -> NoiseCurve:
    """In eval mode. The flips of a smaller probability are among those of a larger one.

    Raises:
        InputError: a probability is not in [0, 1].
    """
    ways = tuple(_flips(probability) for probability in probabilities)
    _, errors = disturbed(model, images, ways, seed=seed, batch=batch)
    return NoiseCurve(tuple(probabilities), errors, len(images))


def flipped(z: Tensor, probability: float, rng: np.random.Generator) -> Tensor:
    """z `(T, B, D)` with each spike taken away, and each silence made a spike, with this probability."""
    flips = torch.from_numpy(rng.random(z.shape) < probability).to(z.device)
    return torch.where(flips, 1 - z, z)


def _flips(probability: float) -> Disturb:
    if not 0 <= probability <= 1:
        raise InputError("noise", "probability", got=probability, relation="is not in", limit="[0, 1]")
    return lambda z, rng: flipped(z, probability, rng)
