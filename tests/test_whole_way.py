"""What you train is what runs: torch in eval mode, the NIR file, the Program and the simulator agree bit for bit.

Random networks, `tests.nets`: ALIF and DA-LIF, images and spikes, all kinds of layers, with and without batch norm.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch
from torch import nn

from spikeport.deploy import compile_graph
from spikeport.errors import ExportError, OverflowDetected
from spikeport.export import to_nir, write_nir
from spikeport.program import identical
from spikeport.sim import simulate
from spikeport.train import ALIF, DALIF, Image, QuantConv2d, QuantLinear, SpikingLayer
from tests.nets import random_net
from tests.whole_way import (
    assert_same_integers,
    assert_same_spikes,
    compiled,
    layer_spikes,
    layers,
    shown,
)

SEEDS = range(60)
EDGE_SEEDS = range(1000, 1060)


def stripped(path: Path) -> tuple[nir.NIRGraph, dict[str, Any]]:
    """The file's graph without any metadata, and the options that its notes carried."""
    graph = nir.read(path, type_check=False)
    notes = {name: getattr(value, "item", lambda v=value: v)() for name, value in graph.metadata["spikeport"].items()}
    graph.metadata = {}
    for node in graph.nodes.values():
        node.metadata = {}
    return graph, notes


# ---------------------------------------------------------------- random networks


@pytest.mark.parametrize("seed", SEEDS)
def test_torch_and_the_simulator_spike_alike(seed: int, tmp_path: Path) -> None:
    net, x = random_net(seed)
    program = compiled(net, x, tmp_path)
    assert_same_spikes(net, x, program)
    assert_same_integers(net, program)


@pytest.mark.parametrize("seed", EDGE_SEEDS)
def test_they_do_at_the_edges_of_every_range_or_refuse_alike(seed: int, tmp_path: Path) -> None:
    """Weights from 1e-9 to 1e6, biases far beyond them, dead channels, no weights, decays of 0 and 1."""
    net, x = random_net(seed, edges=True)
    try:
        layer_spikes(net, x)
    except ExportError as error:
        assert error.what == "bias in units of the least weight"
        with pytest.raises(ExportError, match="bias in units of the least weight"):
            to_nir(net, x)
        return
    except OverflowDetected:
        with pytest.raises(OverflowDetected):
            simulate(compiled(net, x, tmp_path), shown(net, x))
        return
    program = compiled(net, x, tmp_path)
    assert_same_spikes(net, x, program)
    assert_same_integers(net, program)


def test_the_random_networks_are_worth_comparing() -> None:
    """Most spike, and most neither always nor never; every kind of input, neuron and layer occurs."""
    rates, kinds = [], set()
    for seed in SEEDS:
        net, x = random_net(seed)
        rates += [s.mean() for s in layer_spikes(net, x)]
        for layer in layers(net):
            synapse = layer.synapse
            kinds |= {type(layer.neuron), type(synapse), type(layer.main.norm), layer.image is None}
            if isinstance(synapse, QuantConv2d):
                kinds |= {f"groups {synapse.groups > 1}", f"stride {max(synapse.stride) > 1}"}
                kinds |= {f"dilation {max(synapse.dilation) > 1}", f"square {len(set(synapse.kernel_size)) == 1}"}
    assert sum(0.02 < rate < 0.98 for rate in rates) > len(rates) / 2
    assert {ALIF, DALIF, QuantConv2d, QuantLinear, nn.BatchNorm1d, nn.BatchNorm2d, type(None), True, False} <= kinds
    assert {
        f"{what} {is_so}" for what in ("groups", "stride", "dilation", "square") for is_so in (True, False)
    } <= kinds


# ---------------------------------------------------------------- metadata is a convenience


@pytest.mark.parametrize("seed", [*SEEDS[:20], *EDGE_SEEDS[:20]])
def test_the_program_follows_from_the_numbers_alone(seed: int, tmp_path: Path) -> None:
    """Without metadata, and with the options that it carried given by hand, not a field differs."""
    net, x = random_net(seed, edges=seed in EDGE_SEEDS)
    try:
        write_nir(to_nir(net, x), tmp_path / "net.nir")
    except ExportError:
        return
    graph, notes = stripped(tmp_path / "net.nir")
    expected = compile_graph(tmp_path / "net.nir")
    assert identical(compile_graph(graph, **notes), replace(expected, nir_sha256=""))


@pytest.mark.parametrize("seed", SEEDS[:10])
def test_the_program_survives_another_frameworks_precision(seed: int, tmp_path: Path) -> None:
    """Weights once more rounded to float32 after a scaling and back, as a converter would."""
    net, x = random_net(seed)
    graph = to_nir(net, x)
    expected = compile_graph(graph)
    for node in graph.nodes.values():
        for name in ("weight", "bias"):
            if hasattr(node, name):
                setattr(node, name, np.float32(np.float32(getattr(node, name) * 3) / 3))
    assert identical(compile_graph(graph), expected)


# ---------------------------------------------------------------- single cases


def single(weight: list[list[float]], neuron: ALIF | DALIF, image: Image | None = None) -> nn.Sequential:
    synapse = QuantLinear(len(weight[0]), len(weight), bias=False)
    synapse.weight.data = torch.tensor(weight)
    return nn.Sequential(SpikingLayer(synapse, neuron, image=image)).eval()


def full_leak(value: float) -> DALIF:
    neuron = DALIF(threshold=1e9)
    neuron.alpha.raw.data.fill_(20.0)
    neuron.beta.raw.data.fill_(value)
    return neuron


@pytest.mark.parametrize("beta_raw", [0.0, 1e-5, 20.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_overflow_is_an_error_in_both(beta_raw: float, sign: float, tmp_path: Path) -> None:
    """u leaves 24 bits at 517 spikes of the largest weight, v within a few steps at half of that."""
    net = single([[sign] * 600], full_leak(beta_raw))
    program = compiled(net, torch.zeros(1, 1, 600), tmp_path)
    for n, steps in ((517, 1), (300, 4)):
        x = torch.zeros(steps, 1, 600, dtype=torch.int64)
        x[:, :, :n] = 1
        fits = n < 517 and beta_raw < 1
        if fits:
            assert_same_spikes(net, x, program)
            continue
        with pytest.raises(OverflowDetected):
            net(x)
        with pytest.raises(OverflowDetected):
            simulate(program, x.numpy())


@pytest.mark.parametrize("dv", [1, 2, 4095])
def test_the_extremes_of_the_decay(dv: int, tmp_path: Path) -> None:
    neuron = DALIF(threshold=0.2)
    neuron.beta.raw.data.fill_(float(np.arctanh(min(1 - dv / 4096, 1 - 1e-7))))
    net = single([[0.3, -0.2, 0.011]], neuron)
    x = (torch.rand(50, 3, 3, generator=torch.Generator().manual_seed(0)) < 0.7).long()
    program = compiled(net, x, tmp_path)
    assert program.groups[0].dv == dv
    assert assert_same_spikes(net, x, program) > 0


def test_a_sum_that_meets_the_threshold_exactly_is_no_spike_in_either(tmp_path: Path) -> None:
    neuron = ALIF(tau=0.3, threshold=2.0)
    net = single([[1.0, 1.0, 1.0]], neuron)
    x = torch.tril(torch.ones(3, 3, dtype=torch.int64))[None]
    program = compiled(net, x, tmp_path)
    assert program.groups[0].vth == 2 * 254
    assert_same_spikes(net, x, program)
    assert net(x)[0, :, 0].tolist() == [0, 0, 1]


@pytest.mark.parametrize("image", [None, Image(6)], ids=["spikes", "image"])
@pytest.mark.parametrize("bias", [0.0, 0.4, -1.0])
def test_a_layer_without_any_weight_runs_on_its_bias(bias: float, image: Image | None, tmp_path: Path) -> None:
    net = single([[0.0, 0.0]] * 3, ALIF(tau=0.5, threshold=0.5), image)
    net[0].synapse.bias = nn.Parameter(torch.tensor([bias, 2 * bias, bias / 3]))
    x = torch.zeros(2, 2, dtype=torch.int64) if image else torch.zeros(6, 2, 2, dtype=torch.int64)
    program = compiled(net, x, tmp_path)
    assert_same_integers(net, program)
    assert (assert_same_spikes(net, x, program) > 0) == (bias > 0)


@pytest.mark.parametrize("exponent", range(-30, 31, 5))
def test_weights_of_any_size(exponent: int, tmp_path: Path) -> None:
    """A neuron's scale does not matter to the chip, only its threshold beside it."""
    scale = 10.0**exponent
    net = single([[1.0 * scale, -0.5 * scale]] * 2, ALIF(tau=0.5, threshold=1.4, constrained=False))
    net[0].neuron.vth.raw.data.fill_(1.4 * scale)
    x = (torch.rand(30, 2, 2, generator=torch.Generator().manual_seed(0)) < 0.7).long()
    program = compiled(net, x, tmp_path)
    assert program.groups[0].vth == round(1.4 * 254)
    assert assert_same_spikes(net, x, program) > 0


def test_a_large_offset_survives_the_file(tmp_path: Path) -> None:
    """20 significant bits of a bias a million times the least weight: float32 alone would lose the last."""
    for seed in range(20):
        torch.manual_seed(seed)
        layer = SpikingLayer(QuantLinear(3, 4), ALIF(tau=0.9), image=Image(5))
        layer.synapse.weight.data.normal_(0, 1e-3)
        layer.synapse.bias.data.normal_(0, 10.0 ** (seed % 4 - 3))
        net = nn.Sequential(layer).eval()
        x = torch.randint(0, 256, (64, 3))
        program = compiled(net, x, tmp_path)
        assert_same_integers(net, program)
        assert_same_spikes(net, x, program)


def test_a_deep_network_keeps_its_time(tmp_path: Path) -> None:
    """Ten layers with biases: each starts when its first input arrives, not before."""
    torch.manual_seed(1)
    stack = [SpikingLayer(QuantLinear(8, 8), DALIF(threshold=0.3), nn.BatchNorm1d(8)) for _ in range(10)]
    net = nn.Sequential(*stack).eval()
    for layer in stack:
        nn.init.normal_(layer.main.norm.bias, 0.2, 0.3)
    x = (torch.rand(12, 4, 8) < 0.5).long()
    program = compiled(net, x, tmp_path)
    assert program.latency == 10
    assert assert_same_spikes(net, x, program) > 0
