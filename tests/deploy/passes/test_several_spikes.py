"""Copies of neurons that send several spikes have names of their own, whatever else the graph holds."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.deploy.convention import PRESETS
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.network import Network
from spikeport.deploy.network_run import run_network
from spikeport.deploy.nodes import Input, Node, Output, Threshold
from spikeport.deploy.options import Options
from spikeport.deploy.pipeline import TO_NETWORK, run_passes
from tests.deploy.graphs import DT_S, graph, lif, linear

HOW = replace(PRESETS["rockpool"], dt_s=DT_S)


@pytest.mark.parametrize("other", ["m", "n.1", "n.2"])
def test_a_copy_does_not_take_the_name_of_another_node(other: str) -> None:
    rng = np.random.default_rng(1)
    nodes: dict[str, Node] = {
        "in": Input((4,)),
        "w": linear(rng.normal(0.4, 0.3, (3, 4))),
        other: Threshold(np.full(3, 0.6)),
    }
    nodes |= {"u": linear(rng.normal(0.5, 0.3, (3, 3))), "n": lif(3, v_threshold=0.6), "out": Output()}
    before = graph(nodes)
    options = Options(dt_s=DT_S, convention=HOW, steps=32, copies=8)
    x = (rng.random((30, 5, 4)) < 0.5).astype(np.uint8)
    want = interpret(before, x, HOW)["out"]
    assert 1 < want.max() <= 8

    after: Network = run_passes(TO_NETWORK, before, options, lambda name, stage: None)

    names = [p.name for p in after.populations]
    assert len(set(names)) == len(names)
    assert np.array_equal(np.rint(run_network(after, {"in": x})[after.outputs[0].source]), want)
