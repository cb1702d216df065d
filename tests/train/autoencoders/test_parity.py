"""Whole models in training mode, float64, against the networks written out one step at a time (`naive.py`)."""

from typing import Any

import pytest
import torch
from torch import Tensor

from spikeport.train import set_quantize
from spikeport.train.autoencoders import Noise, build_autoencoder, pixels
from tests.train.autoencoders.lively import enliven
from tests.train.autoencoders.naive import Naive

SHAPE, BATCH, STEPS = (2, 16, 8), 5, 8
SMALL: dict[str, Any] = {"widths": (6, 8), "latent": 7, "steps": STEPS}
WINDOWS = {"code": (1.0, 0.0), "paper": (0.5, 0.2)}


def made(name: str, **options: Any) -> tuple[Any, Tensor, Noise]:
    torch.manual_seed(3)
    model = build_autoencoder(name, pixels(SHAPE), **SMALL, **options).double()
    set_quantize(model, False)
    enliven(model)
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
        var = norm.var
        if layer.image is not None and model.pfa is None:  # the image is not repeated: n / (n - 1) of a T-th of n
            n = norm.values / STEPS
            var = 0.9 + (var - 0.9) * n / (n - 1) * (norm.values - 1) / norm.values
        assert torch.allclose(layer.main.norm.running_var, var, atol=1e-12)
        assert torch.allclose(layer.main.norm.running_mean, norm.mean, atol=1e-12)
    assert torch.equal(mine.latent.spikes.permute(1, 2, 0), z)
    assert 0.05 < z.mean() < 0.95
    assert torch.allclose(mine.image, image, rtol=0, atol=1e-10)
    assert image.std() > 0.01
    total = model.loss(images, noise).total
    assert abs(total - loss) < 1e-10
    names = [name for name, _ in model.named_parameters()]
    found = torch.autograd.grad(total, list(model.parameters()))
    for name, its, grad in zip(names, found, want, strict=True):
        assert torch.allclose(its, grad, rtol=1e-8, atol=1e-10), name
    assert sum(bool(grad.abs().amax() > 1e-8) for grad in want) > len(want) / 2


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
