"""Operations and rates of a forward pass against the count of the compiled Program, and by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from spikeport.program import Sparse
from spikeport.sim import count_operations, simulate
from spikeport.train import (
    ALIF,
    Branch,
    Image,
    MaxPool2d,
    QuantConv2d,
    QuantConvTranspose2d,
    QuantLinear,
    Readout,
    Residual,
    Shortcut,
    SpikingLayer,
)
from spikeport.train.activity import Activity, fan_out
from spikeport.train.models import Source, build_model
from tests.nets import random_net
from tests.pooled_nets import random_pooled_net
from tests.whole_way import compiled, shown


def same_counts(net: nn.Sequential, x: torch.Tensor, folder: Path) -> int:
    """Compares every layer with its neuron group; gives how many were compared in SOPs."""
    program = compiled(net, x, folder)
    counts = count_operations(program, simulate(program, shown(net, x)))
    activity = Activity(net)
    with torch.no_grad(), activity.watch() as seen:
        net(x)
    pools = [layer for layer in counts.layers if not layer.name.startswith("lif")]
    maxima = [name for name, site in activity.sites.items() if isinstance(site, MaxPool2d)]
    assert [int(seen.sops[name].sum()) for name in maxima] == [layer.sops for layer in pools]
    groups = [layer for layer in counts.layers if layer.name.startswith("lif")]
    compared = 0
    for name, group in zip(activity.layers, groups, strict=True):
        assert int(seen.spikes[name].sum()) == group.spikes_out
        assert seen.slots[name] * counts.samples == group.updates
        listed = any(isinstance(c, Sparse) for c in program.connections if c.target == group.name)
        if group.connections and not listed:  # a list leaves out what rounds to 0
            assert int(seen.sops[name].sum()) == group.sops
            compared += 1
    return compared


@pytest.mark.parametrize("seed", range(12))
def test_spikes_and_operations_are_those_of_the_program(seed: int, tmp_path: Path) -> None:
    net, x = random_net(seed)
    same_counts(net, x, tmp_path)


@pytest.mark.parametrize("seed", range(12))
def test_behind_pools_the_folded_kernel_counts(seed: int, tmp_path: Path) -> None:
    net, x = random_pooled_net(seed, maxima=seed % 2 == 0)
    same_counts(net, x, tmp_path)


def test_the_random_networks_compare_many_layers(tmp_path: Path) -> None:
    pooled = [random_pooled_net(seed, maxima=False) for seed in range(6)]
    assert sum(same_counts(net, x, tmp_path) for net, x in pooled) >= 6


def layer(synapse: QuantConv2d | QuantConvTranspose2d | QuantLinear) -> SpikingLayer:
    return SpikingLayer(synapse, ALIF())


def test_a_spike_at_a_border_reaches_fewer_neurons() -> None:
    """3x3 with padding: 4, 6 or 9 places, in each of 2 channels."""
    found = fan_out(Branch(QuantConv2d(1, 2, 3, padding=1)), (1, 3, 4))
    assert found.tolist() == [[[8, 12, 12, 8], [12, 18, 18, 12], [8, 12, 12, 8]]]


@pytest.mark.parametrize(
    ("synapse", "shape"),
    [
        (QuantConv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0), groups=2), (2, 7, 5)),
        (QuantConv2d(1, 3, 3, dilation=2, padding=2), (1, 6, 6)),
        (QuantConv2d(1, 1, (4, 3), padding="same"), (1, 6, 6)),
        (QuantConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1, groups=2), (2, 4, 3)),
        (QuantLinear(6, 5), (6,)),
    ],
)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_fan_outs_are_the_columns_of_the_matrix(synapse: QuantConv2d, shape: tuple[int, ...]) -> None:
    """Weights of ones, one place at a time: as many outputs answer as there are synapses."""
    places = torch.eye(int(np.prod(shape))).reshape(-1, *shape)
    answers = synapse.apply_weight(places, torch.ones_like(synapse.weight), None)
    assert torch.equal(fan_out(Branch(synapse), shape).flatten(), (answers > 0.5).flatten(1).sum(1))


@pytest.mark.parametrize(
    "pool", [nn.AvgPool2d(2), nn.AvgPool2d(3, 2, 1), nn.AvgPool2d((2, 3), (1, 2)), nn.AvgPool2d(3, 1)]
)
def test_two_ways_through_a_pool_are_one_synapse(pool: nn.AvgPool2d) -> None:
    synapse, shape = QuantConv2d(1, 2, 3, padding=1), (1, 7, 8)
    places = torch.eye(56).reshape(-1, *shape)
    answers = synapse.apply_weight(pool(places), torch.ones_like(synapse.weight), None)
    assert torch.equal(fan_out(Branch(synapse, pool=pool), shape).flatten(), (answers > 1e-6).flatten(1).sum(1))


def test_operations_have_the_gradient_of_the_fan_out() -> None:
    x = torch.randint(0, 2, (3, 2, 1, 4, 4)).float().requires_grad_()
    net = layer(QuantConv2d(1, 2, 3, padding=1))
    with Activity(net).watch() as seen:
        net(x)
    seen.total_sops().sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad[2, 1], fan_out(net.main, (1, 4, 4)).float())


@pytest.mark.parametrize(
    "pool", [MaxPool2d(2), MaxPool2d(3, 2, 1), MaxPool2d(2, ceil_mode=True), MaxPool2d((3, 2), 1, dilation=(2, 1))]
)
def test_a_pool_of_spikes_has_a_synapse_for_each_window_of_a_place(pool: MaxPool2d) -> None:
    answers = pool(torch.eye(35).reshape(1, 35, 1, 7, 5))[0]
    assert torch.equal(fan_out(pool, (1, 7, 5)).flatten(), (answers > 0).flatten(1).sum(1))


def test_a_way_past_a_block_and_a_readout_are_counted_by_hand() -> None:
    """Two synapses for each spike of a 1x1 convolution, one past the block, three into the readout."""
    join = SpikingLayer(QuantConv2d(2, 2, 1), ALIF(), shortcut=Shortcut())
    net = nn.Sequential(Residual(nn.Sequential(layer(QuantConv2d(2, 2, 1))), join), Readout(QuantLinear(2, 3)))
    x = torch.zeros(2, 1, 2, 2, 2)
    x[0, 0, 0] = 1
    with torch.no_grad(), Activity(net).watch() as seen:
        net(x)
    inner, last = (int(seen.spikes[name]) for name in ("0.body.0", "0.join"))
    assert {name: int(sops) for name, sops in seen.sops.items()} == {
        "0.body.0": 4 * 2,
        "0.join": inner * 2 + 4,
        "1": last * 3,
    }


def test_an_image_layer_has_spikes_and_no_operations() -> None:
    net = nn.Sequential(SpikingLayer(QuantConv2d(1, 2, 3), ALIF(), image=Image(5)), MaxPool2d(2))
    with Activity(net).watch() as seen:
        spikes = net[0](torch.randint(0, 256, (3, 1, 6, 6)))
    assert seen.slots == {"0": 5 * 2 * 4 * 4}  # the pool did not run
    assert seen.spikes["0"].tolist() == spikes.sum((0, 2, 3, 4)).tolist()
    assert seen.sops == {} and float(seen.total_sops()) == 0


def test_a_layer_that_runs_twice_adds_up() -> None:
    x = torch.ones(3, 2, 4)
    net = layer(QuantLinear(4, 4))
    with Activity(net).watch() as seen:
        net(x)
        net(x)
    assert (seen.slots[""], seen.sops[""].tolist()) == (2 * 12, [2 * 48.0] * 2)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet20", {"steps": 3, "width": 4, "threshold": 0.02}),
        ("alif_net", {"steps": 3, "channels": 4, "hidden": 16, "votes": 2, "threshold": 0.02}),
        ("alif_net", {"steps": 3, "channels": 4, "hidden": 16, "votes": 2, "threshold": 0.02, "pool": "average"}),
    ],
)
def test_a_papers_network_costs_what_its_program_does(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = build_model(name, Source((2, 16, 16)), 3, **options).eval()
    x = torch.randint(0, 256, (2, 2, 16, 16))
    activity = Activity(net)
    with torch.no_grad(), activity.watch() as seen:
        net(x)
    program = compiled(net, x, tmp_path)
    counts = count_operations(program, simulate(program, shown(net, x)))
    groups = [layer.sops for layer in counts.layers if layer.connections]
    assert [int(seen.sops[name].sum()) for name in activity.sites if name in seen.sops] == groups
    assert all(groups)
