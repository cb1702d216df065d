"""Part of `spikeport conformance`: what Intel published with lava-dl 0.6.0, replayed value by value.

How the recordings were made the release does not say. Those of `pilotnet_lif` with u and v bear the chip's mark,
v = 128 at every spike, and the release's `test_hdf5_nx.py` holds Loihi 2 against them; most others are SLAYER's,
lava-dl's training code.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.commands.bars import say
from spikeport.commands.conformance import replay
from spikeport.commands.conformance.pilotnet import shown
from spikeport.commands.conformance.published_kinds import complex_dense, pilotnet_sdnn, tinynet_sdnn
from spikeport.commands.conformance.recordings import Recordings, open_recordings
from spikeport.commands.conformance.replay import CHIP, SLAYER, UNKNOWN, integers
from spikeport.commands.conformance.row import Row, Setup
from spikeport.deploy.netx import read_netx
from spikeport.deploy.netx.layers import DenseLayer, Neuron
from spikeport.deploy.netx.read import program_of
from spikeport.sim import Trace, simulate
from spikeport.sim.convention import ONE_STEP_LATE, REFRACTORY_COUNTER, U_OVER_64, from_step

PILOTNET = ("conv-0", "conv-1", "conv-2", "conv-3", "conv-4", "fc-0", "fc-1", "fc-2")


def published(setup: Setup) -> Iterator[Row]:
    """All recordings of the release."""
    recordings = open_recordings(setup.wheel)
    if not recordings.published:
        say(f"{recordings.path} is not the wheel that was published: SHA-256 {recordings.sha256}")
    integrate_and_fire = (_pilotnet, _tinynet, _ntidigits, _dense)
    for case in (*integrate_and_fire, pilotnet_sdnn, tinynet_sdnn, complex_dense, _networks):
        yield from case(recordings, setup.quick)


def _pilotnet(recordings: Recordings, quick: bool) -> Iterator[Row]:
    """The whole network from the image on, three times: its files stem from runs with different resets."""
    folder = "pilotnet_lif"
    image = np.moveaxis(recordings.array(f"{folder}/image"), 0, -1)  # no time axis: (x, y, c)
    network = f"gts/{folder}/network.net"
    traces, run = _run_image(recordings, network, image, 24, interval=17, offset=0)
    yield replay.row(recordings, traces["input"], f"{folder}/input", {"s": ""}, UNKNOWN, run=run)
    for name in PILOTNET:
        trace = traces[name.replace("-", "")]
        files = {"u": "-u", "v": "-v", "s": ""}
        yield replay.row(recordings, trace, f"{folder}/{name}", files, CHIP, REFRACTORY_COUNTER, run=run)
    traces, run = _run_image(recordings, network, image, 24, interval=16, offset=0)
    yield replay.row(recordings, traces["input"], f"{folder}/input-s", {"s": ""}, UNKNOWN, run=run)
    # Here every layer was cleared one step earlier.
    traces, run = _run_image(recordings, network, image, 25, interval=16, offset=15)
    yield replay.row(recordings, traces["fc3"], f"{folder}/fc-3", {"u": "-u", "v": "-v", "s": "-s"}, UNKNOWN, run=run)


def _tinynet(recordings: Recordings, quick: bool) -> Iterator[Row]:
    folder = "tinynet"
    image = np.moveaxis(recordings.array(f"{folder}/input_bias"), 0, -1)
    # Cleared once, when a layer's first input arrives: until then its bias alone has charged it.
    traces, run = _run_image(recordings, "tiny.net", image, 19, interval=32, offset=0)
    for name, group, variable, first in (
        ("input", "input", "s", 1),
        ("layer1", "conv0", "s", 2),
        ("current", "conv0", "u", 2),
        ("output", "conv1", "s", 3),
    ):
        conventions = [from_step(first), ONE_STEP_LATE] if first > 1 else [ONE_STEP_LATE]
        conventions += [U_OVER_64] if variable == "u" else []
        yield replay.row(recordings, traces[group], f"{folder}/{name}", {variable: ""}, SLAYER, *conventions, run=run)


def _ntidigits(recordings: Recordings, quick: bool) -> Iterator[Row]:
    """Delays of up to 62 steps."""
    folder = "ntidigits"
    program = read_netx(recordings.file(f"gts/{folder}/ntidigits.net"))
    x = recordings.array(f"{folder}/input")
    steps = replay.QUICK_STEPS if quick else None
    x = x[:steps]
    traces = replay.run(program, x.reshape(len(x), *program.inputs[0].shape))
    yield replay.row(recordings, traces["fc2"], f"{folder}/output", {"s": ""}, SLAYER, ONE_STEP_LATE, steps=steps)


def _dense(recordings: Recordings, quick: bool) -> Iterator[Row]:
    """One layer without a network file; its parameters are those of `test_blocks.py`, `test_dense`."""
    folder = "dense"
    weight, x = recordings.array(f"{folder}/weight").T, recordings.array(f"{folder}/in")
    layer = DenseLayer(
        integers(weight), np.zeros(len(weight), np.int64), Neuron(i_decay=4096, v_decay=415, v_th_mant=6)
    )
    program = program_of([layer])
    traces = replay.run(program, x)
    yield replay.row(recordings, traces["fc0"], f"{folder}/out", {"s": ""}, SLAYER)
    yield replay.row(recordings, traces["fc0"], f"{folder}/current", {"u": ""}, SLAYER, U_OVER_64)


def _networks(recordings: Recordings, quick: bool) -> Iterator[Row]:
    """Files without a recording: they are read and run."""
    for name in ("mnist.net", "tiny.net"):
        program = read_netx(recordings.file(name))
        x = np.full((16, 1, *program.inputs[0].shape), program.inputs[0].high // 2)
        sent = simulate(program, x).sent
        spikes = sum(int(sent[group.name].sum()) for group in program.groups)
        yield Row(f"{name} runs: {spikes:,} spikes", "no recording", 0, 0)


def _run_image(
    recordings: Recordings, network: str, image: NDArray[Any], steps: int, *, interval: int, offset: int
) -> tuple[Mapping[str, Trace], str]:
    """The traces, and how the network was cleared."""
    found = shown(recordings, network, image, interval=interval, offset=offset)
    resets = f"reset of layer k at t % {interval} = k + {offset + 1 - interval if offset else 1}"
    return replay.run(found.program, np.broadcast_to(found.x, (steps, *found.x.shape))), resets.removesuffix(" + 0")
