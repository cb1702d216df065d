"""Each framework's tell-tale is recognised and said; what an exporter gets wrong is mended and said."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.deploy.convention import PRESETS
from spikeport.deploy.graph import Graph
from spikeport.deploy.guess import convention_named, guess, mended
from spikeport.deploy.nodes import IF, LIF, Input, Node, Output
from spikeport.deploy.read import read_nir
from spikeport.errors import DeployError
from tests.interop.vectors import Vector, read_vectors

VECTORS = read_vectors()
REFUSED = {"sinabs_dense_in_time", "snntorch_integrate"}
AMBIGUOUS = {"norse_integrate": "sinabs"}
"""An IF with r = 1 is written by both."""


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
