"""Random graphs send the same after every pass, and on a chip's time: all outputs, and all layers still there."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from spikeport.chip import LOIHI2
from spikeport.deploy.convention import PRESETS, Convention
from spikeport.deploy.graph import Graph
from spikeport.deploy.options import Options
from tests.deploy.hardware import run_on_hardware
from tests.deploy.passes.stages import DT_S, HOWS, check_same, neurons, sent_by, spikes_for, stages
from tests.deploy.random_graphs import NEURONS, random_graph, tangled_graph

MAX_DELAYS = (62, 0, 1)


def tangled(seed: int, how: Convention, kinds: tuple[str, ...]) -> Graph:
    return tangled_graph(seed, how, restless=seed % 2 == 1, kinds=kinds)


def layered(seed: int, how: Convention, kinds: tuple[str, ...]) -> Graph:
    return random_graph(seed, how, kinds=kinds)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", HOWS)
@pytest.mark.parametrize("make", [layered, tangled])
def test_every_pass_keeps_what_is_sent(
    make: Callable[[int, Convention, tuple[str, ...]], Graph], name: str, seed: int
) -> None:
    how, number = HOWS[name], list(HOWS).index(name) + 8 * seed
    kinds = NEURONS if how.reset != "subtract_late" else tuple(kind for kind in NEURONS if kind != "CubaLIF")
    check_every_pass(make(number, how, kinds), how, number)


def check_every_pass(graph: Graph, how: Convention, number: int, copies: int = 0) -> None:
    chip = replace(LOIHI2, max_delay=MAX_DELAYS[number % 3])
    options = Options(chip=chip, dt_s=how.dt_s, convention=how, steps=30, copies=copies)
    inputs, layers = spikes_for(graph, np.random.default_rng(number)), neurons(graph)
    want = sent_by(graph, inputs, how, layers)
    outputs = want.keys() - layers

    for step, stage in stages(graph, options):
        found = sent_by(stage, inputs, how, layers)
        assert found.keys() >= outputs
        for layer, values in found.items():
            check_same(values, want[layer], f"{layer} after {step}")

    for output, values in run_on_hardware(stage, inputs).items():
        check_same(values, want[output], f"{output} on the chip")


@pytest.mark.parametrize("name", ["sinabs", "rockpool"])
def test_several_spikes_a_step_are_kept_by_as_many_copies(name: str) -> None:
    """Of v there is no floor on a chip, so none here."""
    how = replace(PRESETS[name], dt_s=DT_S, floor=False)
    held = 0
    for seed in range(80):
        graph = tangled(seed, how, NEURONS)
        layers = neurons(graph)
        sent = sent_by(graph, spikes_for(graph, np.random.default_rng(seed)), how, layers)
        most = int(max((sent[layer].max() for layer in layers), default=0))
        if 2 <= most <= 4:
            check_every_pass(graph, how, seed, copies=most)
            held += 1
        if held == 5:
            return
    raise AssertionError(f"{held} graphs alone")


@pytest.mark.parametrize("name", HOWS)
def test_the_graphs_spike(name: str) -> None:
    """So that what is held above is not held of silence alone."""
    how = HOWS[name]
    rates = []
    for seed in range(10):
        graph = tangled(seed, how, NEURONS if how.reset != "subtract_late" else ("IF", "LIF"))
        layers = neurons(graph)
        sent = sent_by(graph, spikes_for(graph, np.random.default_rng(seed)), how, layers)
        rates += [sent[layer].mean() for layer in layers if np.all((sent[layer] == 0) | (sent[layer] == 1))]
    assert sum(0.02 < rate < 0.98 for rate in rates) > len(rates) / 2
