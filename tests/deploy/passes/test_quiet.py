"""No spike before a sample reaches it: feedback and delays carry nothing over from the chip's idle steps.

`run_on_hardware` lets biases run from the chip's first step on; what it hands out is held against float time.
"""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.deploy.convention import NIR, Convention
from spikeport.deploy.graph import Graph
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.network import Network
from spikeport.deploy.nodes import Input, Node, Output
from spikeport.deploy.options import Options
from spikeport.deploy.passes.quiet import late_paths, quieted
from spikeport.deploy.passes.sources import CLOCK
from tests.deploy.graphs import DT_S, cuba, delay, graph, integrate, li, lif, linear
from tests.deploy.hardware import run_on_hardware
from tests.deploy.passes.stages import network_of

STEPS = 12


def layers(*chain: tuple[str, Node], back: tuple[str, str] | None = None, weight: float = -0.9) -> Graph:
    """in -> chain -> out, and a way back."""
    nodes: dict[str, Node] = {"in": Input((1,)), **dict(chain), "out": Output()}
    names = list(nodes)
    edges = list(zip(names[:-1], names[1:], strict=True))
    if back:
        nodes["back"] = linear([[weight]])
        edges += [(back[0], "back"), ("back", back[1])]
    return graph(nodes, edges)


def scheduled(before: Graph, how: Convention = NIR) -> Network:
    return network_of(before, Options(dt_s=DT_S, convention=how, steps=STEPS), until="schedule")


def check(before: Graph, how: Convention = NIR, clock: bool = True) -> None:
    """The chip's spikes are float time's, and a clock is there where it should be."""
    how = replace(how, dt_s=DT_S)
    network = scheduled(before, how)
    assert (CLOCK in {p.name for p in network.populations}) == clock
    x = np.random.default_rng(2).integers(0, 2, (STEPS, 3, 1)).astype(float)
    want = interpret(before, x, how)["out"]
    assert len(np.unique(want)) > 1
    np.testing.assert_allclose(run_on_hardware(network, {"in": x})["out"], want, rtol=1e-9)


def test_a_bias_that_makes_neurons_fire_comes_from_the_clock_where_they_hear_themselves() -> None:
    check(layers(("w", linear([[0.5]], 1.25)), ("n", integrate(1)), back=("n", "n")))


def test_without_feedback_the_bias_stays_the_cores() -> None:
    check(layers(("w", linear([[-0.5]], 1.25)), ("n", integrate(1))), clock=False)


def test_a_bias_that_stays_below_the_threshold_stays_the_cores() -> None:
    check(layers(("w", linear([[1.0]], 0.3)), ("n", integrate(1)), back=("n", "n")), clock=False)


def test_layers_before_the_one_that_hears_itself_count() -> None:
    """a fires by its bias; the spikes that it sends just before its start would make b fire before b's."""
    chain = (
        ("w", linear([[0.5]], 0.75)),
        ("a", integrate(1, v_threshold=0.5)),
        ("v", linear([[1.5]])),
        ("b", integrate(1)),
    )
    check(layers(*chain, back=("b", "b")))


def test_a_tie_fires_before_the_sample_where_it_fires_within_it() -> None:
    """a's bias is its threshold exactly: under >= a chip's a fires from the first step on, and b hears it."""
    chain = (("w", linear([[0.5]], 1.0)), ("a", integrate(1)), ("v", linear([[1.5]])), ("b", integrate(1)))
    before = layers(*chain, back=("b", "b"))
    check(before, replace(NIR, compare=">="))
    check(before, clock=False)


def test_what_is_left_after_a_subtraction_fires_again() -> None:
    """a's bias is 1.4 thresholds, so that more is left of it after each spike."""
    chain = (("w", linear([[0.5]], 0.7)), ("a", integrate(1, v_threshold=0.5)), ("v", linear([[0.95]])))
    check(layers(*chain, ("b", integrate(1)), back=("b", "b")), replace(NIR, reset="subtract"))


def test_a_leak_above_the_threshold_is_a_bias_beside_the_current() -> None:
    check(layers(("w", linear([[-4.0]])), ("n", cuba(1, v_leak=3.0)), back=("n", "n"), weight=4.0))


def test_v_of_a_readout_behind_a_delay_is_zero_before_the_sample() -> None:
    for neuron in (li(1, v_leak=0.5), replace(li(1), v_leak=np.full(1, -2.0))):
        check(layers(("w", linear([[1.0]])), ("n", neuron), ("d", delay(1))))


def test_a_quiet_network_is_left_as_it_is() -> None:
    before = scheduled(layers(("w", linear([[1.0]])), ("n", lif(1)), back=("n", "n")))
    assert quieted(before, 1 << 15) is None


def test_late_paths_are_told_of_by_their_source() -> None:
    assert late_paths(scheduled(layers(("w", linear([[1.0]])), ("n", lif(1)), back=("n", "n")))) == ["n"]
    assert late_paths(scheduled(layers(("d", delay(1)), ("n", lif(1))))) == ["in"]
    assert late_paths(scheduled(layers(("n", lif(1)), ("d", delay(2))))) == ["n"]
    assert late_paths(scheduled(layers(("n", lif(1))))) == []


def test_the_clock_and_the_pulse_are_not_told_of() -> None:
    network = scheduled(layers(("w", linear([[0.5]], 1.25)), ("n", integrate(1)), back=("n", "n")))
    assert late_paths(network) == ["n"]
    (said,) = network.remarks
    assert said == (
        "n: feedback or delays carry spikes from one step to the next: "
        "samples that follow each other at once are not apart"
    )


@pytest.mark.parametrize("bias", [0.05, 0.3, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("back", [("b", "b"), ("d", "a")])
def test_whatever_the_bias_the_chip_does_what_float_time_does(bias: float, back: tuple[str, str]) -> None:
    nodes: dict[str, Node] = {"in": Input((1,)), "w": linear([[0.7]], bias), "a": lif(1, tau=8 * DT_S, r=8.0)}
    nodes |= {"v": linear([[0.6]], 0.1), "b": integrate(1), "d": delay(3), "out": Output()}
    edges = [("in", "w"), ("w", "a"), ("a", "v"), ("v", "b"), ("b", "d"), ("b", "out"), back]
    if back == ("b", "b"):
        del nodes["d"]
        edges.remove(("b", "d"))
    before = graph(nodes, edges)
    network = scheduled(before)
    x = np.random.default_rng(5).integers(0, 2, (STEPS, 4, 1)).astype(float)
    assert np.array_equal(run_on_hardware(network, {"in": x})["out"], interpret(before, x)["out"])
