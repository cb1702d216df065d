"""What you train is what runs, for every model, neuron and norm: every layer, step and image, and the readout's v."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikeport.errors import ExportError
from spikeport.export import to_nir
from spikeport.train import Readout, Shortcut, SpikingLayer
from spikeport.train.models import Source, build_model
from tests.whole_way import assert_same_integers, assert_same_spikes, compiled, layer_spikes, layers

Shape = tuple[int, int, int]
MODELS: dict[str, tuple[dict[str, Any], Shape, Shape]] = {
    "alif_net": ({"channels": 6, "hidden": 30, "votes": 2, "steps": 5}, (1, 12, 12), (2, 16, 8)),
    "small_conv": ({"channels": (4, 6), "votes": 2, "steps": 6, "neuron": "alif"}, (1, 11, 11), (2, 8, 9)),
    "resnet18": ({"width": 3}, (3, 32, 32), (1, 24, 40)),
    "resnet19": ({"width": 3}, (3, 12, 12), (2, 9, 14)),
    "resnet20": ({"width": 3}, (3, 16, 16), (1, 16, 32)),
    "resnet34": ({"width": 2}, (3, 24, 24), (1, 33, 20)),
    "vgg11": ({"width": 3, "steps": 5}, (2, 32, 32), (1, 32, 64)),
    "vgg16": ({"width": 3}, (3, 32, 32), (1, 64, 32)),
}
"""Options, and two input shapes."""
NORMED = sorted(MODELS.keys() - {"small_conv"})
NEURONS: list[dict[str, Any]] = [
    {"neuron": "lif"},
    {"neuron": "lif", "tau": 0.75, "threshold": 0.5, "surrogate_centre": "zero"},
    {"neuron": "plif", "threshold": 0.5},
    {"neuron": "plif", "decay_input": False, "tau": 4.0},
    {"neuron": "alif"},
    {"neuron": "alif", "learn": "tau", "tau": 0.5},
    {"neuron": "alif", "learn": "threshold", "threshold": 0.4, "surrogate": "atan", "surrogate_width": 0.5},
    {"neuron": "alif", "learn": "none", "detach_reset": False},
    {"neuron": "dalif"},
    {"neuron": "dalif", "learn": "alpha", "beta": 0.25},
    {"neuron": "dalif", "learn": "beta", "alpha": 1.0},
    {"neuron": "dalif", "learn": "none"},
    {"neuron": "dalif", "squash": "sigmoid"},
]


def named(options: dict[str, Any]) -> str:
    return " ".join(str(value) for value in options.values())


def trained(model: str, shape: Shape, **options: Any) -> tuple[nn.Sequential, Tensor]:
    """With random statistics that let every layer fire, in eval mode; and images."""
    torch.manual_seed(0)
    net = build_model(model, Source(shape), 5, **{**MODELS[model][0], **options})
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = 1.0
            assert module.bias is not None
            nn.init.normal_(module.bias, 0.3, 0.3)
    for layer in layers(net):
        if layer.main.norm is None:
            layer.synapse.weight.data.mul_(3)
    for _ in range(2):
        net.train()(torch.randint(0, 256, (16, *shape)))
    return net.eval(), torch.randint(0, 256, (2, *shape))


def assert_whole_way(net: nn.Sequential, x: Tensor, folder: Path) -> None:
    program = compiled(net, x, folder)
    assert_same_integers(net, program)
    assert_same_spikes(net, x, program)
    rates = [spikes.mean() for spikes in layer_spikes(net, x)]
    assert min(rates) > 0
    assert sum(rate < 1 for rate in rates) >= 0.75 * len(rates)


@pytest.mark.parametrize("which", [1, 2])
@pytest.mark.parametrize("model", MODELS)
def test_every_model_runs_as_it_was_trained(model: str, which: int, tmp_path: Path) -> None:
    net, x = trained(model, MODELS[model][which])
    assert_whole_way(net, x, tmp_path)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("options", NEURONS, ids=named)
@pytest.mark.parametrize("model", ["resnet20", "small_conv"])
def test_so_does_every_neuron(model: str, options: dict[str, Any], reset: str, tmp_path: Path) -> None:
    net, x = trained(model, MODELS[model][1], reset=reset, **options)
    assert {layer.neuron.dynamics.reset for layer in layers(net)} == {reset}
    assert_whole_way(net, x, tmp_path)


@pytest.mark.parametrize("options", [{"neuron": "lif"}, {"neuron": "dalif", "reset": "subtract"}], ids=named)
@pytest.mark.parametrize("model", NORMED)
def test_so_does_every_model_with_the_thresholds_norm(model: str, options: dict[str, Any], tmp_path: Path) -> None:
    net, x = trained(model, MODELS[model][1], norm="tdbn", **options)
    assert_whole_way(net, x, tmp_path)


@pytest.mark.parametrize("convs", [1, 2])
@pytest.mark.parametrize("pool", ["max", "average"])
@pytest.mark.parametrize("neuron", ["alif", "plif"])
def test_so_does_alifs_network_with_either_pool(neuron: str, pool: str, convs: int, tmp_path: Path) -> None:
    net, x = trained("alif_net", (2, 12, 8), pool=pool, convs=convs, neuron=neuron, threshold=0.15)
    assert_whole_way(net, x, tmp_path)


@pytest.mark.parametrize("model", ["vgg11", "resnet19", "small_conv"])
def test_so_does_a_network_that_sees_another_image_at_each_step(model: str, tmp_path: Path) -> None:
    net, still = trained(model, MODELS[model][1], steps=4)
    x = torch.randint(0, 256, (4, 2, *still.shape[1:]))
    assert_whole_way(net, x, tmp_path)
    assert not torch.equal(net(x), net(x[0]))


def test_the_readout_is_the_mean_over_steps_and_places() -> None:
    """In eval mode up to the chip's rounding: half a unit for each weight and the bias, and a 4096th of the last v."""
    net, x = trained("resnet20", (3, 32, 32))
    readout = net[-1]
    assert isinstance(readout, Readout)
    spikes = torch.from_numpy(layer_spikes(net, x)[-1])
    rates = spikes.double().mean((0, 3, 4))
    with torch.no_grad():
        want = nn.functional.linear(rates, readout.synapse.weight.double(), readout.synapse.bias.double())
    unit, n = readout.integers().unit, readout.synapse.in_features
    assert (net(x) - want).abs().max() <= unit * (n + 1) + want.abs().max() * 2**-10
    assert np.array_equal(net(x).argmax(1).numpy(), want.argmax(1).numpy())


def test_a_file_names_the_integers_of_both_ways() -> None:
    net, x = trained("resnet19", (3, 12, 12))
    graph = to_nir(net, x)
    joins = [k for k, layer in enumerate(layers(net), 1) if layer.shortcut is not None]
    assert len(joins) == 8
    for number, layer in enumerate(layers(net), 1):
        notes, ints = graph.nodes[f"lif{number}"].metadata["spikeport"], layer.integers()
        assert np.array_equal(notes["weight"], ints.weight.numpy())
        assert (number in joins) == ("past" in notes)
        if ints.past is not None:
            assert np.array_equal(notes["past"], ints.past.numpy())
            kind = "past" if isinstance(layer.shortcut, Shortcut) else "past_conv"
            assert (f"{kind}{number}", f"lif{number}") in graph.edges


def test_a_layer_with_a_shortcut_has_no_place_outside_of_a_block() -> None:
    net, _ = trained("resnet19", (3, 12, 12))
    join = next(m for m in net.modules() if isinstance(m, SpikingLayer) and m.shortcut is not None)
    with pytest.raises(ExportError) as caught:
        to_nir(nn.Sequential(join), torch.zeros(4, 1, 3, 12, 12))
    message = "0 (SpikingLayer): shortcut leads from nowhere; put it into a Residual, which says what goes past it"
    assert str(caught.value) == message
