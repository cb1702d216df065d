"""The float interpreter equals recurrences written out by hand, under every convention."""

from dataclasses import replace
from math import exp, floor

import numpy as np
import pytest

from spikeport.deploy.convention import NIR, PRESETS, Convention
from spikeport.deploy.graph import Graph, ordered
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.nodes import IF, LI, LIF, CubaLIF, Delay, Floats, I, Input, Linear, Node, Output
from spikeport.deploy.options import Options
from spikeport.deploy.passes.fold_neurons import FoldNeurons
from spikeport.errors import DeployError, InputError
from tests.deploy.graphs import membrane

DT = 1e-4


def full(value: float, n: int = 1) -> Floats:
    return np.full(n, value)


def run(node: Node, x: list[float], convention: Convention = NIR) -> list[float]:
    nodes: dict[str, Node] = {"in": Input((1,)), "n": node, "out": Output()}
    edges = (("in", "n"), ("n", "out"))
    return interpret(Graph(nodes, edges), np.array(x).reshape(-1, 1, 1), convention)["out"].reshape(-1).tolist()


def lif(tau: float, r: float = 1.0, leak: float = 0.0, threshold: float = 1.0, reset: float = 0.0) -> LIF:
    return LIF(full(tau), full(r), full(leak), full(threshold), full(reset))


X = [1.5, 0.0, 2.25, 0.5, 3.0, 3.0, 0.0, 0.25, 4.0, 1.0]


def test_a_lif_by_euler() -> None:
    v, want = 0.0, []
    for x in X:
        v += 0.25 * ((0.5 - v) + 2 * x)
        want.append(float(v > 1))
        v = -0.25 if v > 1 else v
    assert 0 < sum(want) < len(want)
    assert run(lif(4 * DT, 2, 0.5, 1, -0.25), X) == want


def test_a_lif_as_norse_reads_it() -> None:
    """A step of a millisecond, r and v_reset not read, starts at v_leak."""
    v, want = 0.5, []
    for x in X:
        v += 0.25 * ((0.5 - v) + x)
        want.append(float(v > 1))
        v = 0.0 if v > 1 else v
    assert run(lif(4e-3, 7, 0.5, 1, -0.25), X, PRESETS["norse"]) == want


def test_a_lif_as_spikingjelly_reads_it() -> None:
    """A tie is a spike."""
    assert run(lif(2 * DT, 2, 0, 1.5), [1.5], PRESETS["spikingjelly"]) == [1.0]
    assert run(lif(2 * DT, 2, 0, 1.5), [1.5]) == [0.0]


def test_a_lif_as_sinabs_reads_it() -> None:
    """tau counts steps, r is not read, several spikes a step, each takes the threshold off."""
    v, want = 0.0, []
    for x in X:
        v = exp(-1 / 8) * v + x
        s = max(floor(v), 0)
        want.append(float(s))
        v -= s
    assert max(want) > 1
    assert run(lif(8, 3), X, PRESETS["sinabs"]) == want


def test_an_if_as_sinabs_reads_it_has_a_floor() -> None:
    node = IF(full(5.0), full(1.0), full(0.0))
    assert run(node, [-3.0, 1.5, 0.5, 2.0], PRESETS["sinabs"]) == [0.0, 0.0, 1.0, 2.0]


def test_an_if_adds_dt_r_x_or_x() -> None:
    node = IF(full(2 / DT), full(1.0), full(0.25))
    assert run(node, [0.25, 0.375, 0.375, 0.0, 1.0]) == [0.0, 1.0, 0.0, 0.0, 1.0]
    assert run(node, [0.75, 0.5, 0.75], replace(NIR, integrates_r=False)) == [0.0, 1.0, 0.0]


def test_snntorch_takes_the_threshold_off_once() -> None:
    """A neuron that still stands above it after a spike has to reach twice the threshold (snntorch 1.0.0, Leaky)."""
    v, want = 0.0, []
    for x in X:
        late = float(v > 1)
        v = 0.75 * v + 0.25 * 4 * x - late
        s = float(v > 1)
        v -= s - late
        want.append(s)
    convention = replace(PRESETS["snntorch"], reset="subtract_once")
    assert run(lif(4 * DT, 4), X, convention) == want
    assert want != run(lif(4 * DT, 4), X, replace(convention, reset="subtract"))


def test_snntorch_takes_the_threshold_off_late() -> None:
    """Its default, `reset_delay=True`: in the step after the spike (snntorch 1.0.0, Leaky)."""
    v, want = 0.0, []
    for x in X:
        v = 0.75 * v + x - float(v > 1)
        want.append(float(v > 1))
    assert run(lif(4 * DT, 4), X, replace(PRESETS["snntorch"], reset="subtract_late")) == want


def test_a_cubalif_as_sinabs_reads_it() -> None:
    """What enters the current loses a step's part at once."""
    node = CubaLIF(*(full(k) for k in (3.0, 4.0, 1.0, 0.0, 1.0, 0.0, 1.0)))
    i = v = 0.0
    want = []
    for x in X:
        i = exp(-1 / 3) * (i + x)
        v = exp(-1 / 4) * v + i
        s = max(floor(v), 0)
        v -= s
        want.append(float(s))
    assert run(node, X, PRESETS["sinabs"]) == want


def test_a_cubalif_integrates_its_new_current() -> None:
    node = CubaLIF(*(full(k) for k in (2 * DT, 4 * DT, 2.0, 0.0, 1.0, 0.0, 3.0)))
    i = v = 0.0
    want = []
    for x in X:
        i += 0.5 * (3 * x - i)
        v += 0.25 * (2 * i - v)
        want.append(float(v > 1))
        v = 0.0 if v > 1 else v
    assert 0 < sum(want) < len(want)
    assert run(node, X) == want


def test_neurons_that_do_not_fire_give_v() -> None:
    assert run(LI(full(2 * DT), full(1.0), full(0.0)), [4.0, 0.0, 2.0]) == [2.0, 1.0, 1.5]
    assert run(I(full(1 / DT)), [0.5, 0.25, -1.0]) == [0.5, 0.75, -0.25]


def test_a_delay_counts_in_steps_value_by_value() -> None:
    nodes: dict[str, Node] = {"in": Input((3,)), "d": Delay(np.array([0.0, 1.0, 3.0]) * DT), "out": Output()}
    x = np.arange(1.0, 16).reshape(5, 1, 3)
    y = interpret(Graph(nodes, (("in", "d"), ("d", "out"))), x)["out"][:, 0]
    for k, d in enumerate((0, 1, 3)):
        assert y[:, k].tolist() == [0.0] * d + x[: 5 - d, 0, k].tolist()


def recurrent(bias: float) -> Graph:
    nodes: dict[str, Node] = {
        "in": Input((2,)),
        "rec": Linear(np.array([[0.0, 0.75], [-0.5, 0.0]]), full(bias, 2)),
        "lif": membrane(2),
        "out": Output(),
    }
    edges = (("in", "lif"), ("lif", "rec"), ("rec", "lif"), ("lif", "out"))
    return Graph(ordered(nodes, edges), edges)


@pytest.mark.parametrize("at_start", [False, True])
def test_what_comes_back_is_a_step_old_and_its_bias_starts_as_the_convention_says(at_start: bool) -> None:
    graph, x = recurrent(0.25), np.random.default_rng(1).integers(0, 3, (40, 1, 2)) / 2
    v, s, want = np.zeros(2), np.zeros(2), []
    for t, step in enumerate(x[:, 0]):
        bias = 0.25 if t or at_start else 0.0
        v = 0.5 * v + step + np.array([0.75 * s[1], -0.5 * s[0]]) + bias
        s = (v > 1).astype(float)
        v = np.where(s > 0, 0, v)
        want.append(s)

    assert graph.feedback == {("rec", "lif")}
    found = interpret(graph, x, replace(NIR, feedback_bias_at_start=at_start))["out"][:, 0]
    assert np.array_equal(found, want)


def test_layers_hand_on_late_where_the_convention_says_so() -> None:
    late = replace(NIR, layer_delay=1)
    assert run(lif(DT, threshold=0.5), [1.0, 0.0, 1.0, 0.0], late) == [0.0, 1.0, 0.0, 1.0]
    assert run(membrane(1, keep=0.0, threshold=0.5), [1.0, 0.0, 1.0, 0.0], late) == [1.0, 0.0, 1.0, 0.0]


def test_a_membrane_is_what_it_says_under_every_convention() -> None:
    node = membrane(1, keep=0.5, threshold=1.0, keep_u=0.25, bias=0.125, drive=-0.25, start=0.5)
    x, u, v, want = [1.0, 1.5, 0.0, 3.0, 0.875], 0.0, 0.5, []
    for now in x:
        u = 0.25 * u + now - 0.25
        v = 0.5 * v + u + 0.125
        want.append(float(v > 1))
        v = 0.0 if v > 1 else v
    assert 0 < sum(want) < len(want)
    for how in PRESETS.values():
        assert run(node, x, how) == want


def test_a_membrane_subtracts_its_threshold_and_fires_at_it_where_it_says_so() -> None:
    node = membrane(1, keep=1.0, threshold=1.0, reset="subtract", at_threshold=True)
    assert run(node, [2.0, 0.0, 0.0, 0.5, 0.5]) == [1.0, 1.0, 0.0, 0.0, 1.0]
    assert run(membrane(1, keep=1.0, threshold=1.0), [1.0, 0.25, 0.0, 1.0]) == [0.0, 1.0, 0.0, 0.0]


def test_a_membrane_without_a_threshold_gives_v() -> None:
    assert run(membrane(1, threshold=np.inf, start=4.0), [1.0, 0.0]) == [3.0, 1.5]


def test_a_loop_that_nothing_feeds_is_refused() -> None:
    nodes: dict[str, Node] = {"in": Input((1,)), "a": membrane(1), "b": membrane(1)}
    with pytest.raises(DeployError, match=r"graph: loop \(a, b\) is not fed from outside; connect an input"):
        ordered(nodes, (("a", "b"), ("b", "a")))


def test_input_of_another_shape_is_refused() -> None:
    with pytest.raises(InputError, match=r"input in: shape \(\(4, 1, 3\)\) is not \(T, B, 2\)"):
        interpret(recurrent(0), np.zeros((4, 1, 3)))
    with pytest.raises(InputError, match=r"record: node \(x\) is not one of in, lif, rec, out"):
        interpret(recurrent(0), np.zeros((4, 1, 2)), record=["x"])


def test_an_li_as_rockpool_writes_it_is_a_synaptic_current() -> None:
    """ExpSynTorch: what is new decays in its own step; r, which is tau exp(-dt / tau) / dt, is not read."""
    keep, v, want = exp(-1 / 8), 0.0, []
    for x in X:
        v = keep * (v + x)
        want.append(v)
    node = LI(full(8e-3), full(8 * keep), full(0.0))
    rockpool = PRESETS["rockpool"]
    assert run(node, X, rockpool) == pytest.approx(want, rel=1e-12)
    edges = (("in", "n"), ("n", "out"))
    folded = FoldNeurons().run(
        Graph({"in": Input((1,)), "n": node, "out": Output()}, edges), Options(dt_s=1e-3, convention=rockpool)
    )
    found = interpret(folded, np.array(X).reshape(-1, 1, 1), rockpool)["out"]
    assert found.reshape(-1).tolist() == pytest.approx(want, rel=1e-12)
