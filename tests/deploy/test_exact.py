"""Networks of small whole numbers give the interpreter's spikes on the chip exactly, ties included."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from spikeport.deploy.convention import NIR, Convention
from spikeport.deploy.graph import Graph
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.nodes import IF, LIF, Conv2d, Delay, Flatten, Input, Node, Output, SumPool2d, Threshold
from spikeport.deploy.pipeline import compile_graph
from spikeport.sim import simulate
from tests.deploy.graphs import DT_S, graph, integrate, linear
from tests.deploy.random_graphs import Builder

STEPS, BATCH, SEEDS = 12, 4, 20
COMPARES = {">": NIR, ">=": replace(NIR, compare=">=")}
RESETS = ("zero", "value", "subtract")


ALL, ALL_OR_NOTHING = ("IF",), ("IF", "LIF", "Threshold")


class Whole(Builder):
    """Weights of -3 to 3, whole biases, thresholds and resets; neurons that keep all, or nothing."""

    def dense(self, source: str, n: int) -> str:
        if len(self.shapes[source]) > 1:
            source = self.add(Flatten(0, -1), source)
        weight = self.rng.integers(-3, 4, (n, self.shapes[source][0])).astype(np.float64)
        return self.add(linear(weight, self.whole_bias(n)), source)

    def image(self, source: str) -> str:
        c = self.shapes[source][0]
        if self.rng.random() < 0.4:
            source = self.add(SumPool2d((2, 2), (1, 2), (0, 1)), source)
        weight = self.rng.integers(-3, 4, (2, c, 2, 2)).astype(np.float64)
        return self.add(Conv2d(weight, self.whole_bias(2), (1, 1), (1, 0), (1, 1), 1), source)

    def whole_bias(self, n: int) -> NDArray[np.float64]:
        return self.rng.integers(-1, 3, n) * float(self.rng.random() < 0.5)

    def whole_neuron(self, *sources: str, kinds: tuple[str, ...]) -> str:
        one = np.ones(self.shapes[sources[0]])
        threshold, reset = one * self.rng.integers(1, 6), -one * self.rng.integers(0, 2)
        node: Node
        match self.rng.choice(kinds):
            case "IF":
                node = IF(one / DT_S, threshold, reset)
            case "LIF":
                node = LIF(DT_S * one, one, 0 * one, threshold, reset)
            case _:
                node = Threshold(threshold)
        return self.add(node, *sources)

    def late(self, source: str) -> str:
        return self.add(Delay(np.full(self.shapes[source], DT_S * self.rng.integers(0, 3))), source)


def whole_graph(seed: int, how: Convention, kinds: tuple[str, ...]) -> Graph:
    """Two or three layers, with branches around them, delays and feedback."""
    rng = np.random.default_rng(seed)
    b = Whole(rng, how)
    end = b.add(Input((1, 4, 5) if rng.random() < 0.4 else (4,)))
    layers: list[str] = []
    for _ in range(int(rng.integers(2, 4))):
        before = end
        is_image = len(b.shapes[end]) == 3 and min(b.shapes[end][1:]) > 1
        end = b.image(end) if is_image else b.dense(end, int(rng.integers(2, 5)))
        end = b.late(end) if rng.random() < 0.2 else end
        aside = [b.dense(before, b.shapes[end][0])] if rng.random() < 0.3 and not is_image else []
        end = b.whole_neuron(end, *aside, kinds=kinds)
        layers.append(end)
        if rng.random() < 0.3 and not is_image:
            b.edges.append((b.dense(end, b.shapes[end][0]), end))
    b.add(Output(), end)
    if rng.random() < 0.3:
        b.add(Output(), layers[0])
    return b.graph()


def differing(before: Graph, how: Convention, seed: int, steps: int = STEPS) -> int:
    """Values of the outputs that the chip gives otherwise than the interpreter."""
    name, entry = next((n, x) for n, x in before.nodes.items() if isinstance(x, Input))
    spikes = np.random.default_rng(seed).integers(0, 2, (steps, BATCH, *entry.shape))
    want = interpret(before, spikes, how)
    program = compile_graph(before, convention=how, steps=steps)
    found = simulate(program, {name: spikes}, engine="reference").outputs
    return sum(int((found[output].reshape(x.shape) != x).sum()) for output, x in want.items())


def check_all(compare: str, reset: str, kinds: tuple[str, ...]) -> None:
    how = replace(COMPARES[compare], reset=reset)  # type: ignore[arg-type]
    numbers = range(10 * RESETS.index(reset), 10 * RESETS.index(reset) + SEEDS)
    assert {seed: n for seed in numbers if (n := differing(whole_graph(seed, how, kinds), how, seed))} == {}


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("compare", COMPARES)
def test_whole_numbers_give_the_interpreters_spikes(compare: str, reset: str) -> None:
    check_all(compare, reset, ALL)


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("compare", COMPARES)
def test_so_do_neurons_that_keep_nothing(compare: str, reset: str) -> None:
    check_all(compare, reset, ALL_OR_NOTHING)


def test_the_graphs_spike_and_meet_their_thresholds() -> None:
    """So that what is held above is not held of silence, and `>` differs from `>=`."""
    rates, ties = [], 0
    for seed in range(SEEDS):
        before = whole_graph(seed, NIR, ALL_OR_NOTHING)
        entry = next(x for x in before.nodes.values() if isinstance(x, Input))
        spikes = np.random.default_rng(seed).integers(0, 2, (STEPS, BATCH, *entry.shape))
        above, at = (interpret(before, spikes, how) for how in COMPARES.values())
        rates += [x.mean() for x in above.values()]
        ties += any(np.any(above[name] != at[name]) for name in above)
    assert sum(0.02 < rate < 0.98 for rate in rates) > len(rates) / 2
    assert ties > SEEDS / 3


def counting(reset: str, compare: str) -> int:
    """Four spikes at random, of weights 1 and -1, into a threshold of 1: some hundred spikes come of them."""
    how = replace(COMPARES[compare], reset=reset)  # type: ignore[arg-type]
    nodes: dict[str, Node] = {"in": Input((4,)), "w": linear([[1.0, 1.0, 1.0, -1.0]]), "n": integrate(1)}
    return differing(graph({**nodes, "out": Output()}), how, seed=0, steps=600)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("compare", COMPARES)
def test_ties_stay_ties_over_many_spikes(reset: str, compare: str) -> None:
    assert counting(reset, compare) == 0


@pytest.mark.parametrize(("compare", "fires"), [(">", 0), (">=", 1)])
@pytest.mark.parametrize("keeps_all", [True, False])
def test_a_sum_that_is_the_threshold_fires_as_the_convention_says(compare: str, fires: int, keeps_all: bool) -> None:
    """Three spikes of weight 0.1 against a threshold of 0.3, which no float sum of tenths is."""
    one = np.ones(1)
    neuron = IF(one / DT_S, 0.3 * one, 0 * one) if keeps_all else LIF(DT_S * one, one, 0 * one, 0.3 * one, 0 * one)
    nodes: dict[str, Node] = {"in": Input((3,)), "w": linear([[0.1, 0.1, 0.1]]), "n": neuron, "out": Output()}
    program = compile_graph(graph(nodes), convention=COMPARES[compare], steps=4)
    found = simulate(program, np.ones((1, 1, 3), np.int64), engine="reference").spikes
    assert found.item() == fires
