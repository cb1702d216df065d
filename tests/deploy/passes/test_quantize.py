"""Network to Program: groups, connections, encoders, and where a sample's state is cleared."""

import numpy as np
import pytest

from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.nodes import Conv2d, Input, Linear, Node, Output
from spikeport.deploy.options import Options
from spikeport.deploy.passes.quantize import Quantize
from spikeport.deploy.passes.schedule import Schedule
from spikeport.deploy.pipeline import compile_graph
from spikeport.errors import DeployError
from spikeport.program import Conv, Dense, Program
from tests.deploy.graphs import branches, chain, conv, graph, lif, linear

SPIKES, IMAGE = Options(steps=5), Options(input="bias", steps=5, classes=2)


def network(*layers: tuple[Linear | Conv2d, tuple[int, ...]], shape: tuple[int, ...]) -> Network:
    """Layers in a row, keep 0.5 and threshold 1."""
    populations = tuple(Population(f"n{i}", out, 0.5, 1.0) for i, (_, out) in enumerate(layers))
    projections = tuple(
        Projection("in" if i == 0 else f"n{i - 1}", f"n{i}", synapse) for i, (synapse, _) in enumerate(layers)
    )
    return Network(populations, projections, (("in", shape),), (("out", populations[-1].name),), "00")


def quantized(before: Network, options: Options = SPIKES) -> Program:
    step, ready = Quantize(), Schedule().run(before, options)
    step.requires(ready, options)
    after = step.run(ready, options)
    step.ensures(after, options)
    return after


def two_layers(options: Options = SPIKES) -> Program:
    kernel = conv(np.linspace(-1, 1, 18).reshape(2, 1, 3, 3), [0.5, -0.25], stride=(2, 1), padding=(1, 0))
    matrix = linear(np.linspace(-1, 1, 4 * 12).reshape(4, 12), 0.125)
    return quantized(network((kernel, (2, 2, 3)), (matrix, (4,)), shape=(1, 4, 5)), options)


def test_every_population_is_a_group_without_current_memory() -> None:
    program = two_layers()
    assert [(g.name, g.shape, g.du, g.dv) for g in program.groups] == [
        ("n0", (2, 2, 3), 4095, 2048),
        ("n1", (4,), 4095, 2048),
    ]


def test_a_bias_is_spread_over_its_channel() -> None:
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


def test_biases_of_two_synapses_add_up() -> None:
    program = compile_graph(branches())
    group = program.group("c")
    # wc has bias 0.01, the shortcut none; tau of two steps halves it
    assert group.bias_mant * 2.0**group.bias_exp * group.v_unit == pytest.approx(np.full(2, 0.005), rel=0.02)


def test_what_the_user_chose_is_in_the_program() -> None:
    program = quantized(network((linear([[1.0]]), (1,)), shape=(1,)), Options(dt_s=2e-4, profile="lava"))
    assert (program.dt_s, program.profile, program.chip, program.nir_sha256) == (2e-4, "lava", "loihi2", "00")


def test_an_image_and_spikes_into_one_layer_are_refused() -> None:
    nodes: dict[str, Node] = {"in": Input((2,)), "w": linear(np.eye(2)), "a": lif(2)}
    nodes |= {"v": linear(np.eye(2)), "short": linear(np.eye(2)), "b": lif(2), "out": Output()}
    edges = [("in", "w"), ("w", "a"), ("a", "v"), ("v", "b"), ("in", "short"), ("short", "b"), ("b", "out")]
    with pytest.raises(DeployError) as caught:
        compile_graph(graph(nodes, edges), input="bias")
    assert str(caught.value) == "b: sources besides the image (1) exceed 0; give the image a layer of its own"


def test_outputs_of_unequal_depth_are_refused() -> None:
    nodes = {**chain(2, 2).nodes, "v": linear(np.eye(2)), "b": lif(2), "end": Output()}
    edges = [("in", "w"), ("w", "n"), ("n", "out"), ("n", "v"), ("v", "b"), ("b", "end")]
    with pytest.raises(DeployError) as caught:
        compile_graph(graph(nodes, edges))
    assert str(caught.value) == "output: depths ([1, 2]) differ; compile each output by itself"
