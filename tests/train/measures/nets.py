"""Small autoencoders whose layers fire, and pictures for them."""

from typing import Any

import torch
from torch import Tensor, nn

from spikeport.train.autoencoders import Autoencoder, FadAutoencoder, Noise, Plan, build_autoencoder, pixels

SHAPE = (1, 16, 16)
SMALL = {"widths": (4, 6), "latent": 10}


def pictures(n: int, seed: int = 0) -> Tensor:
    """Integers `(n, 1, 16, 16)` in [-255, 255], as `pixels` has them."""
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.randint(0, 256, (n, *SHAPE), generator=generator) - 255).to(torch.int16)


def net(name: str, seed: int = 0, **options: Any) -> Autoencoder:
    """One whose running statistics are those of a batch, so that its neurons fire."""
    torch.manual_seed(seed)
    steps = {} if name == "ann_vae" else {"steps": 5}
    model = build_autoencoder(name, pixels(SHAPE), **SMALL, **steps, **options)
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
        with torch.no_grad():
            norm.weight.mul_(3.0)  # as trained ones are
    with torch.no_grad():
        model.train()(pictures(40, seed), Noise.draw(model, 40, seed))
    return model.eval()


def feature_net(seed: int = 0) -> FadAutoencoder:
    """An autoencoder of FAD whose running statistics are not those of its batches."""
    torch.manual_seed(seed)
    return FadAutoencoder(Plan(pixels(SHAPE), (4, 6), 3)).eval()
