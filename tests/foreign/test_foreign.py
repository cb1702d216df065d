"""The networks that the package ships are those that tests/trained recorded, file by file."""

from pathlib import Path

import numpy as np
import pytest

from spikeport import foreign
from spikeport.deploy import compile_graph, read_nir
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.pipeline import read_as
from spikeport.errors import FileError, InputError
from spikeport.sim import simulate
from tests.trained.nets import FOLDER, read_trained

TRAINED = {net.name.removesuffix("_digits_dense"): net for net in read_trained()}


@pytest.mark.parametrize("framework", foreign.FRAMEWORKS)
def test_a_network_and_its_recording_are_the_tested_ones(framework: str) -> None:
    net = TRAINED[framework]
    assert foreign.network(framework).read_bytes() == net.graph.read_bytes()
    assert np.array_equal(foreign.recorded(framework), net.out)


def test_the_digits_are_the_tested_ones() -> None:
    assert (foreign.FOLDER / "digits.npz").read_bytes() == (FOLDER / "digits.npz").read_bytes()
    data, net = foreign.digits(), TRAINED["snntorch"]
    assert data.spikes.shape == (20, 397, 64) and data.calibration.shape == (20, 256, 64)
    assert np.array_equal(data.spikes, net.spikes) and np.array_equal(data.calibration, net.calibration)
    assert np.array_equal(data.labels, net.labels)


@pytest.mark.parametrize("framework", foreign.FRAMEWORKS)
def test_a_file_is_known_as_its_framework_s_and_runs_as_there(framework: str) -> None:
    graph, convention, _ = read_as(read_nir(foreign.network(framework)))
    (out,) = interpret(graph, foreign.digits().spikes[:, :64], convention).values()
    assert convention.name == framework
    assert np.array_equal(out, foreign.recorded(framework))


def test_what_is_written_compiles_and_runs(tmp_path: Path) -> None:
    foreign.write(tmp_path)
    program = compile_graph(tmp_path / "other.nir", steps=20, classes=10)
    with np.load(tmp_path / "x.npz") as file:
        right = simulate(program, file["spikes"]).spikes.sum(0).argmax(1) == file["labels"]
    assert right.mean() > 0.97


def test_an_unknown_framework_and_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^foreign: framework \(brian\) is not one of snntorch, norse"):
        foreign.network("brian")
    with pytest.raises(FileError, match="cannot be written"):
        foreign.write(tmp_path / "none")
