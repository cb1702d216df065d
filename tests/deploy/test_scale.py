"""Large layers cost memory as their weights and neurons do, not as their synapses, nor as neurons squared."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from spikeport.deploy.bounds import prove
from spikeport.deploy.maps.base import Conv
from spikeport.deploy.maps.conv import conv
from spikeport.deploy.network import Population, Projection
from spikeport.deploy.nodes import Delay, Input, Membrane, Node, Output
from spikeport.deploy.passes.paths import paths_into
from spikeport.deploy.quantize.units import v_bound
from spikeport.deploy.witness import find_witness
from spikeport.program import LIF, Program
from spikeport.program import Conv as ConvConnection
from spikeport.program import Input as ProgramInput
from spikeport.program import Output as ProgramOutput
from tests.deploy.graphs import DT_S, graph


def peak_bytes(work: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def readout(map: Conv) -> tuple[Population, list[Projection]]:
    zero = np.zeros(map.target)
    never = np.full(map.target, np.inf)
    return Population("v", map.target, zero, never, zero, zero, zero), [Projection("x", "v", map)]


def test_the_bound_of_a_readout_behind_a_convolution_does_not_write_out_its_synapses() -> None:
    rng = np.random.default_rng(3)
    small = conv(rng.normal(size=(2, 3, 3, 3)), (2, 1), (1, 1), (1, 1), 1, (3, 5, 4))
    p, into = readout(small)
    signs = [(sign * small.weight).clip(min=0) for sign in (1, -1)]
    corner = np.stack([w[:, :, 1:, 1:].sum((1, 2, 3)) for w in signs])  # of some places, all taps meet the image
    whole = np.stack([w.sum((1, 2, 3)) for w in signs])
    assert v_bound(p, into, 1) == pytest.approx(whole.max()) and whole.max() > corner.max()

    large = conv(np.ones((32, 32, 3, 3)), (1, 1), (1, 1), (1, 1), 1, (32, 64, 64))  # 37 million synapses
    assert v_bound(*readout(large), 1) == 32 * 9
    assert peak_bytes(lambda: v_bound(*readout(large), 1)) < 4 * 37e6


def test_delays_of_several_lengths_cost_as_the_neurons_do() -> None:
    n = 40_000
    steps = np.arange(n) % 2
    neurons = Membrane(*np.zeros((6, n)))
    nodes: dict[str, Node] = {"in": Input((n,)), "a": neurons, "d": Delay(steps * DT_S), "b": neurons}
    chain = graph({**nodes, "out": Output()})

    paths = paths_into(chain, chain.shapes(), DT_S)["b"]

    assert [(p.source, p.lag) for p in paths] == [("a", 0), ("a", 1)]
    assert all(np.array_equal(p.map.matrix.diagonal(), steps == p.lag) for p in paths)  # type: ignore[union-attr]
    assert peak_bytes(lambda: paths_into(chain, chain.shapes(), DT_S)) < 1000 * n


def test_a_witness_of_a_large_layer_is_sought_for_fewer_steps() -> None:
    """Of a drive that leaves the word of v only after a thousand steps, on 8 x 128 x 128 sources."""
    shape = (8, 128, 128)
    lif = LIF("lif", shape, du=4095, dv=0, vth=131_071, bias_mant=np.zeros(shape, int))
    link = ConvConnection("x", "lif", np.full((8, 1, 1, 1), 100), groups=8)
    program = Program((lif,), (link,), (ProgramInput("x", shape, "spike"),), (ProgramOutput("y", "lif", reads="v"),))
    (found,) = prove(program)

    assert not found.proven
    assert find_witness(program, found) is None
    assert peak_bytes(lambda: find_witness(program, found)) < 1 << 30
    small = (8, 4, 4)
    lif = LIF("lif", small, du=4095, dv=0, vth=131_071, bias_mant=np.zeros(small, int))
    program = Program((lif,), (link,), (ProgramInput("x", small, "spike"),), (ProgramOutput("y", "lif", reads="v"),))
    witness = find_witness(program, prove(program)[0])
    assert witness is not None and witness.step > 1000
