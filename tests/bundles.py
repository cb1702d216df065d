"""Small autoencoders whose neurons fire, and their bundles."""

from typing import Any

import torch

from spikeport.autoencoder import Bundle
from spikeport.commands.autoencoders.compile import deployed
from spikeport.train import SpikingLayer
from spikeport.train.autoencoders import Integrator, Taid, build_autoencoder, pixels

SMALL: dict[str, Any] = {"widths": (4, 6), "latent": 7}


def random_model(name: str, seed: int = 0, channels: int = 1, size: int = 8, **options: Any) -> Any:
    """In eval mode, with statistics as if it had been trained."""
    rng = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    model: Any = build_autoencoder(name, pixels((channels, size, size)), **{**SMALL, **options})
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, SpikingLayer):
                norm = layer.main.norm
                assert norm is not None and norm.running_mean is not None and norm.running_var is not None
                norm.running_mean.normal_(0, 0.3, generator=rng)
                norm.running_var.exponential_(1.0, generator=rng).add_(0.05)
                norm.weight.normal_(1.5, 0.3, generator=rng)
                norm.bias.normal_(0.05, 0.1, generator=rng)
            elif isinstance(layer, Integrator | Taid):
                layer.synapse.weight.normal_(0, 0.4, generator=rng)
    return model.eval()


def random_images(seed: int, batch: int, channels: int = 1, size: int = 8) -> torch.Tensor:
    """Integers of the network, `(B, c, h, w)`."""
    rng = torch.Generator().manual_seed(seed)
    return 2 * torch.randint(0, 256, (batch, channels, size, size), generator=rng) - 255


def small_bundle(**options: Any) -> Bundle:
    return deployed(random_model("esvae", steps=4, **options))
