"""Each framework's tell-tale is recognised and said; what an exporter gets wrong is mended and said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeport.deploy.convention import PRESETS
from spikeport.deploy.graph import Graph
from spikeport.deploy.guess import convention_named, guess, mended
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.nodes import IF, LIF, CubaLIF, Input, Node, Output
from spikeport.deploy.pipeline import read_as
from spikeport.deploy.read import read_nir
from spikeport.errors import DeployError
from tests.interop.vectors import Vector, read_vectors

VECTORS = read_vectors()
REFUSED = {"sinabs_dense_in_time", "snntorch_integrate"}
AMBIGUOUS = {"norse_integrate": "sinabs"}
"""An IF with r = 1 is written by both."""


CUBA = ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in")


def one(node: Node, name: str = "n") -> Graph:
    nodes: dict[str, Node] = {"in": Input((2,)), name: node, "out": Output()}
    return Graph(nodes, (("in", name), (name, "out")))


def lif(tau: float, r: float) -> LIF:
    return LIF(*(np.full(2, x) for x in (tau, r, 0.0, 1.0, 0.0)))


@pytest.mark.parametrize(
    ("node", "name", "framework", "said"),
    [
        (lif(4e-4, 4.0), "n", "snntorch", "r is tau / 0.0001 s"),
        (lif(4e-4, 1.0), "_1", "spikingjelly", "nodes are named _1"),
        (lif(8.0, 1.0), "n", "sinabs", "tau of n is 8, a number of steps"),
        (lif(8.0, 0.9), "n", "spyx", "tau of n is 8, a number of steps"),
        (lif(4e-6, 1.0), "n", "norse", "tau of n is 4e-06 s"),
        (lif(float(np.float32(1e-3) / np.float32(100)), 1.0), "n", "norse", "tau of n is 1e-05 s"),  # its own default
        (lif(5e-5, 0.9), "n", "nir", "nothing tells a framework"),
        (lif(4e-3, 4 * np.exp(-0.25)), "1_LIFTorch", "rockpool", "a step of 0.001 s"),
        (IF(np.full(2, 1e4), np.ones(2), np.zeros(2)), "n", "spikingjelly", "r of n is 1 / 0.0001 s"),
        (IF(np.ones(2), np.ones(2), np.zeros(2)), "n", "sinabs", "r of n is 1"),
        (lif(4e-3, 1.0), "n", "nir", "nothing tells a framework"),
    ],
)
def test_tell_tales(node: Node, name: str, framework: str, said: str) -> None:
    found = guess(one(node, name))
    assert found.convention.name == framework
    assert said in found.line() and "--convention NAME" in found.line()


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.name not in REFUSED], ids=lambda vector: vector.name)
def test_what_frameworks_exported_is_theirs_or_nobodys(vector: Vector, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """norse's files without its fault are NIR's own form."""
    found = guess(read_nir(vector.write_nir(tmp_path))).convention.name
    assert found in {vector.framework, AMBIGUOUS.get(vector.name, "nir" if vector.framework == "norse" else "")}


def test_norses_tau_is_mended() -> None:
    graph, told = mended(one(lif(4e-6, 1.0)), PRESETS["norse"])
    node = graph.nodes["n"]
    assert isinstance(node, LIF) and node.tau.tolist() == [4e-6 / 1e-3] * 2
    assert told == ("n: tau 4e-06 s is taken as 0.004 s; norse 1.1 multiplies it by its step",)
    assert mended(one(lif(4e-3, 1.0)), PRESETS["norse"])[1] == ()


def test_rockpools_step_is_found_in_r() -> None:
    for dt_s in (1e-4, 1e-3, 2.5e-3):
        found = guess(one(lif(4e-3, 4e-3 * np.exp(-dt_s / 4e-3) / dt_s), "1_LIFTorch"))
        assert found.convention.dt_s == pytest.approx(dt_s, rel=1e-9)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(DeployError, match=r"convention: name \(brian\) is not one of nir, norse, snntorch"):
        convention_named("brian")


def test_what_no_file_of_snntorchs_says_is_said_and_has_a_name() -> None:
    """Both ways of resetting give the same file; the recorded network tells which it was."""
    (vector,) = (v for v in VECTORS if v.name == "snntorch_dense_subtract")
    line = guess(one(lif(4e-4, 4.0))).lines()[1]
    assert "do not say how neurons reset" in line and "--convention snntorch-subtract" in line
    assert replace(PRESETS["snntorch"], **vector.changes) == replace(PRESETS["snntorch-subtract"], name="snntorch")
    assert len(guess(one(lif(4e-3, 1.0))).lines()) == 1


def test_norses_current_is_mended() -> None:
    """`LIFCell` adds all that enters to its current, of which a step at 1 ms keeps 1 - 1e-3 / tau_syn."""
    one_each = (np.full(2, x) for x in (5e-6, 1e-5, 1.0, 0.0, 1.0, 0.0, 1.0))
    node = CubaLIF(**dict(zip(CUBA, one_each, strict=True)))
    graph, told = mended(one(node), PRESETS["norse"])
    found = graph.nodes["n"]
    assert isinstance(found, CubaLIF)
    np.testing.assert_allclose([found.tau_syn[0], found.tau_mem[0], found.w_in[0]], [5e-3, 1e-2, 5.0])
    assert told == (
        "n: tau_mem 1e-05 s is taken as 0.01 s; norse 1.1 multiplies it by its step",
        "n: tau_syn 5e-06 s is taken as 0.005 s; norse 1.1 multiplies it by its step",
        "n: w_in 1 is taken as 5; norse's current takes all that enters",
    )
    assert mended(graph, PRESETS["norse"])[1] == ()


def test_the_recorded_current_of_norse_needs_no_hand(tmp_path: Path) -> None:
    (vector,) = (v for v in VECTORS if v.name == "norse_cuba")
    graph, convention, _ = read_as(read_nir(vector.write_nir(tmp_path)), "norse")
    found = interpret(graph, vector.x, convention, record=tuple(vector.spikes))
    assert all(np.array_equal(found[node], s) for node, s in vector.spikes.items())


def test_what_no_file_of_sinabs_says_is_said_and_has_a_name(tmp_path: Path) -> None:
    """The layers' own default has no floor, and the recorded network tells it."""
    (vector,) = (v for v in VECTORS if v.name == "sinabs_conv")
    found = guess(read_nir(vector.write_nir(tmp_path)))
    assert "--convention sinabs-no-floor" in found.lines()[1]
    assert replace(PRESETS["sinabs"], **vector.changes) == replace(PRESETS["sinabs-no-floor"], name="sinabs")
    assert guess(one(lif(8.0, 1.0))).open == ()  # an LIF has none
