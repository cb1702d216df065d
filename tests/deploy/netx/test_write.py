"""Programs become `.net` files that lose nothing, and that lava-dl runs spike for spike."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.deploy.lava_env import WORKER as LAVA_WORKER
from spikeport.deploy.lava_env import LavaEnv
from spikeport.deploy.netx import NetxArguments, read_netx, write_netx
from spikeport.deploy.netx.distortion import distorted
from spikeport.deploy.netx.file import write_layers
from spikeport.deploy.netx.lava_dl import WORKER, LavaDlJob, run_lava_dl
from spikeport.deploy.netx.layers import DenseLayer, Neuron
from spikeport.errors import DeployError, FileError
from spikeport.fixed import Ints
from spikeport.program import (
    LIF,
    Connection,
    Conv,
    Dense,
    Encoder,
    Input,
    Output,
    Program,
    Sparse,
    identical,
)
from spikeport.sim import simulate
from tests.deploy.netx.live import STEPS, differing, job
from tests.deploy.netx.netfile import conv, dense, random_layers, slayer_layer, spikes, write_net

flatten = slayer_layer("flatten")


def group(name: str, shape: tuple[int, ...], **values: Any) -> LIF:
    fields = {"du": 4095, "dv": 1024, "vth": 30, "bias_mant": np.zeros(shape, np.int64), "bias_exp": 6, **values}
    return LIF(name, shape, **fields)


def chain(*connections: Connection, groups: tuple[LIF, ...] | None = None, **values: Any) -> Program:
    if groups is None:
        groups = tuple(group(c.target, c.weight.shape[:1]) for c in connections)
    fields: dict[str, Any] = {"inputs": (Input("x", (3,), "spike"),), "outputs": (Output("y", groups[-1].name),)}
    return Program(groups, connections, **{**fields, **values})


W = np.array([[2, -4, 6], [8, 10, -12]])


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), interval=st.sampled_from([0, 1, 7, 16]), offset=st.integers(0, 20))
def test_reading_writing_and_reading_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, seed: int, interval: int, offset: int
) -> None:
    folder = tmp_path_factory.mktemp("netx")
    write_layers(random_layers(np.random.default_rng(seed)), folder / "a.net")
    first = read_netx(folder / "a.net", reset_interval=interval, reset_offset=offset, input_bits=3)

    arguments = write_netx(first, folder / "b.net")
    second = read_netx(
        folder / "b.net", reset_interval=arguments.reset_interval, reset_offset=arguments.reset_offset, input_bits=3
    )

    assert identical(first, second)
    assert arguments == NetxArguments(interval, offset % interval if interval else 0, 3 if first.encoders else 0)


def test_a_program_of_our_own_keeps_every_spike(tmp_path: Path, rng: np.random.Generator) -> None:
    """Sparse weights, exponents and names have no place in a file; what they do has."""
    sparse = Sparse("b", "c", np.array([0, 1, 1]), np.array([0, 1, 2]), np.array([8, -4, 60]), 2, np.array([1, 0, 5]))
    links = (Dense("x", "a", W, 3), Dense("a", "b", 4 * W[:, :2].T[[0, 1, 0]], -2, 4), sparse)
    groups = (group("a", (2,)), group("b", (3,), bias_mant=np.array([20, -8, 3]), bias_exp=7), group("c", (2,)))
    program = chain(*links, groups=groups, latency=3)
    x = rng.integers(0, 2, (STEPS, 2, 3))

    write_netx(program, tmp_path / "a.net")

    read = read_netx(tmp_path / "a.net")
    assert np.array_equal(simulate(read, x).spikes, simulate(program, x).spikes)
    assert simulate(read, x).spikes.any()


SELF = Dense("a", "a", 2 * np.eye(2, dtype=np.int64) - 2)
CONV = Conv("x", "a", 2 * np.arange(-4, 4).reshape(2, 1, 2, 2))
IMAGE = Input("x", (1, 3, 3), "spike")
MAP = group("a", (2, 2, 2))
PIXELS = Input("x", (1, 3, 3), "bias")
REFUSED: list[tuple[Program, str]] = [
    (
        chain(Dense("x", "g", W), groups=(group("g", (2,), vth_low=-9),)),
        "g: neurons or spikes are not LIF without rest",
    ),
    (chain(Dense("x", "g", W), groups=(group("g", (2,), reset="subtract"),)), "g: neurons or spikes are not LIF"),
    (chain(Dense("x", "g", W), groups=(group("g", (2,), refractory_steps=2),)), "g: neurons or spikes are not"),
    (chain(Dense("x", "g", W, graded=True)), "x -> g: graded (True) is not False; lava-dl counts the payloads of SDNN"),
    (
        chain(Dense("x", "a", W), Dense("x", "b", W), groups=(group("a", (2,)), group("b", (2,)))),
        "program: connections (x -> a, x -> b) are not one chain; a .net holds one chain of layers",
    ),
    (
        chain(Dense("x", "a", W), Dense("a", "b", W.T[:, :2]), outputs=(Output("y", "a"),)),
        "program: outputs (a) are not the last layer b",
    ),
    (chain(Dense("x", "a", 0 * W)), "a: all weights are 0: lava-dl stops with an OverflowError; remove the layer"),
    (chain(Dense("x", "a", 64 * W // 4, 2)), "a: weights (-768 to 640) are not in [-256, 255]; lava-dl clips them"),
    (chain(Dense("x", "a", -(2 ** abs(W)) // 64)), "a: lava-dl would change 1 of 6 weights (they are -64 to -1)"),
    (chain(Dense("x", "a", W, -2)), "a: weight exponent (-2) leaves fractions of weights; run this Program itself"),
    (
        chain(Dense("x", "a", W), groups=(group("a", (2,), bias_mant=np.array([1, 2]), bias_exp=5),)),
        "a: bias (bias_exp 5) is not in steps of 64; run this Program itself",
    ),
    (
        chain(Dense("x", "a", W), groups=(group("a", (2,), bias_mant=np.array([0, 4095]), bias_exp=7),)),
        "a: bias in steps of 64 (8190) is not in [-4096, 4095]",
    ),
    (
        chain(Dense("x", "a", W), replace(SELF, delay=1), groups=(group("a", (2,)),)),
        "a: delay of a recurrent layer is not supported; lava-dl drops the weights' exponent there",
    ),
    (
        chain(Dense("x", "a", W), SELF, SELF, groups=(group("a", (2,)),)),
        "a: recurrent connections (2) exceed 1",
    ),
    (
        chain(replace(CONV, delay=2), groups=(MAP,), inputs=(IMAGE,)),
        "a: delay of a convolution (2) is not 0; lava-dl ignores it",
    ),
    (
        chain(CONV, Dense("a", "a", 2 * np.eye(8, dtype=int) - 2), groups=(MAP,), inputs=(IMAGE,)),
        "a: convolution of a recurrent layer is not supported; run this Program itself",
    ),
    (
        chain(
            Dense("x", "a", 2 * np.tile(W, (4, 1))),
            Conv("a", "b", CONV.weight[:1].repeat(2, 1)),
            groups=(MAP, group("b", (1, 1, 1))),
        ),
        "b: convolution after a dense layer is not supported by lava-dl",
    ),
    (
        chain(encoders=(Encoder(CONV, np.zeros((2, 2, 2), int)),), inputs=(PIXELS,), groups=(MAP,)),
        "a: first layer, computed on the host, has no place in a .net; a .net's input is weight * x + bias",
    ),
    (
        chain(
            encoders=(Encoder(Conv("x", "a", np.array([[[[2]]]])), np.zeros((1, 3, 3), int)),),
            inputs=(PIXELS,),
            groups=(group("a", (1, 3, 3), bias_exp=2),),
        ),
        "a: bias_exp (2) is not 6; run this Program itself",
    ),
    (
        chain(
            Dense("x", "a", W),
            Dense("a", "b", W.T[:, :2]),
            groups=(group("a", (2,), reset_interval=8, reset_offset=3), group("b", (3,), reset_interval=8)),
        ),
        "b: reset (every 8 steps from 0) is not every 8 steps from 4, one step after the layer before",
    ),
]


@pytest.mark.parametrize(("program", "words"), REFUSED, ids=[words[:40] for _, words in REFUSED])
def test_what_a_file_cannot_hold_is_refused_and_nothing_is_written(
    tmp_path: Path, program: Program, words: str
) -> None:
    with pytest.raises(DeployError) as refused:
        write_netx(program, tmp_path / "a.net")
    assert words in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        write_netx(chain(Dense("x", "a", W)), tmp_path / "no" / "a.net")


def test_both_workers_run_in_one_environment() -> None:
    header = re.compile(r"# /// script\n.*?# ///\n", re.DOTALL)
    found = [header.search(path.read_text()) for path in (WORKER, LAVA_WORKER)]
    assert found[0] and found[1] and found[0][0] == found[1][0]


# Live ----------------------------------------------------------------------------------------------------------


def test_lava_dl_gives_the_same_spikes_from_our_files(tmp_path: Path, env: LavaEnv) -> None:
    programs, jobs, inputs = [], [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        write_layers(random_layers(rng), tmp_path / f"{seed}.a.net")
        program = read_netx(tmp_path / f"{seed}.a.net", reset_interval=[0, 9][seed % 2], reset_offset=1, input_bits=0)
        arguments = write_netx(program, tmp_path / f"{seed}.net")
        shape, length = program.inputs[0].shape, STEPS - program.latency
        x = rng.integers(0, 2, (length, *shape)) if not program.encoders else rng.integers(0, 8, (1, *shape))
        programs.append(program)
        inputs.append(x)
        jobs.append(job(program, tmp_path / f"{seed}.net", arguments, x))

    found = [differing(*one) for one in zip(programs, inputs, run_lava_dl(jobs, env=env), strict=True)]

    assert [wrong for wrong, _ in found] == [0] * len(found)
    assert sum(fired > 0 for _, fired in found) > 5
    kinds = {type(c).__name__ for p in programs for c in p.connections} | {"Encoder" for p in programs if p.encoders}
    assert kinds == {"Conv", "Dense", "Encoder"}
    assert any(c.source == c.target for p in programs for c in p.connections)
    assert any(np.any(c.delay) for p in programs for c in p.connections)


def test_slayers_own_files_mean_the_same_to_lava_dl(tmp_path: Path, env: LavaEnv, rng: np.random.Generator) -> None:
    """Not ours: delays of outputs, time axes of kernels, biases per neuron, layers without neurons, flat images."""

    def even(*shape: int) -> Ints:
        return 2 * rng.integers(-20, 40, shape)

    files = [
        (
            spikes(1, 1, 4),
            flatten,
            dense(even(5, 4), delay=rng.integers(0, 63, 5)),
            dense(even(5, 5), delay=np.arange(5)),
        ),
        (spikes(4), dense(even(3, 4), delay=[4, 0, 9, 1]), dense(even(2, 3), neuron=None)),
        (spikes(2, 4, 5), conv(even(2, 2, 3, 2, 1), (2, 2, 4), bias=rng.integers(0, 9, (4, 2, 2)), stride=1)),
        (slayer_layer("input", shape=(6,), weight=[40], bias=[36]), dense(even(4, 6), bias=rng.integers(0, 9, 4))),
        (slayer_layer("input", shape=(2, 3, 4)), conv(even(4, 1, 2, 2), (4, 2, 2), groups=2, stride=(1, 2))),
    ]
    paths = [write_net(tmp_path / f"{number}.net", *layers) for number, layers in enumerate(files)]
    programs = [read_netx(path, reset_interval=12, input_bits=0) for path in paths]
    inputs = [rng.integers(0, 2, (STEPS - p.latency, *p.inputs[0].shape)) for p in programs]
    jobs = [job(p, path, NetxArguments(12), x) for p, path, x in zip(programs, paths, inputs, strict=True)]

    inputs = [x[:1] if p.encoders else x for p, x in zip(programs, inputs, strict=True)]
    found = [differing(*one) for one in zip(programs, inputs, run_lava_dl(jobs, env=env), strict=True)]

    assert [wrong for wrong, _ in found] == [0] * len(files)
    assert all(fired > 0 for _, fired in found)


DISTORTED = [
    [-128, -2],
    [-64, -2],
    [-256, -2],
    [-2, -2],
    [-128, 0],
    [-255, 0],
    [-254, 254],
    [-3, 5],
    [-201, 200],
    [1, 255],
    [-7, -3],
    [-256, 254],
    [-1, 0],
]


def fourfold(weight: list[int]) -> Ints:
    return np.repeat(np.array(weight)[:, None], 4, axis=1)


def test_lava_dl_distorts_what_we_say_it_distorts(tmp_path: Path, env: LavaEnv) -> None:
    """Each neuron has one weight four times over, so that u shows it even where lava-dl's last shift rounds."""
    jobs = []
    for number, weight in enumerate(DISTORTED):
        layer = DenseLayer(fourfold(weight), np.zeros(2, np.int64), Neuron(4096, 0, 10_000))
        write_layers([layer], tmp_path / f"{number}.net")
        jobs.append(LavaDlJob(tmp_path / f"{number}.net", NetxArguments(), 2, spikes=np.ones((1, 4), np.int64)))

    runs = run_lava_dl(jobs, env=env)

    changed = [
        4 * int((run[0].state["u"] != 64 * 4 * np.array(w)).sum()) for run, w in zip(runs, DISTORTED, strict=True)
    ]
    assert changed == [distorted([fourfold(weight)]) for weight in DISTORTED]
    assert 0 in changed and max(changed) == 8
