"""Files of every version of nir, written by that version (`tests/vectors/make_nir.py`)."""

import gzip
from dataclasses import fields
from pathlib import Path

import nir
import numpy as np
import pytest

from spikeport.deploy.nodes import IF, LI, LIF, CubaLI, CubaLIF, I, Linear, Scale, SumPool2d, Threshold
from spikeport.deploy.pipeline import compile_graph
from spikeport.deploy.read import read_nir

VECTORS = Path(__file__).parents[2] / "vectors" / "nir"
VERSIONS = ["1.0.0", "1.0.1", "1.0.4", "1.0.5", "1.0.6", "1.0.7", "1.0.8"]
NO_RESET = VERSIONS[:4]


@pytest.fixture(autouse=True)
def quick(forked: Path) -> None:
    """Every file here is read by a fork of one process."""


def unpacked(tmp_path: Path, version: str, name: str) -> Path:
    path = tmp_path / f"{name}.nir"
    path.write_bytes(gzip.decompress((VECTORS / f"{version}_{name}.nir.gz").read_bytes()))
    return path


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["layers", "kinds"])
def test_parameters_are_those_that_nirs_own_reader_gives(tmp_path: Path, version: str, name: str) -> None:
    path = unpacked(tmp_path, version, name)
    assert nir.serialization.read_version(path) == version
    theirs, ours = nir.read(path, type_check=False), read_nir(path)
    assert {name: type(node).__name__ for name, node in ours.nodes.items() if not isinstance(node, Linear)} == {
        name: type(node).__name__
        for name, node in theirs.nodes.items()
        if not isinstance(node, nir.Linear | nir.Affine)
    }
    assert sorted(ours.edges) == sorted(theirs.edges)
    for node_name, node in ours.nodes.items():
        for field in fields(node):
            value = getattr(node, field.name)
            if isinstance(value, np.ndarray) and hasattr(theirs.nodes[node_name], field.name):
                assert np.array_equal(value, getattr(theirs.nodes[node_name], field.name)), (node_name, field.name)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_kind_of_node_is_read(tmp_path: Path, version: str) -> None:
    graph = read_nir(unpacked(tmp_path, version, "kinds"))
    kinds = {"sum": SumPool2d, "if_": IF, "scale": Scale, "cubalif": CubaLIF, "threshold": Threshold, "i": I, "li": LI}
    kinds |= {"cubali": CubaLI} if version >= "1.0.5" else {}
    assert all(type(graph.nodes[name]) is kind for name, kind in kinds.items())
    assert graph.shapes() == {
        **{"input": (1, 4, 6), "sum": (1, 2, 3), "flatten1": (1, 6), "conv": (2, 6), "flatten2": (12,)},
        **({"avg": (1, 2, 3)} if version >= "1.0.4" else {}),
        **{name: (3,) for name in ("linear", "delay", "output", *kinds) if name != "sum"},
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_missing_v_reset_is_remarked(tmp_path: Path, version: str) -> None:
    graph = read_nir(unpacked(tmp_path, version, "layers"))
    said = tuple(f"lif{k}: v_reset is missing and taken as 0" for k in (1, 2))
    assert graph.remarks == (said if version in NO_RESET else ())
    node = graph.nodes["lif1"]
    assert isinstance(node, LIF) and not node.v_reset.any() and node.v_reset.shape == (2, 3, 3)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_network_compiles_to_the_same_integers_from_every_version(tmp_path: Path, version: str) -> None:
    ours, newest = (compile_graph(read_nir(unpacked(tmp_path, v, "layers"))) for v in (version, VERSIONS[-1]))
    assert all(np.array_equal(a.weight, b.weight) for a, b in zip(ours.connections, newest.connections, strict=True))
    assert [(g.vth, g.dv, g.bias_exp) for g in ours.groups] == [(g.vth, g.dv, g.bias_exp) for g in newest.groups]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_recurrent_layer_within_a_graph_is_flat(tmp_path: Path, version: str) -> None:
    graph = read_nir(unpacked(tmp_path, version, "nested"))
    assert list(graph.nodes) == ["input", "affine", "layer.lif", "layer.back", "output"]
    assert graph.feedback == {("layer.back", "layer.lif")}
    assert set(graph.edges) - graph.feedback == {
        *{("input", "affine"), ("affine", "layer.lif"), ("layer.lif", "layer.back"), ("layer.lif", "output")}
    }
