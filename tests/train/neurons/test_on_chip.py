"""What the chip can hold of a neuron, and that no training leaves it."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from spikeport import fixed
from spikeport.errors import ExportError
from spikeport.export import to_nir
from spikeport.train import ALIF, DALIF, IF, LIF, PLIF, QuantLinear, SpikingLayer
from spikeport.train.neurons import AbstractNeuron
from tests.train.neurons.by_hand import value

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


def layer(neuron: AbstractNeuron) -> SpikingLayer:
    torch.manual_seed(0)
    return SpikingLayer(QuantLinear(3, 2), neuron).eval()


def set_raw(neuron: nn.Module, **raw: float) -> None:
    for name, number in raw.items():
        neuron.get_parameter(name.replace("__", ".")).data.fill_(number)


def assert_legal(neuron: AbstractNeuron) -> None:
    assert 0 <= value(neuron.keep()) <= 1
    assert value(neuron.threshold()) > 0
    ints = layer(neuron).integers()
    assert 1 <= ints.dv <= fixed.DECAY_ONE - 1
    assert 1 <= ints.vth <= fixed.VTH_MAX


@given(tau=finite, threshold=finite)
def test_no_step_of_an_optimizer_takes_alif_off_the_chip(tau: float, threshold: float) -> None:
    neuron = ALIF()
    set_raw(neuron, tau_raw=tau, vth__raw=threshold)
    assert_legal(neuron)


@given(alpha=finite, beta=finite, squash=st.sampled_from(["tanh", "sigmoid"]))
def test_no_step_of_an_optimizer_takes_dalif_off_the_chip(alpha: float, beta: float, squash: str) -> None:
    neuron = DALIF(squash=squash)
    set_raw(neuron, alpha__raw=alpha, beta__raw=beta)
    assert_legal(neuron)


@given(k=finite, decay_input=st.booleans())
def test_no_step_of_an_optimizer_takes_plif_off_the_chip(k: float, decay_input: bool) -> None:
    neuron = PLIF(decay_input=decay_input)
    set_raw(neuron, k_raw=k)
    assert_legal(neuron)


@given(tau=st.floats(0, 1, width=32), threshold=st.floats(2.0**-100, 2.0**100, width=32))
def test_every_fixed_lif_has_a_place_on_the_chip(tau: float, threshold: float) -> None:
    assert_legal(LIF(tau, threshold))


def test_if_does_not_leak() -> None:
    assert layer(IF()).integers().dv == 0


@pytest.mark.parametrize(
    ("neuron", "raw", "message"),
    [
        (
            ALIF(constrained=False),
            {"vth__raw": -0.25},
            "hidden.1 (ALIF): threshold (-0.25) is not above 0; train with constrained=True",
        ),
        (
            ALIF(constrained=False),
            {"vth__raw": 0.0},
            "hidden.1 (ALIF): threshold (0) is not above 0; train with constrained=True",
        ),
        (
            DALIF(constrained=False),
            {"beta__raw": -1.0},
            "hidden.1 (DALIF): decay (-0.7616) is not in [0, 1]; train with constrained=True",
        ),
        (
            DALIF(constrained=False, learn="none", beta=-0.5),
            {},
            "hidden.1 (DALIF): decay (-0.5) is not in [0, 1]; train with constrained=True",
        ),
    ],
)
def test_unconstrained_parameters_leave_the_chip_and_export_names_the_layer(
    neuron: AbstractNeuron, raw: dict[str, float], message: str
) -> None:
    set_raw(neuron, **raw)
    hidden = nn.Sequential(nn.Identity(), layer(neuron))
    net = nn.Sequential()
    net.add_module("first", SpikingLayer(QuantLinear(5, 3), ALIF()))
    net.add_module("hidden", hidden)
    with pytest.raises(ExportError) as caught:
        to_nir(net, torch.zeros(2, 1, 5))
    assert str(caught.value) == message


@pytest.mark.parametrize("make", [ALIF, DALIF])
def test_unconstrained_but_legal_parameters_export(make: Any) -> None:
    assert "lif1" in to_nir(layer(make(constrained=False)), torch.zeros(2, 1, 3)).nodes
