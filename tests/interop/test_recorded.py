"""Networks that five frameworks built, ran and exported give the same spikes in the interpreter, spike for spike."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.interop.vectors import Vector, read_vectors

VECTORS = {vector.name: vector for vector in read_vectors()}
SAID = [vector for vector in VECTORS.values() if not vector.beyond]
BEYOND = [vector for vector in VECTORS.values() if vector.beyond]
REFUSED = {
    "sinabs_dense_in_time": r"input: shape \(\(60, 8\)\) has more axes",
    "snntorch_integrate": "1: tau .* is not a finite number",
}


def differing(vector: Vector, folder: Path) -> dict[str, int]:
    """How many values of each layer the interpreter gives otherwise, of the file as meant, under the convention."""
    from spikeport.deploy.convention import PRESETS
    from spikeport.deploy.interpreter import interpret
    from spikeport.deploy.read import read_nir

    graph = read_nir(vector.write_meant(folder))
    convention = replace(PRESETS[vector.preset], **vector.changes)
    found = interpret(graph, vector.x, convention, record=tuple(vector.spikes))
    return {node: int(np.count_nonzero(found[node] != s)) for node, s in vector.spikes.items()}


@pytest.mark.parametrize("vector", SAID, ids=lambda vector: vector.name)
def test_the_interpreter_gives_the_frameworks_spikes(vector: Vector, tmp_path: Path) -> None:
    assert differing(vector, tmp_path) == dict.fromkeys(vector.spikes, 0)


@pytest.mark.parametrize("vector", BEYOND, ids=lambda vector: vector.name)
def test_what_neither_file_nor_convention_says_changes_spikes(vector: Vector, tmp_path: Path) -> None:
    assert all(differing(vector, tmp_path).values())


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())
def test_files_are_read_as_exported_or_refused_by_name(vector: Vector, tmp_path: Path) -> None:
    from spikeport.deploy.read import read_nir
    from spikeport.errors import DeployError

    path = vector.write_nir(tmp_path)
    if vector.name in REFUSED:
        with pytest.raises(DeployError, match=REFUSED[vector.name]):
            read_nir(path)
    else:
        assert vector.spikes.keys() <= read_nir(path).nodes.keys()
