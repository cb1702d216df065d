"""Network to Program: groups, connections, encoders, and where a sample's state is cleared."""

from typing import Any

import numpy as np
import pytest
import torch

from spikeport.deploy.maps.base import Dense as DenseMap
from spikeport.deploy.maps.base import Identity, LinearMap
from spikeport.deploy.maps.conv import conv
from spikeport.deploy.network import Network, Projection, Readout
from spikeport.deploy.nodes import Input, Node, Output, SumPool2d
from spikeport.deploy.options import Options
from spikeport.deploy.passes.assemble import Assemble
from spikeport.deploy.passes.quantize import Quantize
from spikeport.deploy.passes.schedule import Schedule
from spikeport.deploy.pipeline import compile_graph
from spikeport.errors import DeployError
from spikeport.program import Conv, Dense, Program, Sparse
from spikeport.sim import simulate
from tests.deploy.graphs import branches, chain, cuba, floats, graph, li, lif, linear, population
from tests.deploy.graphs import conv as conv2d

SPIKES, IMAGE = Options(steps=5), Options(input="bias", steps=5, classes=2)


def quantized(before: Network, options: Options = SPIKES) -> Program:
    stage: Any = before
    for step in (Schedule(), Quantize(), Assemble()):
        step.requires(stage, options)
        stage = step.run(stage, options)
        step.ensures(stage, options)
    assert isinstance(stage, Program)
    return stage


def one(map: LinearMap, **values: object) -> Network:
    """`in` through the map into `n`, keep 0.5 and threshold 1 unless told otherwise."""
    p = population("n", map.shape[0], **values)
    return Network((p,), (Projection("in", "n", map),), (("in", (map.shape[1],)),), (Readout("out", "n"),), "00")


def two_layers(options: Options = SPIKES) -> Program:
    kernel = conv(np.linspace(-1, 1, 18).reshape(2, 1, 3, 3) ** 3, (2, 1), (1, 0), (1, 1), 1, (1, 4, 5))
    a = population("n0", 2, 2, 3, bias=floats(0.5, -0.25)[:, None, None])
    b = population("n1", 4, bias=0.125)
    matrix = DenseMap(np.linspace(-1, 1, 4 * 12).reshape(4, 12))
    ends = (Projection("in", "n0", kernel), Projection("n0", "n1", matrix))
    return quantized(Network((a, b), ends, (("in", (1, 4, 5)),), (Readout("out", "n1"),), "00"), options)


def test_every_population_is_a_group() -> None:
    program = two_layers()
    assert [(g.name, g.shape, g.du, g.dv) for g in program.groups] == [
        ("n0", (2, 2, 3), 4095, 2048),
        ("n1", (4,), 4095, 2048),
    ]


def test_a_current_has_its_decay() -> None:
    (group,) = quantized(one(DenseMap(np.eye(2)), keep_u=0.75)).groups
    assert (group.du, group.dv) == (1023, 2048)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_the_reset_is_the_populations(reset: str) -> None:
    assert quantized(one(DenseMap(np.eye(2)), reset=reset)).groups[0].reset == reset


def test_biases_are_the_populations() -> None:
    group = two_layers().groups[0]
    bias = (group.bias_mant.astype(int) << group.bias_exp) * group.v_unit
    assert np.abs(bias[0] - 0.5).max() < 1e-3
    assert np.abs(bias[1] + 0.25).max() < 1e-3


def test_connections_keep_geometry_and_order() -> None:
    first, second = two_layers().connections
    assert isinstance(first, Conv) and isinstance(second, Dense)
    assert (first.source, first.target, first.stride, first.padding) == ("in", "n0", (2, 1), (1, 0))
    assert (second.source, second.target, second.delay) == ("n0", "n1", 0)
    assert first.weight.ravel()[[0, -1]].tolist() == [-254, 254]


def test_an_identity_is_a_synapse_for_each_neuron() -> None:
    (row,) = quantized(one(Identity(3))).connections
    assert isinstance(row, Sparse)
    assert (row.row.tolist(), row.col.tolist()) == ([0, 1, 2], [0, 1, 2])
    image = Network(
        (population("n", 2, 3, 4),),
        (Projection("in", "n", Identity(24)),),
        (("in", (2, 3, 4)),),
        (Readout("out", "n"),),
    )
    (kernel,) = quantized(image).connections
    assert isinstance(kernel, Conv)
    assert (kernel.weight.shape, kernel.groups) == ((2, 1, 1, 1), 2)


def test_state_is_cleared_for_each_layer_when_its_first_input_arrives() -> None:
    program = two_layers()
    assert [(g.reset_interval, g.reset_offset) for g in program.groups] == [(8, 2), (8, 3)]
    assert program.latency == 2


@pytest.mark.parametrize(("steps", "interval"), [(1, 1), (2, 2), (3, 4), (8, 8), (9, 16), (32768, 32768)])
def test_the_reset_interval_is_the_least_power_of_two_that_holds_a_sample(steps: int, interval: int) -> None:
    assert Options(steps=steps).reset_interval == interval


def test_an_image_enters_through_an_encoder() -> None:
    program = two_layers(IMAGE)
    (entry,) = program.inputs
    assert (entry.kind, entry.low, entry.high) == ("bias", 0, 255)
    (encoder,) = program.encoders
    assert (encoder.synapses.source, encoder.synapses.target) == ("in", "n0")
    assert [c.target for c in program.connections] == ["n1"]
    assert program.groups[0].bias_exp == 6
    assert not program.groups[0].bias_mant.any()
    assert (program.latency, program.outputs[0].classes) == (1, 2)


def test_a_kernel_and_its_border_are_one_map_on_the_host() -> None:
    """Sums that overlap, before a padded convolution; the oracle is torch's."""
    rng = np.random.default_rng(0)
    weight = rng.integers(-1, 2, (2, 1, 3, 3)).astype(np.float64)
    nodes: dict[str, Node] = {
        "in": Input((1, 20, 20)),
        "p": SumPool2d((3, 3), (2, 2), (1, 1)),
        "k": conv2d(weight, padding=(1, 1)),
        "a": lif(2, 10, 10, v_threshold=100.0),
        "out": Output(),
    }
    program = compile_graph(graph(nodes), input="bias", steps=5, scale=1.0)
    (encoder,), image = program.encoders, torch.eye(400, dtype=torch.float64).reshape(400, 1, 20, 20)
    sums = torch.nn.functional.avg_pool2d(image, 3, 2, 1, divisor_override=1)
    want = torch.nn.functional.conv2d(sums, torch.from_numpy(weight), padding=1).reshape(400, -1).T.numpy()
    assert isinstance(encoder.synapses, Dense) and not program.connections
    assert np.array_equal(encoder.synapses.weight, 2 * np.rint(want * 127 / np.abs(want).max()))


def test_biases_of_two_synapses_add_up() -> None:
    program = compile_graph(branches())
    group = program.group("c")
    # wc has bias 0.01, the shortcut none; tau of two steps halves it
    assert group.bias_mant * 2.0**group.bias_exp * group.v_unit == pytest.approx(np.full(2, 0.005), rel=0.02)


def test_what_the_user_chose_is_in_the_program() -> None:
    program = quantized(one(DenseMap(np.ones((1, 1)))), Options(dt_s=2e-4, profile="lava"))
    assert (program.dt_s, program.profile, program.chip, program.nir_sha256) == (2e-4, "lava", "loihi2", "00")


def test_an_image_and_spikes_into_one_layer_are_refused() -> None:
    nodes: dict[str, Node] = {"in": Input((2,)), "w": linear(np.eye(2)), "a": lif(2)}
    nodes |= {"v": linear(np.eye(2)), "short": linear(np.eye(2)), "b": lif(2), "out": Output()}
    edges = [("in", "w"), ("w", "a"), ("a", "v"), ("v", "b"), ("in", "short"), ("short", "b"), ("b", "out")]
    with pytest.raises(DeployError) as caught:
        compile_graph(graph(nodes, edges), input="bias")
    assert str(caught.value) == "b: sources besides the image (1) exceed 0; give the image a layer of its own"


@pytest.mark.parametrize("neuron", [cuba(2), lif(2, v_reset=0.5)])
def test_a_first_layer_that_no_image_can_be_loaded_into_is_refused(neuron: Node) -> None:
    """A current would filter the bias; a pulse that moves v to its start takes a step."""
    with pytest.raises(DeployError) as caught:
        compile_graph(chain(2, 2, neuron), input="bias")  # type: ignore[arg-type]
    assert caught.value.where == "n"
    assert caught.value.__notes__ == ["in pass quantize"]


def test_outputs_of_unequal_depth_are_handed_out_together() -> None:
    """The first waits for the second, in neurons that repeat it."""
    nodes: dict[str, Node] = {"in": Input((2,))}
    for name in ("a", "b"):
        nodes |= {f"w{name}": linear(4 * np.eye(2)), name: lif(2), f"out_{name}": Output()}
    edges = [("in", "wa"), ("wa", "a"), ("a", "out_a"), ("a", "wb"), ("wb", "b"), ("b", "out_b")]
    program = compile_graph(graph(nodes, edges))
    assert [(o.name, o.source) for o in program.outputs] == [("out_a", "a_out1"), ("out_b", "b")]
    spikes = np.random.default_rng(0).integers(0, 2, (9, 2, 2))
    result = simulate(program, spikes)
    assert program.latency == 2
    assert np.array_equal(result.outputs["out_a"], spikes) and np.array_equal(result.outputs["out_b"], spikes)


def test_v_of_a_readout_is_the_float_recurrence_up_to_rounding() -> None:
    """v keeps half and adds half of 3 x_0 - x_1; the weights are on a grid, so only the decay's shift rounds."""
    before = graph({"in": Input((2,)), "w": linear([[3.0, -1.0]]), "n": li(1), "out": Output()})
    program = compile_graph(before, steps=20)
    assert program.outputs[0].reads == "v"
    spikes = np.random.default_rng(0).integers(0, 2, (20, 3, 2))
    v, want = np.zeros(3), []
    for x in spikes:
        v = 0.5 * v + 0.5 * (3 * x[:, 0] - x[:, 1])
        want.append(v)
    found = simulate(program, spikes).outputs["out"][..., 0] * program.group("n").v_unit
    assert np.ptp(want) > 2
    np.testing.assert_allclose(found, np.array(want), atol=0.02)
