"""FAD, the Frechet autoencoder distance (Kamata et al., FSVAE): Gaussians of an autoencoder's latent features.

The published code never puts its autoencoder into eval mode, so its batch norms take each batch's own statistics. All
published distances are of that kind: real images in batches of 256, generated ones in batches of 128, 5,120 of them
(ESVAE's code; FSVAE's: 256 for both). The distance by running statistics is another quantity, given beside it.

With the published autoencoder of Fashion-MNIST the reference statistics follow from its test images, resized bilinearly
to 32 x 32 as 8-bit pictures. With an autoencoder of one's own, distances can be compared with each other only.
"""

import copy
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from spikeport.errors import MeasureUndefined, UnknownName
from spikeport.train.autoencoders.ann import FadAutoencoder
from spikeport.train.autoencoders.base import Autoencoder
from spikeport.train.measures.gaussians import Gaussian, frechet_distance, gaussian_of
from spikeport.train.measures.passes import evaluating, generated, square_errors

SAMPLES = 5120
"""Whole batches of 128 that hold the 5,000 of the papers."""
BATCH, REAL_BATCH = 128, 256
MODES = ("train", "eval")
"""What batch norm takes: the batch's statistics, or the running ones."""


@dataclass(frozen=True)
class Fad:
    train: float
    """By the batches' statistics, as published."""
    eval: float
    """By the running statistics."""
    samples: int
    real_images: int
    features: int
    network_mse: float
    """MSE on [-1, 1] of the network's own reconstruction of the real images, in eval mode: whether it is any good."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def fad(model: Autoencoder, network: FadAutoencoder, images: Tensor, *, samples: int = SAMPLES, seed: int = 0) -> Fad:
    """Of what the model generates, in eval mode.

    Args:
        images: Real ones, integers `(N, c, h, w)` as the model's source has them; the test split in the papers.
    """
    return fad_of(network, images.float() * model.source.scale, generated(model, samples, seed, BATCH))


def fad_of(network: FadAutoencoder, real: Tensor, images: Tensor) -> Fad:
    """
    Args:
        real, images: `(N, c, h, w)` in [-1, 1], float32.

    Raises:
        InputError: the network is for other images.
    """
    shape = network_shape(network)
    for x in (real, images):
        if tuple(x.shape[1:]) != shape:
            raise MeasureUndefined("FAD", "images", got=tuple(x.shape[1:]), relation="are not", limit=shape)
    distances = {}
    for mode in MODES:
        distances[mode] = frechet_distance(
            fad_statistics(network, real, mode, REAL_BATCH), fad_statistics(network, images, mode, BATCH)
        )
    features = network.latent_layer.out_features
    return Fad(
        **distances, samples=len(images), real_images=len(real), features=features, network_mse=_mse(network, real)
    )


def fad_statistics(network: FadAutoencoder, images: Tensor, mode: str, batch: int) -> Gaussian:
    """Of the latent features of images `(N, c, h, w)` in [-1, 1].

    Args:
        mode: A name in `MODES`. The network stays as it is, running statistics included.
        batch: Images per batch; the last one may be smaller.
    """
    if mode not in MODES:
        raise UnknownName("FAD", "mode", got=mode, relation="is not one of", limit=", ".join(MODES))
    frozen = copy.deepcopy(network).train(mode == "train")
    with torch.no_grad():
        return gaussian_of(frozen.encode(x).numpy() for x in torch.split(images, batch))


def network_shape(network: FadAutoencoder) -> tuple[int, int, int]:
    """Of the images that it takes, `(c, h, w)`."""
    first = next(module for module in network.encoder.modules() if isinstance(module, nn.Conv2d))
    _, h, w = network.places
    grown = 2 ** len(network.encoder)
    return first.in_channels, h * grown, w * grown


def _mse(network: FadAutoencoder, real: Tensor) -> float:
    with evaluating(network):
        return float(torch.cat([square_errors(network(x)[0], x) for x in torch.split(real, REAL_BATCH)]).mean())
