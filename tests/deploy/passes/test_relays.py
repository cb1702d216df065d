"""Delays beyond a chip's axons and outputs that come early get neurons that repeat spikes."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.chip import LOIHI2
from spikeport.deploy.graph import Graph
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.network import Network
from spikeport.deploy.nodes import Input, Node, Output
from spikeport.deploy.options import Options
from spikeport.errors import DeployError
from tests.deploy.graphs import DT_S, delay, graph, li, lif, linear
from tests.deploy.hardware import run_on_hardware
from tests.deploy.passes.stages import network_of


def relayed(before: Graph, max_delay: int = 62) -> Network:
    chip = replace(LOIHI2, max_delay=max_delay)
    return network_of(before, Options(chip=chip, dt_s=DT_S, steps=200))


def edges(network: Network) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for q in network.projections:
        found.setdefault(f"{q.source} {q.target}", []).append(q.delay)
    return found


def starts(network: Network) -> dict[str, int]:
    return {p.name: p.start for p in network.populations}


def late(*steps: int) -> Graph:
    """One neuron that hears the input so late, once for each; the weights tell the paths apart."""
    nodes: dict[str, Node] = {"in": Input((1,))}
    pairs = []
    for k, n in enumerate(steps):
        nodes |= {f"w{k}": linear([[1.0 + k]]), f"d{k}": delay(n)}
        pairs += [("in", f"w{k}"), (f"w{k}", f"d{k}"), (f"d{k}", "n")]
    return graph({**nodes, "n": lif(1, tau=DT_S, v_threshold=0.5), "out": Output()}, [*pairs, ("n", "out")])


def test_what_a_chip_delays_itself_needs_no_relay() -> None:
    network = relayed(late(0, 62))
    assert edges(network) == {"in n": [0, 62]}
    assert network.remarks == (
        "in: feedback or delays carry spikes from one step to the next: samples that follow each other at once "
        "are not apart",
    )


@pytest.mark.parametrize(
    ("steps", "max_delay", "want"),
    [
        (63, 62, {"in in.relay1": [62], "in.relay1 n": [0]}),
        (126, 62, {"in in.relay1": [62], "in.relay1 in.relay2": [62], "in.relay2 n": [0]}),
        (125, 62, {"in in.relay1": [62], "in.relay1 n": [62]}),
        (2, 1, {"in in.relay1": [1], "in.relay1 n": [0]}),
        (3, 1, {"in in.relay1": [1], "in.relay1 n": [1]}),
        (2, 0, {"in in.relay1": [0], "in.relay1 in.relay2": [0], "in.relay2 n": [0]}),
    ],
)
def test_a_repeater_takes_a_step_and_its_delay(steps: int, max_delay: int, want: dict[str, list[int]]) -> None:
    network = relayed(late(0, steps), max_delay)
    assert edges(network) == {"in n": [0]} | want
    assert sum(delay + 1 for (delay,) in want.values()) == steps + 1
    assert {p.size for p in network.populations} == {1}


def test_relays_of_one_source_are_shared() -> None:
    network = relayed(late(1, 3, 3, 0), max_delay=1)
    hops = [(q.source, q.target, q.delay) for q in network.projections]
    assert hops.count(("in", "in.relay1", 1)) == 1
    assert len(network.populations) == 2
    assert network.remarks[-1] == "1 relays of 1 neurons repeat spikes for balance"


@pytest.mark.parametrize("max_delay", [0, 1, 62])
def test_late_spikes_come_at_their_step(max_delay: int) -> None:
    """The neuron fires wherever a spike of 0, 2 or 65 steps ago arrives."""
    network = relayed(late(0, 2, 65), max_delay)
    x = (np.random.default_rng(0).random((90, 2, 1)) < 0.05).astype(float)
    want = np.zeros(x.shape)
    for steps in (0, 2, 65):
        want[steps:] = np.maximum(want[steps:], x[: 90 - steps])
    assert 0 < want.mean() < 0.5
    assert np.array_equal(run_on_hardware(network, {"in": x})["out"], want)


def early_and_late() -> Graph:
    """Outputs behind one, two and three layers; the first feeds the second."""
    nodes: dict[str, Node] = {"in": Input((2,))}
    pairs = []
    before = "in"
    for k in "abc":
        nodes |= {f"w{k}": linear(np.eye(2)), k: lif(2, tau=DT_S, v_threshold=0.5), f"out_{k}": Output()}
        pairs += [(before, f"w{k}"), (f"w{k}", k), (k, f"out_{k}")]
        before = k
    return graph(nodes, pairs)


def test_outputs_of_unequal_depth_are_handed_out_together() -> None:
    network = relayed(early_and_late())
    assert [(o.name, o.source) for o in network.outputs] == [
        ("out_a", "a.out2"),
        ("out_b", "b.out1"),
        ("out_c", "c"),
    ]
    assert starts(network) == {"a": 2, "a.out1": 3, "a.out2": 4, "b": 3, "b.out1": 4, "c": 4}
    x = np.random.default_rng(0).integers(0, 2, (9, 3, 2)).astype(float)
    for values in run_on_hardware(network, {"in": x}).values():
        assert np.array_equal(values, x)


def test_an_output_that_nothing_else_hears_starts_late_and_needs_no_relay() -> None:
    before = early_and_late()
    nodes: dict[str, Node] = {**before.nodes, "wd": linear(np.eye(2)), "d": lif(2), "out_d": Output()}
    network = relayed(graph(nodes, [*before.edges, ("in", "wd"), ("wd", "d"), ("d", "out_d")]))
    assert starts(network)["d"] == 4
    assert edges(network)["in d"] == [2]


def test_two_outputs_of_one_population_are_apart_by_their_delay() -> None:
    nodes: dict[str, Node] = {"in": Input((2,)), "n": lif(2, tau=DT_S, v_threshold=0.5), "d": delay(2, 2)}
    before = graph({**nodes, "now": Output(), "late": Output()}, [("in", "n"), ("n", "now"), ("n", "d"), ("d", "late")])
    network = relayed(before)
    assert starts(network)["n"] == 2
    x = np.random.default_rng(0).integers(0, 2, (9, 3, 2)).astype(float)
    found, want = run_on_hardware(network, {"in": x}), interpret(before, x)
    assert np.array_equal(found["now"], want["now"]) and np.array_equal(found["late"], want["late"])
    assert not np.array_equal(found["now"], found["late"])


def test_a_repeater_has_a_name_of_its_own() -> None:
    nodes: dict[str, Node] = {"in": Input((1,)), "d": delay(1), "in.relay1": lif(1), "out": Output()}
    before = graph(nodes, [("in", "d"), ("d", "in.relay1"), ("in", "in.relay1"), ("in.relay1", "out")])
    assert [p.name for p in relayed(before, max_delay=0).populations] == ["in.relay1_", "in.relay1"]


def test_v_is_not_repeated() -> None:
    """A readout that feeds nothing waits itself; one that is handed out twice, at two steps, cannot."""
    nodes: dict[str, Node] = {"in": Input((2,)), "n": li(2), "out": Output(), "d": delay(1, 1), "end": Output()}
    before = graph(nodes, [("in", "n"), ("n", "out"), ("n", "d"), ("d", "end")])
    with pytest.raises(DeployError) as caught:
        relayed(before)
    assert str(caught.value) == ("end: steps before the other outputs (1) exceed 0; compile each output by itself")
