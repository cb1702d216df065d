"""Whole models in training mode, float64, against the networks written out one step at a time (`naive.py`)."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spikeport.train import SpikingLayer, set_quantize
from spikeport.train.autoencoders import Noise, build_autoencoder, pixels
from tests.train.autoencoders.naive import Naive

SHAPE, BATCH, STEPS = (2, 16, 8), 5, 8
SMALL: dict[str, Any] = {"widths": (6, 8), "latent": 7, "steps": STEPS}
WINDOWS = {"code": (1.0, 0.0), "paper": (0.5, 0.2)}


def made(name: str, **options: Any) -> tuple[Any, Tensor, Noise]:
    torch.manual_seed(3)
    model = build_autoencoder(name, pixels(SHAPE), **SMALL, **options).double()
    set_quantize(model, False)
    for layer in model.modules():
        if isinstance(layer, SpikingLayer):
            assert layer.main.norm is not None
            nn.init.normal_(layer.main.norm.weight, 1.0, 0.3)
            nn.init.normal_(layer.main.norm.bias, 0.1, 0.1)
    images = 2 * torch.randint(0, 256, (BATCH, *SHAPE)) - 255
    return model, images, Noise.draw(model, BATCH, 11)


def assert_alike(model: Any, images: Tensor, noise: Noise, naive: Naive, theirs: tuple[Tensor, Tensor, Tensor]) -> None:
    """Latent spikes are equal; image, loss, gradients and running statistics agree to 1e-10.

    Statistics first: passes move them.
    """
    z, image, loss = theirs
    want = torch.autograd.grad(loss, list(model.parameters()))
    mine = model(images, noise)
    for layer, norm in naive.norms.items():
        is_first = layer.image is not None and model.pfa is None
        n = norm.values
        unbiased = (n / STEPS) / (n / STEPS - 1) / (n / (n - 1)) if is_first else 1.0  # of an image that is not repeated
        found = layer.main.norm.running_var, layer.main.norm.running_mean
        assert torch.allclose(found[0], 0.9 + (norm.var - 0.9) * unbiased if is_first else norm.var, atol=1e-12)
        assert torch.allclose(found[1], norm.mean, atol=1e-12)
    assert torch.equal(mine.latent.spikes.permute(1, 2, 0), z)
    assert 0.05 < z.mean() < 0.95
    assert torch.allclose(mine.image, image, rtol=0, atol=1e-10)
    assert image.std() > 0.01
    total = model.loss(images, noise).total
    assert abs(total - loss) < 1e-10
    for (name, _), found_grad, grad in zip(
        model.named_parameters(), torch.autograd.grad(total, list(model.parameters())), want, strict=True
    ):
        assert torch.allclose(found_grad, grad, rtol=1e-8, atol=1e-10), name
    moved = [name for (name, _), grad in zip(model.named_parameters(), want, strict=True) if grad.abs().amax() > 1e-8]
    assert len(moved) > len(want) / 2


OPTIONS: list[dict[str, Any]] = [
    {"surrogate": "code"},
    {"surrogate": "paper", "sampling": "paper"},
    {"surrogate": "code", "readout": "taid"},
    {"surrogate": "paper", "pfa": True, "pfa_rank": 3},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_esvae(options: dict[str, Any]) -> None:
    model, images, noise = made("esvae", **options)
    naive = Naive(model, WINDOWS[options["surrogate"]], 0.5 if "sampling" in options else 1.0)
    assert_alike(model, images, noise, naive, naive.esvae(images, noise))


@pytest.mark.parametrize(("distance", "surrogate"), [("mmd", "code"), ("kld", "paper")])
def test_fsvae(distance: str, surrogate: str) -> None:
    model, images, noise = made("fsvae", candidates=4, distance=distance, surrogate=surrogate)
    naive = Naive(model, WINDOWS[surrogate])
    model.progress = 0.5
    assert model.probability == pytest.approx(0.2)
    coins = noise.coins.clone()
    coins[5] = 0.19  # step 5 is replaced, step 6 is not
    coins[6] = 0.21
    noise = Noise(noise.uniform, noise.normal, noise.picks, coins, noise.jitter)
    assert_alike(model, images, noise, naive, naive.fsvae(images, noise, 0.2, distance))
