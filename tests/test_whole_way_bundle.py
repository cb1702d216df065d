"""What you train is what runs, of an autoencoder with its host: the same seed, every layer's spikes and the image."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from spikeport.autoencoder import Bundle
from spikeport.autoencoder_file import load_bundle, save_bundle
from spikeport.commands.autoencoders.compile import deployed
from spikeport.sim import generate as host_sim
from spikeport.sim import simulate
from spikeport.sim.generate import decode, generate, reconstruct, shown
from spikeport.train.autoencoders import Noise
from tests.bundles import random_images, random_model
from tests.whole_way import layer_spikes

BATCH = 5
OPTIONS: list[dict[str, Any]] = [
    {"steps": 4, "channels": 1, "readout": "membrane"},
    {"steps": 6, "channels": 3, "readout": "membrane"},
    {"steps": 16, "channels": 1, "readout": "membrane", "widths": (4, 6, 8)},
    {"steps": 4, "channels": 3, "readout": "taid"},
    {"steps": 7, "channels": 1, "readout": "taid", "taid": "paper"},
    {"steps": 16, "channels": 3, "readout": "taid", "taid": "paper", "widths": (6,)},
]


def through_its_file(model: nn.Module, folder: Path, part: Any = "all") -> Bundle:
    save_bundle(deployed(model, part=part), folder / "bundle")
    return load_bundle(folder / "bundle")


def assert_same_layers(net: nn.Sequential, x: torch.Tensor, program: Any, given: Any) -> list[float]:
    """Every layer, neuron, step and sample; gives the layers' rates."""
    run = simulate(program, given, record=[g.name for g in program.groups])
    expected = layer_spikes(net, x)
    for group, spikes in zip(program.lifs, expected, strict=False):  # a membrane has none
        start = group.reset_offset - 1
        found = run.traces[group.name].s[start : start + len(spikes)]
        assert np.array_equal(found.reshape(spikes.shape), spikes), group.name
    assert len(program.groups) - len(expected) == len(program.read_v)
    return [float(spikes.mean()) for spikes in expected]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_torch_and_the_bundle_draw_spike_and_paint_alike(options: dict[str, Any], seed: int, tmp_path: Path) -> None:
    model = random_model("esvae", seed, **options)
    bundle = through_its_file(model, tmp_path)
    images = random_images(seed, BATCH, options["channels"])
    noise = Noise.draw(model, BATCH, seed)
    with torch.no_grad():
        want, dreamt, drawn = model(images, noise), model.generate(BATCH, noise), model.dream(noise)

    found = reconstruct(bundle, images.numpy(), seed)
    assert np.array_equal(found.rates, want.latent.rates.numpy())
    assert np.array_equal(found.spikes, want.latent.spikes.numpy())
    assert want.image.dtype == torch.float64
    assert np.array_equal(found.image, want.image.numpy())

    new = generate(bundle, BATCH, seed)
    assert np.array_equal(new.rates, model.prior_rates(noise).detach().numpy())
    assert np.array_equal(new.spikes, drawn.numpy())
    assert np.array_equal(new.image, dreamt.numpy())

    assert bundle.encoder is not None
    rates = assert_same_layers(model.encoder, images, bundle.encoder, shown(bundle, images.numpy()))
    for z in (found.spikes, new.spikes):
        rates += assert_same_layers(model.decoder, torch.from_numpy(z).float(), bundle.decoder, z)
    assert sum(0.02 < rate < 0.98 for rate in rates) > len(rates) / 2
    assert found.image.std() > 0.05 and new.image.std() > 0.05


def test_a_model_in_float64_is_the_same_way(tmp_path: Path) -> None:
    model = random_model("esvae", 5, steps=5, readout="taid").double()
    bundle, noise = through_its_file(model, tmp_path), Noise.draw(model, BATCH, 5)
    with torch.no_grad():
        assert np.array_equal(generate(bundle, BATCH, 5).image, model.generate(BATCH, noise).numpy())


@pytest.mark.parametrize("readout", ["membrane", "taid"])
def test_the_decoder_of_an_fsvae_is_deployed_alone(readout: str, tmp_path: Path) -> None:
    model = random_model("fsvae", 2, steps=6, candidates=3, readout=readout)
    bundle, noise = through_its_file(model, tmp_path, "decoder"), Noise.draw(model, BATCH, 2)
    assert bundle.encoder is None and bundle.bottleneck is None
    with torch.no_grad():
        z = model.dream(noise)
        assert np.array_equal(decode(bundle, z.numpy().astype(np.uint8)), model.decode(z).numpy())


def test_the_decoder_of_an_esvae_with_pfa_still_generates(tmp_path: Path) -> None:
    model = random_model("esvae", 3, steps=4, pfa=True, pfa_rank=2)
    bundle, noise = through_its_file(model, tmp_path, "decoder"), Noise.draw(model, BATCH, 3)
    with torch.no_grad():
        assert np.array_equal(generate(bundle, BATCH, 3).image, model.generate(BATCH, noise).numpy())


@pytest.mark.parametrize("readout", ["membrane", "taid"])
def test_samples_are_what_they_are_alone(readout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = deployed(random_model("esvae", 4, steps=4, readout=readout))
    images = random_images(4, 7).numpy()
    noise = host_sim.Noise.draw(bundle, 7, 4)
    whole = reconstruct(bundle, images, noise)
    monkeypatch.setattr(host_sim, "CHUNK", 3)
    assert np.array_equal(reconstruct(bundle, images, noise).image, whole.image)
    alone = host_sim.Noise(noise.uniform[:, 2:3], noise.normal[2:3])
    assert np.array_equal(reconstruct(bundle, images[2:3], alone).image, whole.image[2:3])
    assert np.array_equal(generate(bundle, 1, alone).image, generate(bundle, 7, noise).image[2:3])
