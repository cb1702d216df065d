"""Networks of a few neurons, lowered and run on a chip's time, equal their recurrences written out by hand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from spikeport.deploy.convention import NIR, PRESETS, Convention
from spikeport.deploy.graph import Graph
from spikeport.deploy.nodes import AvgPool2d, Flatten, Floats, Input, Node, Output
from spikeport.deploy.options import Options
from tests.deploy.graphs import DT_S, conv, cuba, delay, floats, graph, li, lif, linear
from tests.deploy.hardware import run_on_hardware
from tests.deploy.passes.stages import network_of

STEPS = 30
ROUNDING = 1e-9


def on_chip(before: Graph, x: NDArray[np.float64], how: Convention = NIR) -> Floats:
    """`(T, n)` of the first output, for one sample `(T, n)`."""
    how = replace(how, dt_s=DT_S)
    network = network_of(before, Options(dt_s=DT_S, convention=how, steps=STEPS))
    found = run_on_hardware(network, {network.inputs[0][0]: x[:, None]})
    return found[network.outputs[0].name][:, 0]


def drawn(n: int, high: int = 2) -> NDArray[np.float64]:
    return np.random.default_rng(7).integers(0, high, (STEPS, n)).astype(float)


def spikes_of(v_at: Callable[[int, Floats, Floats], Floats], n: int, reset: float = 0.0) -> Floats:
    """v follows `v_at(t, v, s)` from 0, with spikes above 1 and a reset."""
    v, s, found = np.zeros(n), np.zeros(n), []
    for t in range(STEPS):
        v = v_at(t, v, s)
        s = (v > 1).astype(float)
        v = np.where(s > 0, reset, v)
        found.append(s)
    assert 0.05 < np.mean(found) < 0.95
    return np.array(found)


@pytest.mark.parametrize(("name", "first"), [("nir", 0.0), ("snntorch", 1.0)])
def test_a_recurrent_bias_is_there_at_the_first_step_or_not(name: str, first: float) -> None:
    """lif -> W -> lif, and its own biases; keep 1/2, gain 1."""
    weight, bias, x = floats([0.0, 0.7], [-0.6, 0.3]), floats(0.9, 0.4), drawn(2)
    nodes: dict[str, Node] = {"in": Input((2,)), "n": lif(2, r=2.0), "r": linear(weight, bias), "out": Output()}
    before = graph(nodes, [("in", "n"), ("n", "r"), ("r", "n"), ("n", "out")])
    want = spikes_of(lambda t, v, s: 0.5 * v + x[t] + weight @ s + bias * (1 if t else first), 2)
    assert np.array_equal(on_chip(before, x, PRESETS[name]), want)


def test_v_leak_and_v_reset() -> None:
    """v += (leak - v + 2 x) / 2, starts at 0 and goes to v_reset."""
    x = drawn(1)
    nodes: dict[str, Node] = {"in": Input((1,)), "n": lif(1, r=2.0, v_leak=0.4, v_reset=-0.3), "out": Output()}
    want = spikes_of(lambda t, v, s: 0.5 * v + 0.5 * 0.4 + x[t], 1, reset=-0.3)
    assert np.array_equal(on_chip(graph(nodes), x), want)


def test_norse_starts_at_v_leak() -> None:
    """Without input v stays there; at 0.9 any spike of weight 0.3 makes it fire, at the first step too."""
    x = drawn(1)
    neuron = lif(1, tau=2 * DT_S, v_leak=0.9)
    nodes: dict[str, Node] = {"in": Input((1,)), "w": linear([[0.6]]), "n": neuron, "out": Output()}
    want = spikes_of(lambda t, v, s: 0.5 * (v if t else floats(0.9)) + 0.45 + 0.3 * x[t], 1)
    assert want[np.argmax(x)] == 1
    assert np.array_equal(on_chip(graph(nodes), x, PRESETS["norse"]), want)


def test_a_cubalif_with_a_bias_charges_its_current() -> None:
    """i += (w x + b - i) / 2, v += (2 i - v) / 2."""
    x, i = drawn(1), [0.0]
    nodes: dict[str, Node] = {"in": Input((1,)), "w": linear([[1.5]], 0.4), "n": cuba(1, r=2.0), "out": Output()}

    def step(t: int, v: Floats, s: Floats) -> Floats:
        i[0] = 0.5 * i[0] + 0.5 * (1.5 * x[t, 0] + 0.4)
        return 0.5 * v + i[0]

    assert np.array_equal(on_chip(graph(nodes), x), spikes_of(step, 1))


def test_each_neuron_with_its_own_tau() -> None:
    x, keep = drawn(1), 1 - 1 / np.array([1.0, 2.0, 4.0, 2.0])
    neuron = replace(lif(4), tau=DT_S / (1 - keep), r=1 / (1 - keep))
    weight = floats([1.2], [0.7], [0.4], [0.9])
    nodes: dict[str, Node] = {"in": Input((1,)), "w": linear(weight), "n": neuron, "out": Output()}
    want = spikes_of(lambda t, v, s: keep * v + weight @ x[t], 4)
    assert np.array_equal(on_chip(graph(nodes), x), want)


def test_a_readout_gives_v() -> None:
    x, v, want = drawn(2), 0.0, []
    before = graph({"in": Input((2,)), "w": linear([[1.0, -2.0]], 0.25), "n": li(1, v_leak=0.5), "out": Output()})
    for now in x:
        v = 0.5 * v + 0.5 * (0.5 + now[0] - 2 * now[1] + 0.25)
        want.append(v)
    np.testing.assert_allclose(on_chip(before, x)[:, 0], want, rtol=ROUNDING, atol=ROUNDING)


def test_delays_for_each_value() -> None:
    x = drawn(3)
    nodes: dict[str, Node] = {"in": Input((3,)), "d": delay(0, 1, 4), "w": linear([[1.0, 1.0, 1.0]])}
    before = graph({**nodes, "n": lif(1, tau=DT_S), "out": Output()})
    late = np.stack([np.concatenate([np.zeros(k), x[: STEPS - k, i]]) for i, k in enumerate((0, 1, 4))])
    want = spikes_of(lambda t, v, s: np.array([late[:, t].sum()]), 1)
    assert np.array_equal(on_chip(before, x), want)


def test_a_residual_branch_meets_the_layer_that_it_went_around() -> None:
    """a repeats the input; c hears a, and what b makes of a, in the same float step."""
    x, weight = drawn(3), floats([0.0, 0.8, 0.0], [0.8, 0.0, 0.8], [0.0, 0.0, 0.8])
    nodes: dict[str, Node] = {"in": Input((3,)), "wa": linear(2 * np.eye(3)), "a": lif(3, tau=DT_S)}
    nodes |= {"wb": linear(2 * weight), "b": lif(3, tau=DT_S), "wc": linear(0.8 * np.eye(3)), "c": lif(3, r=2.0)}
    edges = [("in", "wa"), ("wa", "a"), ("a", "wb"), ("wb", "b"), ("b", "wc"), ("wc", "c"), ("a", "c"), ("c", "out")]
    b = (2 * x @ weight.T > 1).astype(float)
    want = spikes_of(lambda t, v, s: 0.5 * v + 0.8 * b[t] + x[t], 3)
    assert np.array_equal(on_chip(graph({**nodes, "out": Output()}, edges), x), want)


def test_global_pooling_hands_out_the_mean_of_the_spikes() -> None:
    x = drawn(2 * 3 * 4)
    nodes: dict[str, Node] = {"in": Input((2, 3, 4)), "k": conv(2 * np.eye(2).reshape(2, 2, 1, 1), groups=1)}
    nodes |= {"n": lif(2, 3, 4, tau=DT_S), "p": AvgPool2d((3, 4), (3, 4), (0, 0)), "f": Flatten(0, -1)}
    found = on_chip(graph({**nodes, "out": Output()}), x.reshape(STEPS, 2, 3, 4))
    np.testing.assert_allclose(found, x.reshape(STEPS, 2, 12).mean(-1), rtol=ROUNDING)
