"""Models by name: what is built, and options that are refused."""

from typing import Any

import pytest
import torch

from spikeport.errors import InputError
from spikeport.train import ALIF, DALIF, SpikingLayer
from spikeport.train.models import build_model

OPTIONS: dict[str, Any] = {"steps": 3, "neuron": "alif", "channels": (2, 3), "votes": 2}


def build(**changes: Any) -> torch.nn.Sequential:
    return build_model("small_conv", (1, 8, 8), 10, **{**OPTIONS, **changes})


def test_a_model_gives_one_rate_per_class() -> None:
    rates = build().eval()(torch.zeros(5, 1, 8, 8))
    assert rates.shape == (5, 10)


@pytest.mark.parametrize(("name", "kind"), [("alif", ALIF), ("dalif", DALIF)])
def test_all_layers_have_the_neuron_that_was_named(name: str, kind: type) -> None:
    layers = [m for m in build(neuron=name) if isinstance(m, SpikingLayer)]
    assert [type(layer.neuron) for layer in layers] == [kind] * 3


def test_options_of_the_neuron_reach_every_layer() -> None:
    for layer in build(tau=0.5, threshold=0.7):
        if isinstance(layer, SpikingLayer):
            assert float(layer.neuron.keep().detach()) == pytest.approx(0.5)
            assert float(layer.neuron.threshold().detach()) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"neuron": "lif"}, "model: neuron (lif) is not one of alif, dalif"),
        ({"tau": 3.0}, "ALIF: tau (3.0) is not in (0, 1)"),
        ({"steps": 0}, "Image: steps (0) is not an integer in [1, 32768]"),
        ({"channels": (0, 2)}, "model small_conv: channels (0) is not above 0"),
        ({"votes": -1}, "model small_conv: votes (-1) is not above 0"),
    ],
)
def test_values_out_of_range_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        build(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "changes", [{"colour": 1}, {"channels": (1,)}, {"channels": "ab"}, {"channels": (1.5, 2)}, {"tau": "a"}], ids=str
)
def test_options_of_another_kind_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        build(**changes)
    assert (caught.value.where, caught.value.what) == ("model small_conv", "options")


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        build_model("resnet", (1, 8, 8), 10)
    assert str(caught.value) == "model: name (resnet) is not one of small_conv"
