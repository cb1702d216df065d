"""The networks without spikes: their sizes, their layout, and their equations."""

from typing import Any

import torch
from torch import nn

from spikeport.train.autoencoders import Noise, build_autoencoder, fad_autoencoder, pixels

SOURCE = pixels((1, 32, 32))
NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def test_the_autoencoder_of_fad_has_the_published_layout() -> None:
    state = fad_autoencoder(SOURCE, 64).state_dict()
    assert len(state) == 62 and sum(x.numel() for x in state.values()) == 919_785
    names = {f"{part}.{i}.0.{x}" for part, n in (("encoder", 4), ("decoder", 3)) for i in range(n) for x in NORM[:2]}
    names |= {f"{part}.{i}.1.{x}" for part, n in (("encoder", 4), ("decoder", 3)) for i in range(n) for x in NORM}
    names |= {
        f"{part}.{x}" for part in ("latent_layer", "decoder_input", "final_layer.0", "final_layer.3") for x in NORM[:2]
    }
    names |= {f"final_layer.1.{x}" for x in NORM}
    assert set(state) == names
    assert state["latent_layer.weight"].shape == (64, 1024)
    assert state["decoder.2.0.weight"].shape == (64, 32, 3, 3)
    assert state["final_layer.3.weight"].shape == (32, 1, 3, 3)


def test_it_is_the_network_that_is_written_out() -> None:
    torch.manual_seed(0)
    model = fad_autoencoder(SOURCE, 5).double().train()
    x = torch.rand(3, 1, 32, 32, dtype=torch.float64) * 2 - 1
    state = {name: value.clone() for name, value in model.state_dict().items()}

    def block(y: torch.Tensor, conv: str, norm: str, up: bool) -> torch.Tensor:
        weight, bias = state[f"{conv}.weight"], state[f"{conv}.bias"]
        y = (
            nn.functional.conv_transpose2d(y, weight, bias, 2, 1, 1)
            if up
            else nn.functional.conv2d(y, weight, bias, 2, 1)
        )
        mean, var = y.mean((0, 2, 3), keepdim=True), y.var((0, 2, 3), correction=0, keepdim=True)
        gamma, beta = (state[f"{norm}.{name}"][:, None, None] for name in ("weight", "bias"))
        y = gamma * (y - mean) / torch.sqrt(var + 1e-5) + beta
        return torch.where(y > 0, y, 0.01 * y)

    y = x
    for i in range(4):
        y = block(y, f"encoder.{i}.0", f"encoder.{i}.1", False)
    latent = y.flatten(1) @ state["latent_layer.weight"].T + state["latent_layer.bias"]
    y = (latent @ state["decoder_input.weight"].T + state["decoder_input.bias"]).reshape(3, 256, 2, 2)
    for i in range(3):
        y = block(y, f"decoder.{i}.0", f"decoder.{i}.1", True)
    y = block(y, "final_layer.0", "final_layer.1", True)
    y = nn.functional.conv_transpose2d(y, state["final_layer.3.weight"], state["final_layer.3.bias"], padding=1)
    image, found = model(x)
    assert torch.allclose(found, latent, atol=1e-10)
    assert torch.allclose(image, torch.tanh(y), atol=1e-10)


def test_the_vae_draws_from_its_gaussian_and_weighs_its_divergence() -> None:
    torch.manual_seed(0)
    model: Any = build_autoencoder("ann_vae", SOURCE, latent=6, weight=0.25).double()
    images = 2 * torch.randint(0, 256, (4, 1, 32, 32)) - 255
    noise = Noise.draw(model, 4, 1)
    found, losses = model(images, noise), model.loss(images, noise)
    latent = found.latent
    assert torch.allclose(latent.z, latent.mean + noise.normal * torch.exp(latent.logvar) ** 0.5, atol=1e-12)
    error = ((found.image - images.double() / 255) ** 2).mean()
    kl = 0.5 * (latent.mean**2 + latent.logvar.exp() - 1 - latent.logvar).sum(1).mean()
    assert torch.allclose(losses.total, error + 0.25 * kl, atol=1e-12)
    assert set(losses.parts) == {"reconstruction", "kl"}


def test_the_vae_generates_from_the_normal_prior() -> None:
    model: Any = build_autoencoder("ann_vae", SOURCE, latent=6).eval()
    noise = Noise.draw(model, 3, 1)
    assert torch.equal(model.generate(3, noise), model.decode(noise.normal.float()))
    assert model.generate(3, noise).shape == (3, 1, 32, 32)
