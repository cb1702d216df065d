"""Every connection takes a step; where paths of unequal length meet, the shorter ones wait."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.deploy.graph import Graph
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.network import Network
from spikeport.deploy.nodes import Input, Node, Output
from spikeport.deploy.options import Options
from spikeport.deploy.passes.fold_neurons import FoldNeurons
from spikeport.deploy.passes.schedule import Schedule
from spikeport.deploy.passes.to_network import ToNetwork
from spikeport.deploy.pipeline import compile_graph
from spikeport.errors import DeployError, PassError
from spikeport.sim import simulate
from tests.deploy.graphs import branches, chain, delay, graph, lif, linear
from tests.deploy.hardware import run_on_hardware

SPIKES, IMAGE = Options(), Options(input="bias", steps=8)


def scheduled(before: Network, options: Options = SPIKES) -> Network:
    after = Schedule().run(before, options)
    Schedule().ensures(after, options)
    return after


def network(before: object) -> Network:
    return ToNetwork().run(FoldNeurons().run(before, SPIKES), SPIKES)  # type: ignore[arg-type]


def starts(after: Network) -> dict[str, int]:
    return {p.name: p.start for p in after.populations}


def delays(after: Network) -> dict[str, int]:
    return {f"{p.source} {p.target}": p.delay for p in after.projections}


def deep(n: int) -> Network:
    """`n` layers of one neuron in a row, and a shortcut from the input to the last."""
    nodes: dict[str, Node] = {"in": Input((1,))}
    edges = []
    for i in range(n):
        nodes |= {f"w{i}": linear([[1.0]]), f"n{i}": lif(1)}
        edges += [("in" if i == 0 else f"n{i - 1}", f"w{i}"), (f"w{i}", f"n{i}")]
    nodes |= {"short": linear([[1.0]]), "out": Output()}
    return network(graph(nodes, [*edges, ("in", "short"), ("short", f"n{n - 1}"), (f"n{n - 1}", "out")]))


def test_spikes_sent_at_step_1_arrive_at_step_2() -> None:
    assert starts(scheduled(network(chain()))) == {"n": 2}


def test_an_image_is_in_its_neurons_at_step_1() -> None:
    assert starts(scheduled(network(chain()), IMAGE)) == {"n": 1}


@pytest.mark.parametrize(("options", "first"), [(SPIKES, 2), (IMAGE, 1)])
def test_a_shortcut_waits_for_the_longer_path(options: Options, first: int) -> None:
    after = scheduled(network(branches()), options)
    assert starts(after) == {"a": first, "b": first + 1, "c": first + 2}
    assert delays(after) == {"in a": 0, "a b": 0, "b c": 0, "a c": 1}


def test_the_network_that_came_in_is_not_changed() -> None:
    before = network(branches())
    scheduled(before)
    assert starts(before) == {"a": 0, "b": 0, "c": 0}


def test_the_longest_delay_that_a_chip_has_is_allowed() -> None:
    assert max(delays(scheduled(deep(63))).values()) == 62


def loop(*between: tuple[str, Node]) -> Graph:
    """in -> a -> b -> back to a; what is `between` stands on the way back."""
    nodes: dict[str, Node] = {"in": Input((1,)), "a": lif(1), "v": linear([[3.0]]), "b": lif(1), "r": linear([[-2.0]])}
    back = ["b", "r", *(name for name, _ in between), "a"]
    edges = [("in", "a"), ("a", "v"), ("v", "b"), ("b", "out"), *zip(back[:-1], back[1:], strict=True)]
    return graph({**nodes, **dict(between), "out": Output()}, edges)


def test_neurons_that_hear_themselves_a_step_later_do_so_without_delay() -> None:
    nodes: dict[str, Node] = {"in": Input((1,)), "a": lif(1), "r": linear([[1.0]]), "out": Output()}
    after = scheduled(network(graph(nodes, [("in", "a"), ("a", "r"), ("r", "a"), ("a", "out")])))
    assert (starts(after), delays(after)) == ({"a": 2}, {"in a": 0, "a a": 0})


def test_a_loop_through_two_neurons_is_refused_with_their_names() -> None:
    """Float time brings b's spike back to a in one step; a chip takes two."""
    with pytest.raises(DeployError) as caught:
        scheduled(network(loop()))
    assert str(caught.value) in {
        f"graph: loop of 1 step ({way}) is shorter than a chip's 2; "
        "put a Delay of the missing steps into it, or fewer neurons"
        for way in ("a -> b -> a", "b -> a -> b")
    }


def test_a_delay_of_the_missing_steps_makes_the_loop_possible() -> None:
    after = scheduled(network(loop(("d", delay(1)))))
    assert (starts(after), delays(after)) == ({"a": 2, "b": 3}, {"in a": 0, "a b": 0, "b a": 0})
    after = scheduled(network(loop(("d", delay(4)))))
    assert delays(after)["b a"] == 3


def test_a_loops_spikes_are_float_times() -> None:
    before = loop(("d", delay(2)))
    x = np.random.default_rng(3).integers(0, 5, (40, 2, 1)).astype(float)
    want = interpret(before, x)["out"]
    assert 0.1 < want.mean() < 0.9
    assert np.array_equal(run_on_hardware(scheduled(network(before)), {"in": x})["out"], want)


def test_an_input_behind_a_delay_is_heard_sooner_by_what_waits_for_it() -> None:
    nodes: dict[str, Node] = {"in": Input((1,)), "d": delay(3), "a": lif(1), "out": Output()}
    after = scheduled(network(graph(nodes)))
    assert (starts(after), delays(after)) == ({"a": 1}, {"in a": 2})


def test_a_negative_delay_is_our_own_fault() -> None:
    after = scheduled(network(chain()))
    broken = replace(after, projections=tuple(replace(p, delay=-1) for p in after.projections))
    with pytest.raises(PassError, match=r"^schedule: negative delay \(in -> n\)$"):
        Schedule().ensures(broken, SPIKES)


def test_paths_of_unequal_length_meet_in_the_same_step() -> None:
    """a fires at random; b repeats a one step later; c fires where a and b's copy of it meet, and only there."""
    nodes: dict[str, Node] = {"in": Input((6,))}
    wide = np.eye(6)
    for name, gain in (("a", 4.0), ("b", 4.0), ("c", 1.1)):
        nodes |= {f"w{name}": linear(gain * wide), name: lif(6)}
    nodes |= {"short": linear(1.1 * wide), "out": Output()}
    edges = [("in", "wa"), ("wa", "a"), ("a", "wb"), ("wb", "b"), ("b", "wc"), ("wc", "c"), ("c", "out")]
    program = compile_graph(graph(nodes, [*edges, ("a", "short"), ("short", "c")]))
    spikes = np.random.default_rng(0).integers(0, 2, (20, 2, 6))
    result = simulate(program, spikes)
    assert program.latency == 3
    assert np.array_equal(result.spikes, spikes)
