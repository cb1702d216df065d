"""The way to a chip, on stand-ins: what is built, what is taken off, and what is refused. The worker runs on Lava."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from spikeport.deploy import loihi
from spikeport.deploy.child import run_child
from spikeport.deploy.lava_env import LavaEnv
from spikeport.deploy.loihi import dry_run, run_loihi, without_delayed_kernels
from spikeport.errors import DeployError, WorkerError
from spikeport.fixed import Ints
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program, SigmaDelta, Sparse
from spikeport.program_file import save_program
from spikeport.sim import simulate
from tests.deploy.fake_board import fake_machine
from tests.lava import lava_or_skip


@pytest.fixture(scope="module")
def env() -> LavaEnv:
    return lava_or_skip(download=False)


def lif(name: str, shape: tuple[int, ...], **values: Any) -> LIF:
    fields = {"du": 4095, "dv": 512, "vth": 40, "bias_mant": np.zeros(shape, np.int64), **values}
    return LIF(name, shape, **fields)


def mixed(rng: np.random.Generator) -> tuple[Program, dict[str, Ints]]:
    """Everything that the chip is told apart from Lava: an image on the host, a kernel, graded spikes, resets."""
    spikes, image = Input("x", (2, 4, 3), "spike"), Input("image", (3,), "bias", 0, 20)
    kernel = Conv("x", "c", 2 * rng.integers(-40, 60, (3, 2, 2, 2)), delay=2)
    groups = (
        lif("c", (3, 3, 2), reset_interval=8, reset_offset=2, bias_mant=rng.integers(-3, 9, (3, 3, 2))),
        lif("coded", (4,), bias_exp=5),
        SigmaDelta("s", (5,), "sigma_delta", vth=1, bias=3, spike_exp=1, state_exp=2),
        lif("y", (2,), du=1024, vth=100),
    )
    dense = [
        Dense("c", "s", 2 * rng.integers(-9, 9, (5, 18))),
        Dense("coded", "s", 2 * rng.integers(-9, 9, (5, 4)), delay=1),
        Dense("s", "y", 2 * rng.integers(-9, 9, (2, 5)), graded=True),
        Dense("x", "coded", 2 * rng.integers(-9, 9, (4, 24))),
    ]
    encoder = Encoder(Dense("image", "coded", 2 * rng.integers(-9, 9, (4, 3))), np.zeros(4, np.int64))
    outputs = (Output("y", "y"), Output("v", "y", reads="v"), Output("s", "s"))
    program = Program(groups, (kernel, *dense), (spikes, image), outputs, (encoder,), latency=4, profile="lava")
    image_x = rng.integers(0, 21, (6, 2, 3))
    image_x[2:4] = image_x[1]  # the host loads it anew at steps 2, 5 and 6 only
    return program, {"x": rng.integers(0, 2, (6, 2, 2, 4, 3)), "image": image_x}


def arrays_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, x: found.update({name: x[()]}) if isinstance(x, h5py.Dataset) else None)
    return found


@pytest.mark.parametrize("late", [(0, 0, 0), (2, 1, 3)])
def test_offsets_of_the_edges_are_found_and_taken_off(
    env: LavaEnv, rng: np.random.Generator, tmp_path: Path, late: tuple[int, int, int]
) -> None:
    program, inputs = mixed(rng)
    run_loihi(program, inputs, ["c", "s"], tmp_path / "y.h5", stand_ins=late, env=env)
    found = arrays_of(tmp_path / "y.h5")
    want = simulate(program, inputs, record=[g.name for g in program.groups]).traces
    facts = json.loads(found.pop("hardware-run/facts"))
    assert [facts["offsets"][name] for name in ("input", "output", "probe")] == list(late)
    assert (facts["steps"], facts["samples"]) == (10, 2)
    keys = {"c/u", "c/v", "c/s", "s/sigma", "s/act", "s/residue", "s/s", "y/v", "y/s"}
    assert found.keys() == keys  # of y its spikes and the v that an output reads, nothing of coded
    for key, x in found.items():
        trace = want[key[0]]
        assert np.array_equal(x, trace.s if key.endswith("/s") else trace.state[key[2:]]), key
    assert want["s"].s.min() < 0 < want["s"].s.max()  # signs came back from words of 24 bits
    assert np.any(want["c"].s) and np.any(want["y"].s)


def test_a_dry_run_says_what_would_be_built(env: LavaEnv, rng: np.random.Generator) -> None:
    program, inputs = mixed(rng)
    found = dry_run(program, inputs, ["c"], power=True, env=env)
    kinds = [p["kind"] for p in found["processes"]]
    assert kinds == ["LIFReset", "LIF", "SigmaDelta", "LIF", "DelaySparse", "Dense", "DelayDense", "Dense", "Dense"]
    assert found["processes"][0]["shape"] == [2, 3, 3]  # as (x, y, c)
    adapters = [(a["name"], a["kind"], a["message_bits"]) for a in found["adapters"]]
    outward = [("c", "NxToPyAdapter", 0), ("s", "NxToPyAdapter", 24), ("y", "NxToPyAdapter", 0)]
    assert adapters == [("x", "PyToNxAdapter", 0), *outward]
    assert found["probes"] == ["c/u", "c/v", "y/v"]
    assert (found["steps"], found["latency"], found["segments"]) == (10, 4, 4)


def test_kernels_with_a_delay_become_synapses_with_one(rng: np.random.Generator) -> None:
    """Held to torch-like correlation by hand: one kernel of 2 x 1 over an image of 2 x 2, stride 1."""
    conv = Conv("x", "c", np.array([[[[4], [6]]]]), weight_exp=1, delay=3)
    program = Program(
        (lif("c", (1, 1, 2)),), (conv,), (Input("x", (1, 2, 2), "spike"),), (Output("y", "c"),), profile="lava"
    )
    (made,) = without_delayed_kernels(program).connections
    assert isinstance(made, Sparse) and (made.weight_exp, made.delay) == (1, 3)
    matrix = np.zeros((2, 4), int)
    matrix[made.row, made.col] = made.weight
    assert matrix.tolist() == [[4, 0, 6, 0], [0, 4, 0, 6]]

    whole, inputs = mixed(rng)
    a, b = (simulate(p, inputs, record=["c", "s", "y"]).traces for p in (whole, without_delayed_kernels(whole)))
    assert all(np.array_equal(a[name].s, b[name].s) for name in a)


def test_what_spikes_in_silence_is_refused_where_inputs_come_late(env: LavaEnv, tmp_path: Path) -> None:
    group = replace(lif("g", (1,)), vth_low=3)  # v = 0 is below it: it spikes at every step
    program = Program(
        (group,), (Dense("x", "g", np.ones((1, 1), int)),), (Input("x", (1,), "spike"),), (Output("y", "g"),)
    )
    x = {"x": np.ones((3, 1, 1), np.int64)}
    with pytest.raises(WorkerError, match="g: spikes in silence, and the board's input comes late"):
        run_loihi(program, x, [], tmp_path / "y.h5", stand_ins=(1, 0, 0), env=env)
    assert list(tmp_path.iterdir()) == []
    run_loihi(program, x, [], tmp_path / "y.h5", stand_ins=(0, 0, 0), env=env)
    assert arrays_of(tmp_path / "y.h5")["g/s"].tolist() == [[[-1]], [[-1]], [[-1]]]


def test_an_edge_later_than_the_pilot_looks_is_said_so(env: LavaEnv, tmp_path: Path) -> None:
    program = Program(
        (lif("g", (1,)),), (Dense("x", "g", np.ones((1, 1), int)),), (Input("x", (1,), "spike"),), (Output("y", "g"),)
    )
    x = {"x": np.ones((3, 1, 1), np.int64)}
    for late, what in (((0, 14, 0), "no spike of"), ((0, 0, 12), "the probe of v shows no counting neuron")):
        with pytest.raises(WorkerError, match=f"pilot: {what}"):
            run_loihi(program, x, [], tmp_path / "y.h5", stand_ins=late, env=env)


def test_what_no_chip_has_is_refused_before_anything_starts(tmp_path: Path) -> None:
    group = lif("g", (1,), refractory_steps=2)
    program = Program(
        (group,), (Dense("x", "g", np.ones((1, 1), int)),), (Input("x", (1,), "spike"),), (Output("y", "g"),)
    )
    nowhere = LavaEnv("3.10", tmp_path / "gone", "given")
    with pytest.raises(DeployError, match="g: refractory_steps has no fixed-point model in Lava"):
        run_loihi(program, {"x": np.ones((3, 1, 1), np.int64)}, [], tmp_path / "y.h5", env=nowhere)


# The folder that is copied to a board ---------------------------------------------------------------------------


SHORT: dict[str, Any] = {"what": "worker", "timeout_s": 60.0}


def test_a_copied_folder_runs_where_lava_loihi_is(env: LavaEnv, tmp_path: Path, rng: np.random.Generator) -> None:
    machine = fake_machine(tmp_path / "machine")
    program, inputs = mixed(rng)
    program = without_delayed_kernels(program)
    save_program(program, tmp_path / "net.h5")
    np.savez(tmp_path / "x.npz", **inputs)
    shutil.copytree(loihi.WORKER.parent, tmp_path / "workers", ignore=shutil.ignore_patterns("__pycache__"))
    variables = " ".join(f"{name}={value}" for name, value in machine.environment.items())
    worker = f"{variables} python3.10 workers/loihi_worker.py net.h5 x.npz y.h5 --record c --samples 1 --power"
    run_child(["/bin/sh", "-c", worker], cwd=tmp_path, **SHORT)
    found = arrays_of(tmp_path / "y.h5")
    first = {name: x[:, :1] for name, x in inputs.items()}
    assert np.array_equal(found["c/u"], simulate(program, first, record=["c"]).traces["c"].u)
    facts = json.loads(found["hardware-run/facts"])
    assert facts["board"] == {"loihi_gen": "N3C1", "nxsdkhost": "10.0.0.7"}
    assert facts["program_file_sha256"] in (tmp_path / "net.h5").read_bytes()[:512].decode("ascii", "replace")
    assert found["hardware-run/step_s/execution"].tolist() == [1e-05, 3e-05]
    assert found["hardware-run/static_power_w/total"].tolist() == [1.25]
    assert found["hardware-run/activity/syn_ops"].tolist() == [100, 11]
