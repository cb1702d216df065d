"""Sigma-delta and resonate-and-fire networks: read, written, and run beside lava-dl."""

import io
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.deploy.lava_env import LavaEnv
from spikeport.deploy.netx import NetxArguments, read_netx, write_netx
from spikeport.deploy.netx.file import write_layers
from spikeport.deploy.netx.lava_dl import LavaDlJob, run_lava_dl
from spikeport.deploy.netx.layers import DenseLayer, Layer
from spikeport.errors import SpikeportError
from spikeport.fixed import Ints
from spikeport.program import LIF, Program, Resonator, SigmaDelta, identical
from tests.deploy.netx.live import STEPS, differing, has_delta_input, job
from tests.deploy.netx.netfile import (
    SDNN,
    Rng,
    conv,
    dense,
    random_resonator_layers,
    random_sigma_delta_layers,
    slayer_layer,
    write_net,
)

Draw = Callable[[Rng], list[Layer]]
KINDS = [random_sigma_delta_layers, random_resonator_layers]
SEEDS = (0, 1, 3, 4, 7, 8, 10)  # few, and every stage, kind and input among them


def drawn(draw: Draw, seed: int, path: Path) -> tuple[Program, NetxArguments]:
    """A network as a file says it, and what must be said beside it."""
    rng = np.random.default_rng(seed)
    write_layers(draw(rng), path)
    bits = int(rng.choice([0, 16])) if draw is random_sigma_delta_layers else 0
    arguments = NetxArguments(spike_exp=int(rng.choice([6, 0, 3])), input_message_bits=bits)
    return read(path, arguments), arguments


def read(path: Path, arguments: NetxArguments) -> Program:
    exponents = {"spike_exp": arguments.spike_exp, "input_message_bits": arguments.input_message_bits}
    return read_netx(path, input_bits=0, **exponents)


@pytest.mark.parametrize("draw", KINDS)
@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_reading_writing_and_reading_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, draw: Draw, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("netx")
    first, _ = drawn(draw, seed, folder / "a.net")

    arguments = write_netx(first, folder / "b.net")

    assert identical(first, read(folder / "b.net", arguments))


def inputs(program: Program, rng: Rng) -> np.ndarray:
    entry, steps = program.inputs[0], STEPS - program.latency
    if entry.kind == "bias":
        return rng.integers(0, 8, (1, *entry.shape))
    if entry.kind == "spike":
        return rng.integers(0, 2, (steps, *entry.shape))
    changes = rng.random((steps, *entry.shape)) < 0.3
    return np.where(changes, rng.integers(-30, 30, changes.shape), 0).cumsum(0).clip(-60, 60)


@pytest.mark.parametrize("draw", KINDS)
def test_lava_dl_gives_the_same_values_from_our_files(tmp_path: Path, env: LavaEnv, draw: Draw) -> None:
    programs, jobs, given_ = [], [], []
    for seed in SEEDS:
        program, _ = drawn(draw, seed, tmp_path / f"{seed}.a.net")
        arguments = write_netx(program, tmp_path / f"{seed}.net")
        x = inputs(program, np.random.default_rng(seed))
        programs.append(program)
        given_.append(x)
        jobs.append(job(program, tmp_path / f"{seed}.net", arguments, x))

    found = [differing(*one) for one in zip(programs, given_, run_lava_dl(jobs, env=env), strict=True)]

    assert [wrong for wrong, _ in found] == [0] * len(found)
    assert sum(fired > 0 for _, fired in found) > 5
    groups = [g for p in programs for g in p.groups]
    if draw is random_resonator_layers:
        assert {g.kind for g in groups if isinstance(g, Resonator)} == {"rf", "rf_izhikevich"}
    else:
        assert {g.stage for g in groups if isinstance(g, SigmaDelta)} == {"delta", "sigma", "sigma_delta"}
        assert any(has_delta_input(p) for p in programs) and any(p.inputs[0].kind == "spike" for p in programs)
        assert {j.arguments.spike_exp for j in jobs} == {0, 3, 6}
        assert any(j.arguments.input_message_bits for j in jobs)
    assert any(isinstance(g, LIF) for g in groups)


def test_slayers_own_files_mean_the_same_to_lava_dl(tmp_path: Path, env: LavaEnv, rng: Rng) -> None:
    """Not ours: biases per neuron, delays of outputs, flat inputs, a sigma convolution, CUBA neurons between."""

    def even(*shape: int) -> Ints:
        return 2 * rng.integers(-3, 4, shape)

    sdnn, output = {"neuron": SDNN}, {"neuron": {**SDNN, "sigma_output": True}}
    image, flat = slayer_layer("input", shape=(2, 3, 4), **sdnn), slayer_layer("input", shape=(4,), **sdnn)
    bias = rng.integers(0, 9, (3, 2, 2))
    files = [
        (
            image,
            conv(even(2, 2, 2, 2, 1), (2, 2, 3), bias=bias, **sdnn),
            slayer_layer("flatten"),
            dense(even(3, 12), **output),
        ),
        (image, conv(even(4, 1, 2, 2), (4, 2, 2), groups=2, stride=(1, 2), **output)),
        (flat, dense(even(5, 4), delay=np.arange(5), **sdnn), dense(even(3, 5), bias=[5, -6, 7])),
        (flat, dense(8 * even(5, 4), bias=np.full(5, 9)), dense(even(3, 5), bias=[5, -6, 7], **sdnn)),
    ]
    paths = [write_net(tmp_path / f"{number}.net", *layers) for number, layers in enumerate(files)]
    programs = [read_netx(path, spike_exp=0) for path in paths]
    given_ = [inputs(p, rng) for p in programs]
    jobs = [job(p, path, NetxArguments(spike_exp=0), x) for p, path, x in zip(programs, paths, given_, strict=True)]

    found = [differing(*one) for one in zip(programs, given_, run_lava_dl(jobs, env=env), strict=True)]

    assert [wrong for wrong, _ in found] == [0] * len(files)
    assert all(fired > 0 for _, fired in found)


def test_lava_dl_loses_a_unit_of_whole_decays_and_none_of_ours(tmp_path: Path, env: LavaEnv, rng: Rng) -> None:
    """Which whole ones it loses is a matter of the last bit of a float; ours lie between two integers."""
    layers: list[Layer] = []
    while len(layers) < 8:
        layers += [layer for layer in random_resonator_layers(rng) if isinstance(layer, DenseLayer)][:1]
    decays = [(d.neuron.sin_decay, d.neuron.cos_decay) for d in layers]  # type: ignore[union-attr]
    jobs = []
    for number, (layer, pair) in enumerate(zip(layers, decays, strict=True)):
        for path in (tmp_path / f"{number}.ours.net", tmp_path / f"{number}.whole.net"):
            write_layers([layer], path)
            jobs.append(LavaDlJob(path, NetxArguments(), 1, spikes=np.zeros((1, layer.weight.shape[1]), np.int64)))  # type: ignore[union-attr]
        with h5py.File(path, "a") as file:
            for name, value in zip(("sinDecay", "cosDecay"), pair, strict=True):
                file[f"layer/0/neuron/{name}"][()] = value

    states = [run[0].state for run in run_lava_dl(jobs, env=env)]

    found = [(int(state["sin_decay"][0]), int(state["cos_decay"][0])) for state in states]
    assert found[::2] == decays
    lost = np.array(decays) - np.array(found[1::2])
    assert np.abs(lost).max() == 1 and (np.abs(lost) <= np.abs(np.array(decays))).all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("draw", KINDS)
def test_a_damaged_file_is_read_or_refused_on_purpose(tmp_path: Path, draw: Draw, seed: int) -> None:
    drawn(draw, seed, tmp_path / "a.net")
    whole, rng = (tmp_path / "a.net").read_bytes(), np.random.default_rng(seed)
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(rng.integers(1, 6)):
            damaged[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
        try:
            read_netx(io.BytesIO(bytes(damaged)))
        except SpikeportError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused
