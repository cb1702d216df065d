"""What becomes of a reconstruction when the latent spikes are put in another order (ESVAE Fig. 1 and Table II).

time     the steps of each sample in another order, the same for all its latent neurons: firing rates stay
length   the latent neurons of each sample in another order, the same at all steps: rates change places
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikeport.train.autoencoders.base import SpikingAutoencoder
from spikeport.train.measures.passes import BATCH, evaluating, latents, passes, real, square_errors

Disturb = Callable[[Tensor, np.random.Generator], Tensor]
"""z `(T, B, D)` to another z."""
DISTURBED = 2
"""Marks the random numbers of what is done to the latent spikes."""


@dataclass(frozen=True)
class Disturbed:
    """MSE on [-1, 1] of what is decoded from disturbed latent spikes."""

    original: float
    """Against the images."""
    vanilla: float
    """Against the reconstruction of the same spikes, undisturbed."""


@dataclass(frozen=True)
class Robustness:
    undisturbed: float
    """MSE of the reconstruction, undisturbed."""
    time: Disturbed
    length: Disturbed
    images: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def robustness(model: SpikingAutoencoder, images: Tensor, *, seed: int = 0, batch: int = BATCH) -> Robustness:
    """Both shuffles, in eval mode."""
    undisturbed, (time, length) = disturbed(model, images, (time_shuffled, length_shuffled), seed=seed, batch=batch)
    return Robustness(undisturbed, time, length, len(images))


def disturbed(
    model: SpikingAutoencoder, images: Tensor, ways: tuple[Disturb, ...], *, seed: int, batch: int
) -> tuple[float, tuple[Disturbed, ...]]:
    """MSE without, and with each way of disturbing; all get the same random numbers."""
    with evaluating(model):
        errors = torch.cat(list(_errors(model, images, ways, seed, batch)), 1).mean(1).tolist()
    return errors[0], tuple(Disturbed(*pair) for pair in zip(errors[1::2], errors[2::2], strict=True))


def _errors(
    model: SpikingAutoencoder, images: Tensor, ways: tuple[Disturb, ...], seed: int, batch: int
) -> Iterator[Tensor]:
    """Of each batch `(1 + 2 ways, B)`: undisturbed, then of each way against the original and the vanilla image."""
    for k, (x, noise) in enumerate(passes(model, images, seed, batch)):
        z, original = latents(model, x, noise), real(model, x)
        vanilla = model.decode(z)
        found = [square_errors(vanilla, original)]
        for way in ways:
            image = model.decode(way(z, np.random.default_rng((seed, DISTURBED, k))))
            found += [square_errors(image, original), square_errors(image, vanilla)]
        yield torch.stack(found)


def time_shuffled(z: Tensor, rng: np.random.Generator) -> Tensor:
    """The steps of each sample in another order."""
    order = torch.from_numpy(rng.random(z.shape[:2]).argsort(0)).to(z.device)
    return z.gather(0, order[..., None].expand_as(z))


def length_shuffled(z: Tensor, rng: np.random.Generator) -> Tensor:
    """The latent neurons of each sample in another order."""
    order = torch.from_numpy(rng.random(z.shape[1:]).argsort(1)).to(z.device)
    return z.gather(2, order.expand_as(z))
