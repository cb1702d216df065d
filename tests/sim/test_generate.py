"""The host between two chip phases: its last synapse by hand, its draws, and what it refuses."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from spikeport.autoencoder import Attention, Bundle
from spikeport.errors import InputError
from spikeport.sim.generate import Noise, attended, decode, encode, generate, reconstruct, shown
from spikeport.train.autoencoders import Noise as TorchNoise
from tests.bundles import random_images, random_model, small_bundle

IMAGES = random_images(1, 3).numpy()


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return small_bundle()


@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (0, 2), (2, 1)])
@pytest.mark.parametrize("form", ["code", "paper"])
def test_the_last_synapse_is_a_transposed_convolution(padding: Any, form: str, rng: np.random.Generator) -> None:
    """With attention weights of 0 each step weighs 1/2."""
    weight, bias = rng.integers(-(1 << 20), 1 << 20, (4, 2, 3, 3)), rng.integers(-(1 << 20), 1 << 20, 2)
    spikes = rng.integers(0, 2, (3, 2, 4, 5, 6))
    y = F.conv_transpose2d(
        *(torch.from_numpy(x).double() for x in (spikes.reshape(6, 4, 5, 6), weight, bias)), padding=padding
    )
    want = (y.reshape(3, 2, *y.shape[1:]) / 2**20).mean(0) * (1.5 if form == "code" else 0.5)
    found = attended(Attention(weight, bias, np.zeros((3, 3)), padding, form), spikes)
    assert np.allclose(found, want.numpy(), rtol=0, atol=1e-12)


def test_the_seeds_numbers_are_those_of_training(bundle: Bundle) -> None:
    model = random_model("esvae", steps=4)
    for seed in (0, [3, 1, 4]):
        mine, theirs = Noise.draw(bundle, 5, seed), TorchNoise.draw(model, 5, seed)
        assert np.array_equal(mine.uniform, theirs.uniform.numpy())
        assert np.array_equal(mine.normal, theirs.normal.numpy())


def test_counts_are_spikes_of_the_encoder_over_all_steps(bundle: Bundle) -> None:
    model = random_model("esvae", steps=4)
    want = model.encode(torch.from_numpy(IMAGES)).sum(0)
    found = encode(bundle, IMAGES)
    assert found.tolist() == want.tolist()
    assert 0 < found.mean() < 4


def test_a_spike_is_a_draw_below_the_rate(bundle: Bundle) -> None:
    """Rates are quarters here; a draw that equals one gives no spike."""
    rates = encode(bundle, IMAGES) / 4
    for u in (0.0, 0.25, 0.5, 0.75):
        noise = Noise(np.full((4, 3, 7), u), np.zeros((3, 7)))
        found = reconstruct(bundle, IMAGES, noise)
        assert np.array_equal(found.rates, rates)
        assert np.array_equal(found.spikes, np.broadcast_to(rates > u, (4, 3, 7)))


def test_the_seed_decides_the_images(bundle: Bundle) -> None:
    assert np.array_equal(generate(bundle, 4, 7).image, generate(bundle, 4, 7).image)
    assert not np.array_equal(generate(bundle, 4, 7).image, generate(bundle, 4, 8).image)


def test_each_image_is_shown_at_every_step(bundle: Bundle) -> None:
    assert shown(bundle, IMAGES).shape == (4, 3, 1, 8, 8)
    assert all(np.array_equal(now, IMAGES) for now in shown(bundle, IMAGES))


def test_what_a_decoder_alone_cannot_do_is_said(bundle: Bundle) -> None:
    alone = replace(bundle, encoder=None, bottleneck=None)
    with pytest.raises(InputError, match="reconstruct: bundle has no encoder; compile the whole run"):
        reconstruct(alone, IMAGES, 0)
    with pytest.raises(InputError, match="generate: bundle has no bottleneck; give the latent spikes"):
        generate(alone, 3, 0)
    assert np.array_equal(decode(alone, generate(bundle, 3, 0).spikes), generate(bundle, 3, 0).image)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda b: encode(b, IMAGES[:0]), r"images: shape \(\(0, 1, 8, 8\)\) is not \(B, 1, 8, 8\)"),
        (lambda b: encode(b, IMAGES[0]), "images: shape"),
        (lambda b: encode(b, IMAGES * 2), "input input: value"),
        (lambda b: encode(b, IMAGES * 0.5), "input input: type"),
        (lambda b: generate(b, 0, 0), r"generate: images \(0\) are not above 0"),
        (lambda b: decode(b, np.zeros((3, 2, 7), int)), r"latent spikes: shape \(\(3, 2, 7\)\) is not \(4, B, 7\)"),
        (lambda b: decode(b, np.zeros((4, 2, 8), int)), "latent spikes: shape"),
        (lambda b: decode(b, np.full((4, 2, 7), 2)), "input input: value"),
        (lambda b: decode(b, np.zeros((4, 0, 7), int)), "latent spikes: shape"),
        (lambda b: decode(b, np.zeros(4, int)), "latent spikes: shape"),
        (lambda b: generate(b, 2, Noise.draw(b, 3, 0)), r"noise: uniform \(float64 \(4, 3, 7\)\) is not float64"),
        (lambda b: generate(b, 2, Noise(np.zeros((4, 2, 7)), np.zeros((2, 7), np.float32))), "noise: normal"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, what: str, bundle: Bundle) -> None:
    with pytest.raises(InputError, match=what):
        call(bundle)
