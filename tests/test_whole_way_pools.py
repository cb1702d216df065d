"""What you train is what runs, with pools: maxima of spikes are neurons, means are folded into the next synapse."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from spikeport.deploy import compile_graph
from spikeport.errors import InputError
from spikeport.export import to_nir
from spikeport.program import Conv, Sparse
from spikeport.train import ALIF, DALIF, MaxPool2d, QuantConv2d, QuantLinear, SpikingLayer
from tests.pooled_nets import random_pooled_net
from tests.whole_way import assert_same_integers, assert_same_spikes, compiled, layer_spikes, layers

SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_torch_and_the_simulator_spike_alike(seed: int, tmp_path: Path) -> None:
    net, x = random_pooled_net(seed)
    program = compiled(net, x, tmp_path)
    assert_same_spikes(net, x, program)
    assert_same_integers(net, program)


def test_the_random_networks_are_worth_comparing() -> None:
    """Most layers spike, and most neither always nor never; kernels, lists and every kind of pool occur."""
    rates, kinds = [], set()
    for seed in SEEDS:
        net, x = random_pooled_net(seed)
        rates += [s.mean() for s in layer_spikes(net, x)]
        kinds |= {type(module) for module in net}
        kinds |= {f"pool, {type(layer.synapse).__name__}" for layer in layers(net) if layer.main.pool is not None}
        kinds |= {f"sum {layer.main.pool.divisor_override}" for layer in layers(net) if layer.main.pool is not None}
        kinds |= {type(c) for c in compile_graph(to_nir(net, x)).connections}
    assert sum(0.02 < rate < 0.98 for rate in rates) > len(rates) / 2
    assert {MaxPool2d, Conv, Sparse, "pool, QuantConv2d", "pool, QuantLinear", "sum 1", "sum None"} <= kinds


# ---------------------------------------------------------------- by hand


def net_of(*modules: nn.Module) -> nn.Sequential:
    return nn.Sequential(*modules).eval()


def conv(weight: float, pool: nn.AvgPool2d | None = None, threshold: float = 1.0) -> SpikingLayer:
    layer = SpikingLayer(QuantConv2d(1, 1, 1, bias=False), ALIF(0.5, threshold), pool=pool)
    layer.synapse.weight.data.fill_(weight)
    return layer


def test_a_maximum_is_one_where_any_spike_of_the_window_is(tmp_path: Path) -> None:
    net = net_of(MaxPool2d(2), conv(2.0))
    x = torch.zeros(1, 1, 1, 4, 4, dtype=torch.int64)
    x[0, 0, 0, 0, 1] = x[0, 0, 0, 3, 3] = x[0, 0, 0, 2, 2] = 1
    program = compiled(net, x, tmp_path)
    assert program.latency == 2
    assert net(x).tolist() == [[[[[1, 0], [0, 1]]]]]
    assert_same_spikes(net, x, program)


@pytest.mark.parametrize(("needed", "threshold"), [(1, 0.24), (2, 0.26), (3, 0.51), (4, 0.76)])
def test_a_mean_needs_its_part_of_the_window(needed: int, threshold: float, tmp_path: Path) -> None:
    """Weight 1 behind means of four: k spikes bring k / 4."""
    net = net_of(conv(1.0, nn.AvgPool2d(2), threshold))
    x = torch.zeros(1, 5, 1, 2, 2, dtype=torch.int64)
    for sample in range(5):
        x[0, sample].view(-1)[:sample] = 1
    assert net(x).flatten().tolist() == [float(sample >= needed) for sample in range(5)]
    program = compiled(net, x, tmp_path)
    assert_same_spikes(net, x, program)
    assert [c.weight.tolist() for c in program.connections] == [[[[[254] * 2] * 2]]]  # the one mantissa, four times


def test_a_mean_is_trained_on_the_values_that_run() -> None:
    """Training's forward gives eval's spikes where the batch's statistics are the running ones."""
    torch.manual_seed(0)
    layer = SpikingLayer(QuantConv2d(2, 3, 3), DALIF(0.3), pool=nn.AvgPool2d(3, 2, 1))
    x = (torch.rand(12, 4, 2, 8, 8) < 0.5).float()
    assert torch.equal(layer.train()(x), layer.eval()(x))
    assert layer(x).mean() > 0.02
    layer.train()(x).sum().backward()
    assert layer.synapse.weight.grad is not None and bool(layer.synapse.weight.grad.any())


def test_overlapping_windows_leave_fewer_levels(tmp_path: Path) -> None:
    """3x3 windows every 2 places: a spike is in up to 4 of them, so |k| <= 31 and no sum exceeds 8 bits."""
    torch.manual_seed(0)
    layer = SpikingLayer(QuantLinear(4, 5), ALIF(0.5, 0.2), pool=nn.AvgPool2d(3, 2))
    x = (torch.rand(9, 3, 1, 5, 5) < 0.6).long()
    net = net_of(layer)
    assert layer.integers().weight.abs().max() == 2 * 31
    assert assert_same_spikes(net, x, compiled(net, x, tmp_path)) > 0


def test_gradients_pass_a_maximum() -> None:
    x = torch.rand(2, 3, 1, 4, 4, requires_grad=True)
    MaxPool2d(2)(x).sum().backward()
    assert x.grad is not None and x.grad.sum() == 2 * 3 * 4


def test_a_layer_without_pools_has_the_integers_that_it_had(tmp_path: Path) -> None:
    """A window of one place is no pool."""
    torch.manual_seed(0)
    layer = SpikingLayer(QuantConv2d(1, 2, 3), ALIF())
    x = (torch.rand(5, 2, 1, 6, 6) < 0.5).long()
    plain = net_of(layer)
    program = compiled(plain, x, tmp_path)
    layer.main.pool = nn.AvgPool2d(1)
    assert_same_integers(plain, program)
    assert_same_spikes(plain, x, program)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"ceil_mode": True}, "ceil_mode"),
        ({"padding": 1, "count_include_pad": False}, "count_include_pad"),
        ({"divisor_override": 3}, "divisor_override"),
    ],
)
def test_means_that_no_kernel_is_are_refused(options: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError) as caught:
        SpikingLayer(QuantConv2d(1, 1, 1), ALIF(), pool=nn.AvgPool2d(2, **options))
    assert (caught.value.where, caught.value.what) == ("AvgPool2d", what)
