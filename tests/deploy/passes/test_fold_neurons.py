"""Time constants become decays, gains move into the weights: v += d (-v + r I) is v = (1 - d) v + I'."""

import numpy as np
import pytest

from spikeport.deploy.convention import PRESETS
from spikeport.deploy.graph import Graph
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.nodes import Flatten, Input, Linear, Membrane, Node, Output
from spikeport.deploy.options import Options
from spikeport.deploy.passes.fold_neurons import FoldNeurons
from spikeport.errors import DeployError
from tests.deploy.graphs import DT_S, branches, chain, conv, graph, lif, linear

OPTIONS = Options(dt_s=DT_S)


def folded(before: Graph, options: Options = OPTIONS) -> Graph:
    step = FoldNeurons()
    step.requires(before, options)
    after = step.run(before, options)
    step.ensures(after, options)
    return after


def refused(before: Graph) -> DeployError:
    with pytest.raises(DeployError) as caught:
        folded(before)
    return caught.value


@pytest.mark.parametrize("tau", [1e-4, 1.3e-4, 5e-3])
@pytest.mark.parametrize("r", [1.0, 0.25, -3.0])
def test_the_folded_neuron_has_the_potentials_of_eulers_steps(tau: float, r: float) -> None:
    before = chain(n_in=4, n_out=3, neuron=lif(3, tau=tau, r=r, v_threshold=1e9))
    after = folded(before)
    was, now, neuron = before.nodes["w"], after.nodes["w"], after.nodes["n"]
    assert isinstance(was, Linear) and isinstance(now, Linear) and isinstance(neuron, Membrane)
    rng = np.random.default_rng(0)
    v, w = np.zeros(3), np.zeros(3)
    for _ in range(50):
        x = rng.normal(size=4)
        v = v + DT_S / tau * (-v + r * (was.weight @ x + was.bias))
        w = neuron.keep * w + now.weight @ x + now.bias
        assert np.allclose(v, w, rtol=1e-12, atol=1e-12)
    assert neuron.threshold.tolist() == [1e9] * 3


def test_the_graph_that_came_in_is_not_changed() -> None:
    before = chain()
    weight = before.nodes["w"]
    assert isinstance(weight, Linear)
    copy = weight.weight.copy()
    folded(before)
    assert np.array_equal(weight.weight, copy)
    assert before.nodes["w"] is weight


def test_every_synapse_into_a_neuron_is_scaled() -> None:
    before = branches()
    after = folded(before)
    for name in ("wc", "short"):
        was, now = before.nodes[name], after.nodes[name]
        assert isinstance(was, Linear) and isinstance(now, Linear)
        assert np.array_equal(now.weight, was.weight / 2)


def test_a_synapse_before_a_flatten_is_scaled() -> None:
    nodes = {"in": Input((1, 2, 2)), "k": conv([[[[4.0]]]]), "flat": Flatten(0, -1), "n": lif(4), "out": Output()}
    after = folded(graph(nodes))
    assert after.nodes["k"].weight.item() == 2.0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("neuron", "message"),
    [
        (lif(3, v_leak=0.5), "n: v_leak (0.5) is not 0; shift the membrane so that it is 0"),
        (lif(3, v_reset=-1.0), "n: v_reset (-1.0) is not 0; shift the membrane so that it is 0"),
        (
            lif(3, tau=0.5e-4),
            "n: tau (5e-05) is below the step dt_s 0.0001; "
            "name the step that the time constants are for; it is at most 5e-05",
        ),
        (lif(3, v_threshold=0.0), "n: v_threshold (0.0) is not above 0"),
        (lif(3, v_threshold=-1.0), "n: v_threshold (-1.0) is not above 0"),
    ],
)
def test_a_neuron_that_no_core_has_is_refused(neuron: object, message: str) -> None:
    assert str(refused(chain(neuron=neuron))) == message  # type: ignore[arg-type]


@pytest.mark.parametrize("what", ["tau", "r", "v_threshold"])
def test_parameters_that_differ_within_a_layer_are_refused(what: str) -> None:
    neuron = lif(3)
    getattr(neuron, what)[1] *= 2
    low, high = getattr(neuron, what).min(), getattr(neuron, what).max()
    message = f"n: {what} ({low:g}..{high:g}) differs within the layer; give the layer one value"
    assert str(refused(chain(neuron=neuron))) == message


def test_a_time_constant_of_one_step_forgets_everything() -> None:
    after = folded(chain(neuron=lif(3, tau=float(np.float32(1e-4)))))
    assert after.nodes["n"].keep == pytest.approx(np.zeros(3), abs=1e-6)  # type: ignore[union-attr]


def test_a_neuron_fed_by_a_neuron_is_refused() -> None:
    nodes = {"in": Input((3,)), "w": linear(np.eye(3)), "a": lif(3), "b": lif(3), "out": Output()}
    assert str(refused(graph(nodes))) == (
        "b: source (a, LIF) is not a synapse; put Linear, Affine or Conv2d before the neuron"
    )


def test_a_synapse_of_two_neurons_is_refused() -> None:
    nodes = {"in": Input((3,)), "w": linear(np.eye(3)), "a": lif(3), "b": lif(3), "out": Output()}
    edges = [("in", "w"), ("w", "a"), ("w", "b"), ("a", "out")]
    assert str(refused(graph(nodes, edges))) == "w: targets (a, b) exceed 1; give each its own weights"


@pytest.mark.parametrize("name", ["nir", "norse", "snntorch", "spikingjelly"])
@pytest.mark.parametrize("seed", range(12))
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


@pytest.mark.parametrize(("name", "said"), [("rockpool", "reset of rockpool"), ("sinabs", "reset of sinabs")])
def test_a_reset_that_no_neuron_of_the_chip_has_is_refused(name: str, said: str) -> None:
    with pytest.raises(DeployError, match=said):
        FoldNeurons().requires(chain(), Options(convention=PRESETS[name]))
