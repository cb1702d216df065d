"""The ResNet-19 of the benchmark is the paper's, and what is compiled from it spikes as it does."""

from typing import Any

import nir
import numpy as np
import pytest

from spikeport.bench.cases import bernoulli
from spikeport.bench.resnet19 import STAGES, resnet19
from spikeport.chip import LOIHI2
from spikeport.deploy.cores import map_cores
from spikeport.deploy.network import Network
from spikeport.deploy.network_run import arriving, fire
from spikeport.deploy.pipeline import compile_graph
from spikeport.program import Program
from spikeport.sim import simulate

STEPS, SAMPLES, SIDE = 4, 3, 16


def compiled(**options: Any) -> tuple[Network, Program]:
    """The float network as it is quantized, and its integers."""
    stages: dict[str, Any] = {}
    program = compile_graph(
        resnet19(1 / 16, SIDE, **options), steps=STEPS, after=lambda name, stage: stages.update({name: stage})
    )
    return stages["relays"], program


def differing(network: Network, program: Program) -> dict[str, float]:
    """Of each layer's spikes, the share that differs where it hears what the Program's layers send.

    So every layer is judged by itself: weights are random, and nineteen layers of them make a few spikes that differ in
    the first into a third of all in the twelfth.
    """
    x = bernoulli(np.random.default_rng(7), 0.3, (STEPS, SAMPLES, 3, SIDE, SIDE))
    sent = simulate(program, x).sent
    heard: dict[str, Any] = {"input": x.reshape(STEPS, SAMPLES, -1)}
    for p in network.populations:
        heard[p.name] = sent[p.name.replace(".", "_")][p.start - 1 :][:STEPS]
    found = {}
    for p in network.populations:
        wanted, _ = fire(p, arriving(p, network.into(p.name), heard))
        assert wanted.any() and not wanted.all()
        found[p.name] = float(np.mean(heard[p.name] != wanted))
    return found


def test_it_has_the_layers_and_weights_of_the_paper() -> None:
    graph = resnet19()
    kinds = [type(node) for node in graph.nodes.values()]
    weights = sum(n.weight.size for n in graph.nodes.values() if isinstance(n, nir.Conv2d | nir.Affine))

    assert kinds.count(nir.Conv2d) == 1 + 2 * sum(blocks for blocks, _, _ in STAGES) + 2
    assert kinds.count(nir.LIF) == 17 + 2 and kinds.count(nir.Affine) == 2
    assert weights == pytest.approx(12.6e6, rel=0.01)


def test_on_lavas_grid_no_spike_differs() -> None:
    assert set(differing(*compiled(on_grid=True)).values()) == {0.0}


def test_off_the_grid_few_spikes_differ() -> None:
    shares = list(differing(*compiled()).values())

    assert max(shares) < 0.05 and np.mean(shares) < 0.01
    assert any(shares)  # or the test above says nothing


def test_its_hidden_layer_hears_every_place_and_so_has_more_axons_in_than_a_core() -> None:
    """Mean and synapses become one layer: at full width it hears 512 channels of 8 x 8 places, on every core."""
    _, program = compiled()
    (hidden,) = (p for p in map_cores(program, LOIHI2) if p.group == "hidden_lif")
    channels, places = 512 // 16, (SIDE // 4) ** 2
    assert hidden.most("axons in") == channels * places
    assert 16 * channels * 64 == 32_768 > LOIHI2.axons_in_per_core
