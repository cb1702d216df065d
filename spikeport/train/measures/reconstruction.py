"""The papers' reconstruction loss: mean squared error of pixels in [-1, 1] (ESVAE Table I)."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from spikeport.train.autoencoders.base import Autoencoder
from spikeport.train.measures.passes import BATCH, evaluating, passes, real, square_errors


@dataclass(frozen=True)
class ReconstructionError:
    mse: float
    """Mean over all pixels of all images, not of the means of batches."""
    std: float
    """Between the images' own errors, population form."""
    images: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def reconstruction_error(
    model: Autoencoder, images: Tensor, *, seed: int = 0, batch: int = BATCH
) -> ReconstructionError:
    """In eval mode, over all images.

    Args:
        images: Integers `(N, c, h, w)`, as the model's source has them.
    """
    with evaluating(model):
        found = [
            square_errors(model(x, noise).image, real(model, x)) for x, noise in passes(model, images, seed, batch)
        ]
    errors = torch.cat(found)
    return ReconstructionError(float(errors.mean()), float(errors.std(correction=0)), len(errors))
