"""Shuffles and flips of latent spikes."""

import numpy as np
import pytest
import torch
from torch import Tensor

from spikeport.errors import InputError
from spikeport.train.autoencoders import SpikingAutoencoder
from spikeport.train.measures import noise_curve, reconstruction_error, robustness
from spikeport.train.measures.noise import flipped
from spikeport.train.measures.passes import passes
from spikeport.train.measures.robustness import length_shuffled, time_shuffled
from tests.train.measures.nets import net, pictures


def spikes(t: int = 6, b: int = 5, d: int = 8) -> Tensor:
    return (torch.rand(t, b, d, generator=torch.Generator().manual_seed(0)) < 0.4).float()


def rows(x: Tensor) -> list[list[float]]:
    return sorted(x.tolist())


def test_a_time_shuffle_moves_whole_steps_of_each_sample() -> None:
    z = spikes()
    found = time_shuffled(z, np.random.default_rng(0))
    assert torch.equal(found.sum(0), z.sum(0))
    assert not torch.equal(found, z)
    for b in range(5):
        assert rows(found[:, b]) == rows(z[:, b])


def test_samples_are_shuffled_each_in_its_own_order() -> None:
    z = torch.arange(6.0)[:, None, None].expand(6, 20, 3)
    orders = {tuple(found) for found in time_shuffled(z, np.random.default_rng(1))[:, :, 0].T.tolist()}
    assert len(orders) > 10
    across = torch.arange(6.0).expand(3, 20, 6)
    assert len({tuple(found) for found in length_shuffled(across, np.random.default_rng(1))[0].tolist()}) > 10


def test_a_length_shuffle_moves_whole_neurons_of_each_sample() -> None:
    z = spikes()
    found = length_shuffled(z, np.random.default_rng(0))
    assert torch.equal(found.sum(2), z.sum(2))
    assert not torch.equal(found, z)
    for b in range(5):
        assert rows(found[:, b].T) == rows(z[:, b].T)


def test_flips_take_nothing_all_or_their_share() -> None:
    z = spikes(20, 10, 50)
    assert torch.equal(flipped(z, 0.0, np.random.default_rng(0)), z)
    assert torch.equal(flipped(z, 1.0, np.random.default_rng(0)), 1 - z)
    share = float((flipped(z, 0.1, np.random.default_rng(0)) != z).double().mean())
    assert abs(share - 0.1) < 4 * (0.1 * 0.9 / 10_000) ** 0.5


def test_flips_of_a_smaller_probability_are_among_those_of_a_larger() -> None:
    z = spikes()
    few, many = (flipped(z, a, np.random.default_rng(3)) != z for a in (0.1, 0.5))
    assert few.any() and (many | ~few).all() and not torch.equal(few, many)


@pytest.mark.parametrize("name", ["esvae", "fsvae"])
def test_errors_are_those_of_decoding_the_shuffled_spikes(name: str) -> None:
    model, images = net(name), pictures(6)
    assert isinstance(model, SpikingAutoencoder)
    found = robustness(model, images, seed=5, batch=4)
    sums = np.zeros(5)
    with torch.no_grad():
        for k, (x, noise) in enumerate(passes(model, images, 5, 4)):
            original, z = x.double() / 255, model.sample(model.encode(x), noise)
            vanilla = model.decode(z).double()
            shuffled = [way(z, np.random.default_rng((5, 2, k))) for way in (time_shuffled, length_shuffled)]
            time, length = (model.decode(y).double() for y in shuffled)
            pairs = ((vanilla, original), (time, original), (time, vanilla), (length, original), (length, vanilla))
            sums += [float((a - b).square().sum()) for a, b in pairs]
    expected = sums / (6 * 256)
    ours = (found.undisturbed, found.time.original, found.time.vanilla, found.length.original, found.length.vanilla)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)
    assert found.undisturbed == pytest.approx(reconstruction_error(model, images, seed=5, batch=4).mse, rel=1e-12)
    assert found.length.vanilla > 0 and found.time.vanilla > 0


def test_a_noise_curve_begins_at_the_reconstruction() -> None:
    model, images = net("esvae"), pictures(5)
    assert isinstance(model, SpikingAutoencoder)
    found = noise_curve(model, images, (0.0, 0.5, 1.0), seed=1)
    assert found.errors[0].vanilla == 0
    assert found.errors[0].original == pytest.approx(reconstruction_error(model, images, seed=1).mse, rel=1e-12)
    (x, noise), *_ = passes(model, images, 1)
    with torch.no_grad():
        z = model.sample(model.encode(x), noise)
        inverted, vanilla = model.decode(1 - z).double(), model.decode(z).double()
    assert found.errors[2].vanilla == pytest.approx(float((inverted - vanilla).square().mean()), rel=1e-12)
    assert found.to_json()["probabilities"] == (0.0, 0.5, 1.0)


def test_a_probability_is_in_0_1() -> None:
    model = net("esvae")
    assert isinstance(model, SpikingAutoencoder)
    with pytest.raises(InputError, match=r"noise: probability \(1.5\) is not in \[0, 1\]"):
        noise_curve(model, pictures(1), (0.1, 1.5))
