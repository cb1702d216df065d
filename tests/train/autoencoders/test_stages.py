"""The plan of sizes, and what the papers' networks count."""

from typing import Any

import pytest
import torch
from torch import nn

from spikeport.errors import InputError
from spikeport.train import LIF, Dynamics, SpikingLayer, Surrogate
from spikeport.train.autoencoders import Plan, build_autoencoder, pixels
from spikeport.train.autoencoders.stages import decoder, encoder
from spikeport.train.image import Image

SMALL, LARGE = (1, 32, 32), (3, 64, 64)


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "shape", "latent", "want"),
    [
        ("esvae", SMALL, 128, 1_068_257),
        ("esvae", SMALL, 32, 855_905),
        ("esvae", LARGE, 128, 3_696_227),
        ("fsvae", SMALL, 128, 4_053_601),
    ],
)
def test_parameters_are_those_of_the_published_networks(
    name: str, shape: tuple[int, int, int], latent: int, want: int
) -> None:
    assert parameters(build_autoencoder(name, pixels(shape), latent=latent)) == want


def test_prior_and_posterior_of_fsvae_count_as_published() -> None:
    model: Any = build_autoencoder("fsvae", pixels(SMALL))
    assert parameters(model.prior) + parameters(model.posterior) == 3_001_856


def test_taid_adds_a_weight_for_each_pair_of_steps() -> None:
    assert parameters(build_autoencoder("esvae", pixels(SMALL), readout="taid")) == 1_068_257 + 16 * 16


@pytest.mark.parametrize(("shape", "places"), [(SMALL, (256, 2, 2)), (LARGE, (512, 2, 2)), ((3, 64, 32), (512, 2, 1))])
def test_stages_halve_the_image_down_and_double_it_up(
    shape: tuple[int, int, int], places: tuple[int, int, int]
) -> None:
    plan = Plan(pixels(shape), latent=8, steps=2)
    assert plan.places == places
    down, up = encoder(plan), decoder(plan)
    sizes = [tuple(layer.synapse.weight.shape[:1]) for layer in down if isinstance(layer, SpikingLayer)]
    assert [n for (n,) in sizes] == [*plan.widths, 8]
    assert down(torch.zeros(3, *shape, dtype=torch.long)).shape == (2, 3, 8)
    assert up(torch.zeros(2, 3, 8)).shape == (2, 3, 32, *shape[1:])


@pytest.mark.parametrize(("form", "surrogate"), [("code", (1.0, "zero")), ("paper", (0.5, "threshold"))])
def test_every_layer_has_the_papers_neuron_and_norm(form: str, surrogate: tuple[float, Any]) -> None:
    model = build_autoencoder("fsvae", pixels((1, 8, 8)), widths=(4, 4), latent=3, steps=2, surrogate=form)
    for name, layer in model.named_modules():
        if isinstance(layer, SpikingLayer):
            assert isinstance(layer.neuron, LIF) and layer.synapse.bias is not None
            assert layer.neuron.keep() == 0.25 and layer.neuron.threshold() == torch.tensor(0.2)
            assert layer.neuron.dynamics == Dynamics(Surrogate("rectangular", *surrogate), detach_reset=False)
            alpha = 2 if name.startswith(("prior", "posterior")) else 1
            assert layer.main.norm is not None and layer.main.norm.factor == 0.2 * alpha


def test_pixels_are_exactly_twice_their_value_less_one() -> None:
    assert pixels(SMALL).image(16) == Image(16, -255, 255, 1 / 255)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": (4, 4, 4, 4, 4, 4)}, "image size"),
        ({"widths": (0,)}, "widths"),
        ({"latent": 0}, "latent"),
        ({"steps": 2.0}, "steps"),
        ({"surrogate": "atan"}, "surrogate"),
        ({"readout": "mean"}, "readout"),
        ({"taid": "sum", "readout": "taid"}, "form"),
        ({"sampling": "none"}, "sampling"),
        ({"width": 3}, "unexpected keyword"),
    ],
    ids=str,
)
def test_what_is_not_possible_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_autoencoder("esvae", pixels((1, 32, 32)), **options)


def test_other_refusals() -> None:
    with pytest.raises(InputError, match="name .vae. is not one of esvae, fsvae, ann_vae"):
        build_autoencoder("vae", pixels(SMALL))
    with pytest.raises(InputError, match="image height .28. is not 32, 64; say widths"):
        build_autoencoder("esvae", pixels((1, 28, 28)))
    with pytest.raises(InputError, match="distance"):
        build_autoencoder("fsvae", pixels(SMALL), distance="mse")
