"""A model over many images: in batches, in eval mode, with random numbers that the seed and the batch decide."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from spikeport.errors import MeasureUndefined
from spikeport.progress import working
from spikeport.train.autoencoders.base import Autoencoder, SpikingAutoencoder
from spikeport.train.autoencoders.noise import Noise

BATCH = 128
GENERATED = 1
"""Marks the random numbers of generated images, so that they are not those of reconstructions of the same seed."""


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; leaves the model in the mode that it was in."""
    before = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(before)


def passes(model: Autoencoder, images: Tensor, seed: int, batch: int = BATCH) -> Iterator[tuple[Tensor, Noise]]:
    """Batches of the images, each with its noise.

    Args:
        images: Integers `(N, c, h, w)`, as the model's source has them.

    Raises:
        InputError: there are no images, or they have another shape.
    """
    if images.dim() != 4 or not len(images) or images.shape[1:] != model.source.shape:
        got, limit = tuple(images.shape), f"(N, {', '.join(map(str, model.source.shape))}) with N above 0"
        raise MeasureUndefined("measure", "images", got=got, relation="are not", limit=limit)
    device = device_of(model)
    with working("measuring", len(images), "images") as task:
        for k, part in enumerate(torch.split(images, batch)):
            yield part.to(device), Noise.draw(model, len(part), (seed, 0, k)).to(device)
            task.advance(len(part))


def generated(model: Autoencoder, samples: int, seed: int, batch: int = BATCH) -> Tensor:
    """Images of the prior, `(samples, c, h, w)` in [-1, 1], float32, on the CPU."""
    if samples < 1:
        raise MeasureUndefined("measure", "samples", got=samples, relation="are below", limit=1)
    sizes = [min(batch, samples - start) for start in range(0, samples, batch)]
    found = []
    with evaluating(model), working("generating", samples, "images") as task:
        for k, n in enumerate(sizes):
            found.append(model.generate(n, prior_noise(model, n, seed, k)).float().cpu())
            task.advance(n)
    return torch.cat(found)


def prior_noise(model: Autoencoder, n: int, seed: int, batch: int) -> Noise:
    """The random numbers of batch number `batch` of what the prior generates."""
    return Noise.draw(model, n, (seed, GENERATED, batch)).to(device_of(model))


def latents(model: SpikingAutoencoder, images: Tensor, noise: Noise) -> Tensor:
    """What the decoder gets of these images, z `(T, B, D)`."""
    return model.sample(model.encode(images), noise)


def device_of(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def real(model: Autoencoder, images: Tensor) -> Tensor:
    """The images in [-1, 1], float64."""
    return model.real(images, torch.float64)


def square_errors(image: Tensor, target: Tensor) -> Tensor:
    """Mean over channels and places of each sample's squared error, `(B,)` in float64."""
    return (image.double() - target.double()).square().flatten(1).mean(1)
