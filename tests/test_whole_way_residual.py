"""What you train is what runs, with residual blocks and readouts: random networks, and Lava itself."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from spikeport.deploy.lava import run_lava
from spikeport.deploy.lava_env import LavaEnv
from spikeport.errors import ExportError
from spikeport.export import to_nir
from spikeport.sim import simulate
from spikeport.sim.compare import compare
from spikeport.train import LIF, Branch, QuantConv2d, QuantLinear, Readout, Residual, Shortcut, SpikingLayer
from spikeport.train.models import Source, build_model
from tests.lava import lava_or_skip
from tests.residual_nets import random_residual_net
from tests.whole_way import assert_same_integers, assert_same_spikes, compiled, layer_spikes, layers, shown

SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_torch_and_the_simulator_spike_alike(seed: int, tmp_path: Path) -> None:
    net, x = random_residual_net(seed)
    program = compiled(net, x, tmp_path)
    assert_same_spikes(net, x, program)
    assert_same_integers(net, program)


def test_the_random_networks_are_worth_comparing() -> None:
    """Most layers spike, and most neither always nor never; every way past a block and every exponent's sign occurs."""
    rates, kinds = [], set()
    for seed in SEEDS:
        net, x = random_residual_net(seed)
        rates += [s.mean() for s in layer_spikes(net, x)]
        kinds |= {type(m) for m in net} | {f"body of {len(m.body)}" for m in net if isinstance(m, Residual)}
        for layer in layers(net):
            kinds.add(layer.neuron.dynamics.reset)
            if layer.shortcut is not None:
                kinds.add((type(layer.shortcut), layer.shortcut.pool is not None))
                ints = layer.integers()
                assert ints.past is not None
                heaviest = int(ints.weight.abs().max()), int(ints.past.abs().max())
                kinds |= {
                    f"{what} has an exponent" for what, w in zip(("main", "past"), heaviest, strict=True) if w > 254
                }
    assert sum(0.02 < rate < 0.98 for rate in rates) > len(rates) / 2
    ways = {(kind, pooled) for kind in (Branch, Shortcut) for pooled in (True, False)}
    bodies = {f"body of {depth}" for depth in (1, 2, 3)}
    exponents = {"main has an exponent", "past has an exponent"}
    assert ways | bodies | exponents | {Residual, Readout, nn.Flatten, "zero", "subtract"} <= kinds


# ---------------------------------------------------------------- by hand


def one(weight: float, threshold: float, shortcut: Shortcut | Branch | None = None) -> SpikingLayer:
    layer = SpikingLayer(QuantConv2d(1, 1, 1, bias=False), LIF(0.0, threshold), shortcut=shortcut)
    layer.synapse.weight.data.fill_(weight)
    return layer


def test_what_goes_past_arrives_with_what_went_through(tmp_path: Path) -> None:
    """Both are needed at the same step: spikes at t that the body lets through, and the same spikes."""
    body = nn.Sequential(one(1.0, 0.5), one(1.0, 0.5), one(1.0, 0.5))
    net = nn.Sequential(Residual(body, one(1.0, 1.5, Shortcut()))).eval()
    x = (torch.rand(20, 2, 1, 2, 2, generator=torch.Generator().manual_seed(0)) < 0.5).long()
    program = compiled(net, x, tmp_path)
    assert torch.equal(net(x), x.float())
    assert_same_spikes(net, x, program)
    assert {c.delay for c in program.connections} == {0, 3}


@pytest.mark.parametrize("places", [False, True])
def test_a_readouts_output_is_its_v_with_one_neuron_for_each_class_and_place(places: bool, tmp_path: Path) -> None:
    net = nn.Sequential(
        one(1.0, 0.5), *([] if places else [nn.Flatten(2)]), Readout(QuantLinear(1 if places else 4, 3))
    )
    x = (torch.rand(5, 2, 1, 2, 2) < 0.5).long()
    program = compiled(net.eval(), x, tmp_path)
    assert program.outputs[0].reads == "v"
    assert program.lifs[-1].shape == ((3, 2, 2) if places else (3,))
    assert_same_spikes(net, x, program)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (
            nn.Sequential(Residual(nn.Sequential(one(1.0, 0.5)), one(1.0, 0.5, Shortcut(nn.AvgPool2d(2))))),
            "0 (shortcut): shape ((1, 2, 2)) is not that of the layer, (1, 4, 4)",
        ),
        (
            nn.Sequential(one(1.0, 0.5), Readout(QuantLinear(2, 2))),
            "1 (Readout): input shape ((1, 4, 4)) is not (2,) or (2, h, w)",
        ),
        (
            nn.Sequential(one(1.0, 0.5), Readout(QuantLinear(1, 2)), Readout(QuantLinear(2, 2))),
            "2 (Readout): stands after Vote, Readout or Integrator; these end the network",
        ),
        (
            nn.Sequential(Residual(nn.Sequential(nn.Identity()), one(1.0, 0.5, Shortcut()))),
            "0 (Residual): body has no neurons; leave the shortcut out",
        ),
        (
            nn.Sequential(Residual(nn.Sequential(nn.ReLU()), one(1.0, 0.5, Shortcut()))),
            "0 (body.0): type (ReLU) has no NIR form; build the network from SpikingLayer, Residual, MaxPool2d, "
            "nn.Flatten(2), Vote, Readout, Integrator and nn.Sequential",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_its_path(net: nn.Sequential, message: str) -> None:
    with pytest.raises(ExportError) as caught:
        to_nir(net.eval(), torch.zeros(2, 1, 1, 4, 4))
    assert str(caught.value) == message


# ---------------------------------------------------------------- Lava


@pytest.fixture(scope="module")
def env() -> LavaEnv:
    return lava_or_skip()


def test_a_residual_network_is_lavas_too(env: LavaEnv, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = build_model("resnet20", Source((1, 16, 16)), 3, width=2, steps=3).eval()
    for norm in (m for m in net.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.normal_(norm.bias, 0.6, 0.3)
    x = torch.randint(0, 256, (1, 1, 16, 16))
    program = compiled(net, x, tmp_path)
    inputs = {program.inputs[0].name: np.ascontiguousarray(shown(net, x))}
    run = run_lava(program, inputs, env=env)
    names = [group.name for group in program.groups]
    compared = compare(simulate(program, inputs, record=names, profile="lava").traces, run.traces)
    assert compared.equal, compared.first
    assert assert_same_spikes(net, x, program) > 0
