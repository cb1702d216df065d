"""Distributions of latent firing rates, by hand and against loops."""

import pytest
import torch

from spikeport.train.autoencoders import SpikingAutoencoder
from spikeport.train.measures import firing_rates, raster
from spikeport.train.measures.passes import passes
from spikeport.train.measures.rates import rate_distribution
from tests.train.measures.nets import net, pictures


def test_histograms_by_hand() -> None:
    counts = torch.tensor([[0, 4, 2, 4], [0, 4, 0, 3]])
    found = rate_distribution(counts, 4)
    assert found.mean == 17 / 32
    means = [0] * 20
    for mean in (0 / 8, 8 / 8, 2 / 8, 7 / 8):
        means[min(int(mean * 20), 19)] += 1
    assert found.means == tuple(means) and sum(found.means) == 4
    assert found.single == (1, 0, 1, 0, 2)
    assert found.all == (3, 0, 1, 1, 3)
    assert (found.silent, found.saturated, found.extreme) == (3 / 8, 3 / 8, 6 / 8)


@pytest.mark.parametrize("tenths", range(11))
def test_a_mean_on_a_border_is_in_the_bin_above_it(tenths: int) -> None:
    means = rate_distribution(torch.full((3, 1), tenths), 10).means
    assert means.index(1) == min(2 * tenths, 19)


@pytest.mark.parametrize("name", ["esvae", "fsvae"])
def test_posterior_and_prior_are_those_of_the_model(name: str) -> None:
    model, images = net(name), pictures(6)
    assert isinstance(model, SpikingAutoencoder)
    found = firing_rates(model, images, seed=2, batch=4)
    with torch.no_grad():
        z = torch.cat([model.sample(model.encode(x), noise) for x, noise in passes(model, images, 2, 4)], 1)
    assert found.posterior.mean == pytest.approx(float(z.double().mean()), rel=1e-12)
    counts = z.sum(0)
    assert found.posterior.all == tuple(int((counts == k).sum()) for k in range(6))
    assert found.posterior.single == tuple(int((counts[0] == k).sum()) for k in range(6))
    assert found.samples == 6 and sum(found.prior.all) == 6 * 10
    assert found.to_json()["prior"]["extreme"] == found.prior.silent + found.prior.saturated
    assert torch.equal(raster(model, images[:4], seed=2), z[:, :4].transpose(0, 1).bool())
