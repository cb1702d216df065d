"""Every neuron becomes a Membrane with a gain before it: v += d (-v + r I) is v = (1 - d) v + d r I."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.deploy.convention import NIR, PRESETS
from spikeport.deploy.graph import Graph
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.nodes import Delay, Flatten, Input, Linear, Membrane, Node, Output, Scale
from spikeport.deploy.options import Options
from spikeport.deploy.passes.fold_neurons import FoldNeurons
from spikeport.errors import DeployError
from tests.deploy.graphs import DT_S, chain, conv, graph, integrate, li, lif, linear

OPTIONS = Options(dt_s=DT_S)


def folded(before: Graph, options: Options = OPTIONS) -> Graph:
    step = FoldNeurons()
    step.requires(before, options)
    after = step.run(before, options)
    step.ensures(after, options)
    return after


@pytest.mark.parametrize("tau", [1.1e-4, 1.3e-4, 5e-3])
@pytest.mark.parametrize("r", [1.0, 0.25, -3.0])
def test_the_folded_neuron_has_the_potentials_of_eulers_steps(tau: float, r: float) -> None:
    before = chain(n_in=4, n_out=3, neuron=lif(3, tau=tau, r=r, v_threshold=1e9))
    after = folded(before)
    w, gain, neuron = before.nodes["w"], after.nodes["n.gain"], after.nodes["n"]
    assert isinstance(w, Linear) and isinstance(gain, Scale) and isinstance(neuron, Membrane)
    rng = np.random.default_rng(0)
    v, now = np.zeros(3), np.zeros(3)
    for _ in range(50):
        arriving = w.weight @ rng.normal(size=4) + w.bias
        v = v + DT_S / tau * (-v + r * arriving)
        now = neuron.keep_v * now + gain.scale * arriving
        assert np.allclose(v, now, rtol=1e-12, atol=1e-12)
    assert neuron.threshold.tolist() == [1e9] * 3


def test_all_that_enters_a_neuron_goes_through_its_gain() -> None:
    nodes: dict[str, Node] = {"in": Input((2,)), "w": linear(np.eye(2)), "n": lif(2), "r": linear(np.eye(2))}
    edges = [("in", "w"), ("w", "n"), ("in", "n"), ("n", "r"), ("r", "n"), ("n", "n"), ("n", "out")]
    after = folded(graph({**nodes, "out": Output()}, edges))
    assert after.sources("n") == ["n.gain"]
    assert after.sources("n.gain") == ["w", "in", "r", "n"]
    assert after.feedback == {("r", "n.gain"), ("n", "n.gain")}
    assert after.nodes["w"] is nodes["w"]


def test_a_gain_of_one_needs_no_node() -> None:
    after = folded(chain(neuron=lif(3, r=2.0)))  # tau is two steps
    assert list(after.nodes) == ["in", "w", "n", "out"]


def test_a_new_nodes_name_is_its_own() -> None:
    before = chain()
    nodes = {name.replace("w", "n.gain"): node for name, node in before.nodes.items()}
    after = folded(graph(nodes))
    assert after.sources("n") == ["n.gain_"]
    assert after.sources("n.gain_") == ["n.gain"]


def test_the_graph_that_came_in_is_not_changed() -> None:
    before = chain()
    nodes, edges = dict(before.nodes), before.edges
    folded(before)
    assert (before.nodes, before.edges) == (nodes, edges)


def test_a_threshold_that_leaves_late_leaves_whole() -> None:
    """v = keep v + x - threshold s; subtracted at once, keep threshold s would leave: the rest is fed back."""
    how = replace(NIR, reset="subtract_late")
    after = folded(chain(neuron=lif(3, tau=4 * DT_S, v_threshold=2.0)), Options(dt_s=DT_S, convention=how))
    late, neuron = after.nodes["n.late"], after.nodes["n"]
    assert isinstance(late, Scale) and isinstance(neuron, Membrane)
    assert late.scale == pytest.approx(np.full(3, -0.5))
    assert neuron.reset == "subtract"
    assert ("n.late", "n") in after.feedback


@pytest.mark.parametrize("neuron", [integrate(3), li(3)])
def test_what_keeps_all_or_does_not_fire_hears_nothing_of_itself(neuron: Node) -> None:
    how = replace(NIR, reset="subtract_late")
    after = folded(chain(neuron=neuron), Options(dt_s=DT_S, convention=how))  # type: ignore[arg-type]
    assert not after.feedback


def test_spyx_layers_hand_on_a_step_late() -> None:
    how = replace(PRESETS["spyx"], dt_s=DT_S)
    after = folded(chain(neuron=lif(3, tau=2.0)), Options(dt_s=DT_S, convention=how))
    delay = after.nodes["n.delay"]
    assert isinstance(delay, Delay)
    assert delay.delay == pytest.approx(np.full(3, DT_S))
    assert after.sources("out") == ["n.delay"]


def test_a_floor_that_no_core_has_is_told_of() -> None:
    two: dict[str, Node] = {"in": Input((1,)), "w": linear([[1.0]]), "a": integrate(1), "b": integrate(1)}
    before = graph({**two, "out": Output()})
    said = folded(before, Options(dt_s=DT_S, convention=PRESETS["sinabs"])).remarks
    assert said == ("a and 1 more: sinabs holds v at minus its threshold and above, a core's neuron does not",)
    assert folded(before).remarks == ()


@pytest.mark.parametrize(
    ("neuron", "message"),
    [
        (lif(3, v_threshold=-1.0), "n: v_threshold (-1.0) is not above 0; raise the threshold"),
        (
            lif(3, tau=0.5e-4),
            "n: tau (5e-05) is below the step dt_s 0.0001; "
            "name the step that the time constants are for; it is at most 5e-05",
        ),
    ],
)
def test_a_neuron_that_no_core_has_is_refused(neuron: object, message: str) -> None:
    with pytest.raises(DeployError) as caught:
        folded(chain(neuron=neuron))  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["nir", "norse", "snntorch", "spikingjelly"])
@pytest.mark.parametrize("seed", range(6))
def test_the_float_graph_gives_the_same_spikes_before_and_after(name: str, seed: int) -> None:
    """Under each convention that the pass takes; the frameworks' own runs hold the interpreter (`tests/interop`)."""
    rng, how = np.random.default_rng(seed), PRESETS[name]
    r, taus = (1.0, rng.uniform(2, 9, 2)) if seed % 2 else (3.0, rng.uniform(2, 9, 2))
    nodes: dict[str, Node] = {"in": Input((1, 6, 7)), "c": conv(rng.normal(0.8, 1, (3, 1, 3, 3)), 0.05, stride=(2, 1))}
    nodes |= {"a": lif(3, 2, 5, tau=taus[0] * how.dt_s, r=r, v_threshold=0.5), "f": Flatten(0, -1)}
    nodes["w"] = linear(rng.normal(0.3, 1, (8, 30)), 0.1)
    before = graph({**nodes, "b": lif(8, tau=taus[1] * how.dt_s, r=r, v_threshold=0.3), "out": Output()})
    after = folded(before, Options(dt_s=how.dt_s, convention=how))
    x = (rng.random((50, 2, 1, 6, 7)) < 0.4).astype(float)

    want = interpret(before, x, how, record=["a"])

    assert 0 < want["a"].mean() < 1 and 0 < want["out"].mean() < 1
    found = interpret(after, x, record=["a"])
    for node in ("a", "out"):
        assert np.array_equal(found[node], want[node])
