"""The recorded vectors hold what their documents say, and show what exporters leave out or write otherwise."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.interop.environments import FRAMEWORKS, PACKAGES
from tests.interop.vectors import Vector, read_vectors
from tests.interop.worker import BATCH, CLEAR, STEPS

VECTORS = {vector.name: vector for vector in read_vectors()}
README = Path(__file__).with_name("README.md").read_text()
SINGLE_ROUNDING = 2e-7  # relative; files hold float32, the formulas here are float64
every = pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())


def nodes(name: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Every node's fields, as plain HDF5."""
    with h5py.File(VECTORS[name].write_nir(folder)) as file:
        return {node: {key: item[()] for key, item in group.items()} for node, group in file["node/nodes"].items()}


def all_equal(values: Any, expected: float) -> bool:
    return bool(np.allclose(values, expected, rtol=SINGLE_ROUNDING, atol=0))


def test_every_framework_has_vectors() -> None:
    assert {vector.framework for vector in VECTORS.values()} == set(FRAMEWORKS)


@every
def test_a_vector_says_where_it_comes_from(vector: Vector) -> None:
    versions = {f"{name}=={version.split('+')[0]}" for name, version in vector.provenance["versions"].items()}
    assert versions - {"torch==2.13.0"} <= set(PACKAGES[vector.framework])
    assert vector.provenance["made_by"] == f"tests/interop/{vector.framework}_worker.py record"
    assert f"`{vector.name}`" in README


@every
def test_a_vector_is_spikes_in_time_first(vector: Vector) -> None:
    assert vector.x.shape[:2] == (STEPS, BATCH)
    assert set(np.unique(vector.x)) == {0, 1}
    assert all(s.shape[:2] == (STEPS, BATCH) and s.any() for s in vector.spikes.values())


@every
def test_membranes_stay_clear_of_their_thresholds_unless_ties_are_the_point(vector: Vector) -> None:
    if vector.provenance["ties"]:
        assert vector.provenance["clearance"] == 0
    else:
        assert vector.provenance["clearance"] >= CLEAR


@every
def test_the_file_has_the_layers_and_what_is_meant_is_not_what_it_says(vector: Vector, tmp_path: Path) -> None:
    found = nodes(vector.name, tmp_path)
    assert vector.spikes.keys() <= found.keys()
    for node, parameters in vector.meant.items():
        differing = [key for key, value in parameters.items() if not _holds(found[node].get(key), value)]
        assert differing, f"{node}: the file says what is meant"


def _holds(value: Any, meant: Any) -> bool:
    if value is None or isinstance(meant, str):
        return value is not None and value.decode() == meant
    return np.shape(meant) in ((), np.shape(value)) and bool(np.all(value == np.float32(meant)))


def test_norse_multiplies_tau_by_dt(tmp_path: Path) -> None:
    assert all_equal(nodes("norse_dense", tmp_path)["1"]["tau"], 1e-3 / 250)
    assert all_equal(nodes("norse_dense_dt_1", tmp_path)["1"]["tau"], 1 / 250)


def test_norse_leaves_out_v_reset_and_w_in(tmp_path: Path) -> None:
    assert not nodes("norse_reset_value", tmp_path)["1"]["v_reset"].any()
    assert all_equal(nodes("norse_cuba", tmp_path)["1"]["w_in"], 1)


@pytest.mark.parametrize(("node", "beta"), [("1", 0.75), ("3", 0.5)])
def test_snntorch_writes_r_as_tau_over_dt(node: str, beta: float, tmp_path: Path) -> None:
    lif = nodes("snntorch_dense", tmp_path)[node]
    assert all_equal(lif["tau"], 1e-4 / (1 - beta))
    assert all_equal(lif["r"], 1 / (1 - beta))


def test_snntorch_writes_an_integrator_with_infinite_tau_and_r(tmp_path: Path) -> None:
    lif = nodes("snntorch_integrate", tmp_path)["1"]
    assert np.isinf(lif["tau"]).all() and np.isinf(lif["r"]).all()


def test_snntorch_writes_pools_as_numbers(tmp_path: Path) -> None:
    assert nodes("snntorch_conv", tmp_path)["2"]["kernel_size"].shape == ()


def test_snntorchs_file_does_not_say_how_it_is_reset(tmp_path: Path) -> None:
    zero, late = nodes("snntorch_dense", tmp_path), nodes("snntorch_dense_subtract", tmp_path)
    for node in ("1", "3"):
        assert all(np.array_equal(zero[node][key], late[node][key]) for key in zero[node])
    assert not np.array_equal(VECTORS["snntorch_dense"].spikes["1"], VECTORS["snntorch_dense_subtract"].spikes["1"])


def test_spikingjelly_says_with_r_whether_the_input_is_decayed(tmp_path: Path) -> None:
    assert all_equal(nodes("spikingjelly_dense", tmp_path)["_1"]["r"], 1)
    assert all_equal(nodes("spikingjelly_dense_undecayed", tmp_path)["_1"]["r"], 4)
    assert all_equal(nodes("spikingjelly_integrate", tmp_path)["_1"]["r"], 1e4)


def test_sinabs_writes_tau_in_steps_and_leaves_out_tau_syn(tmp_path: Path) -> None:
    found = nodes("sinabs_synaptic", tmp_path)["1"]
    assert found["type"] == b"LIF" and all_equal(found["tau"], 8)


def test_sinabs_writes_the_axis_of_time_into_the_input(tmp_path: Path) -> None:
    assert nodes("sinabs_dense_in_time", tmp_path)["input"]["shape"].tolist() == [STEPS, 8]
    assert nodes("sinabs_dense", tmp_path)["input"]["shape"].tolist() == [8]


def test_rockpools_r_holds_dt(tmp_path: Path) -> None:
    lif = nodes("rockpool_dense", tmp_path)["1_LIFNeuronTorch"]
    assert np.allclose(lif["r"], 4e-3 * np.exp(-1e-3 / 4e-3) / 1e-3, rtol=1e-6)


def test_rockpool_leaves_out_bias_and_recurrent_weights(tmp_path: Path) -> None:
    assert not nodes("rockpool_cuba_bias", tmp_path)["1_LIFTorch"]["v_leak"].any()
    assert sorted(nodes("rockpool_recurrent", tmp_path)) == ["0_LinearTorch", "1_LIFTorch", "input", "output"]
