"""What holds for the models as a loop, measurements and a compiler use them."""

from pathlib import Path
from typing import Any

import pytest
import torch

from spikeport.errors import InputError
from spikeport.train.autoencoders import Noise, build_autoencoder, pixels
from spikeport.train.autoencoders.sampling import rates
from tests.train.autoencoders.lively import enliven
from tests.whole_way import assert_same_spikes, compiled

SMALL: dict[str, Any] = {"widths": (4, 6), "latent": 5, "steps": 4}
SPIKING = pytest.mark.parametrize("name", ["esvae", "fsvae"])
READOUTS = pytest.mark.parametrize("readout", ["membrane", "taid"])


def made(name: str, **options: Any) -> tuple[Any, torch.Tensor, Noise]:
    torch.manual_seed(0)
    model: Any = build_autoencoder(name, pixels((1, 8, 8)), **SMALL, **options)
    enliven(model)
    images = 2 * torch.randint(0, 256, (6, 1, 8, 8)) - 255
    for seed in range(30):  # norms see something
        model(images, Noise.draw(model, 6, seed))
    return model, images, Noise.draw(model, 6, 99)


@SPIKING
@READOUTS
def test_parts_give_the_whole_in_eval_mode(name: str, readout: str) -> None:
    model, images, noise = made(name, readout=readout)
    model.eval()
    spikes = model.encode(images)
    z = model.sample(spikes, noise)
    found = model(images, noise)
    assert spikes.shape == z.shape == (4, 6, 5) and 0 < z.mean() < 1
    assert torch.equal(found.latent.spikes, z)
    assert torch.equal(found.latent.rates, rates(spikes))
    assert torch.equal(found.image, model.decode(z))
    assert found.image.shape == (6, 1, 8, 8) and found.image.abs().amax() <= 1
    assert torch.equal(model.generate(6, noise), model.decode(model.dream(noise)))


@SPIKING
def test_the_seed_decides_the_pass(name: str) -> None:
    model, images, noise = made(name)
    model.eval()
    again = Noise.draw(model, 6, 99)
    assert torch.equal(model(images, noise).image, model(images, again).image)
    assert not torch.equal(model(images, noise).image, model(images, Noise.draw(model, 6, 98)).image)


@SPIKING
def test_samples_do_not_depend_on_their_batch_in_eval_mode(name: str) -> None:
    model, images, noise = made(name)
    model.eval()
    whole, part = model(images, noise), model(images[2:5], noise.part(slice(2, 5)))
    assert torch.equal(whole.latent.spikes[:, 2:5], part.latent.spikes)
    assert torch.equal(whole.image[2:5], part.image)
    assert torch.equal(model.generate(6, noise)[2:5], model.generate(3, noise.part(slice(2, 5))))


@SPIKING
@READOUTS
def test_every_parameter_learns(name: str, readout: str) -> None:
    model, images, noise = made(name, readout=readout)
    losses = model.train().loss(images, noise)
    losses.total.backward()
    assert [key for key, p in model.named_parameters() if p.grad is None] == []
    assert losses.total.dim() == 0 and "reconstruction" in losses.parts


def test_the_error_does_not_reach_the_bottleneck_and_the_distance_reaches_both() -> None:
    model, images, noise = made("esvae")
    losses = model.loss(images, noise)
    bottleneck, encoder = model.bottleneck.weight, model.encoder[0].synapse.weight
    of_error = torch.autograd.grad(
        losses.parts["reconstruction"], [encoder, bottleneck], retain_graph=True, allow_unused=True
    )
    assert of_error[0].any() and of_error[1] is None
    assert all(grad.any() for grad in torch.autograd.grad(losses.parts["mmd"], [encoder, bottleneck]))


def test_total_is_the_sum_of_weighed_parts() -> None:
    for name, options, part, weight in (
        ("esvae", {}, "mmd", 1e-3),
        ("esvae", {"weight": 0.5}, "mmd", 0.5),
        ("fsvae", {}, "mmd", 1.0),
        ("fsvae", {"distance": "kld"}, "kld", 1e-4),
    ):
        model, images, noise = made(name, **options)
        losses = model.loss(images, noise)
        want = losses.parts["reconstruction"] + weight * losses.parts[part]
        assert losses.total.item() == pytest.approx(want.item(), rel=1e-6)


def test_noise_of_another_batch_is_refused() -> None:
    model, _, noise = made("esvae")
    with pytest.raises(InputError, match=r"samples of the noise \(6\) are not 5"):
        model.generate(5, noise)


@SPIKING
def test_encoder_and_decoder_are_chains_that_the_simulator_runs(name: str, tmp_path: Path) -> None:
    model, images, noise = made(name)
    model.eval()
    assert assert_same_spikes(model.encoder, images, compiled(model.encoder, images, tmp_path)) > 0
    z = model.dream(noise).long()
    assert assert_same_spikes(model.decoder, z, compiled(model.decoder, z, tmp_path)) > 0
