"""Part of `spikeport conformance`: what Intel published with lava-dl 0.6.0, replayed value by value.

How the recordings were made the release does not say. Those of `pilotnet_lif` bear the chip's mark, v = 128 at every
spike, and the release's `test_hdf5_nx.py` holds Loihi 2 against them; the others are SLAYER's, lava-dl's training code.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.commands.conformance import Row, Setup
from spikeport.commands.recordings import Recordings, open_recordings
from spikeport.deploy.netx import read_netx
from spikeport.errors import FileError
from spikeport.fixed import Ints
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim import Trace, simulate
from spikeport.sim.convention import ONE_STEP_LATE, REFRACTORY_COUNTER, U_OVER_64, Convention, from_step
from spikeport.sim.reference import encode

CHIP, SLAYER = "chip recording", "SLAYER"
PILOTNET = ("conv-0", "conv-1", "conv-2", "conv-3", "conv-4", "fc-0", "fc-1", "fc-2")
QUICK_STEPS = 200
INPUT_BITS = 6  # the least with which every mantissa of the recorded images is some input


def published(setup: Setup) -> Iterator[Row]:
    """All recordings of networks of integrate-and-fire neurons."""
    recordings = open_recordings(setup.wheel)
    for case in (_pilotnet, _tinynet, _ntidigits, _dense, _networks):
        yield from case(recordings, setup.quick)


def _pilotnet(recordings: Recordings, quick: bool) -> Iterator[Row]:
    """The whole network from the image on, three times: its files stem from runs with different resets."""
    folder = "pilotnet_lif"
    image = np.moveaxis(recordings.array(f"{folder}/image"), 0, -1)  # no time axis: (x, y, c)
    network = f"{folder}/network.net"
    traces = _run_image(recordings, f"gts/{network}", image, 24, interval=17, offset=0)
    yield _row(recordings, traces["input"], f"{folder}/input", {"s": ""}, CHIP)
    for name in PILOTNET:
        trace = traces[name.replace("-", "")]
        files = {"u": "-u", "v": "-v", "s": ""}
        yield _row(recordings, trace, f"{folder}/{name}", files, CHIP, REFRACTORY_COUNTER)
    traces = _run_image(recordings, f"gts/{network}", image, 24, interval=16, offset=0)
    yield _row(recordings, traces["input"], f"{folder}/input-s", {"s": ""}, CHIP)
    # Here every layer was cleared one step earlier: at t % 16 == k.
    traces = _run_image(recordings, f"gts/{network}", image, 25, interval=16, offset=15)
    yield _row(recordings, traces["fc3"], f"{folder}/fc-3", {"u": "-u", "v": "-v", "s": "-s"}, CHIP)


def _tinynet(recordings: Recordings, quick: bool) -> Iterator[Row]:
    folder = "tinynet"
    image = np.moveaxis(recordings.array(f"{folder}/input_bias"), 0, -1)
    # Cleared once, when a layer's first input arrives: until then its bias alone has charged it.
    traces = _run_image(recordings, "tiny.net", image, 19, interval=32, offset=0)
    for name, group, variable, first in (
        ("input", "input", "s", 1),
        ("layer1", "conv0", "s", 2),
        ("current", "conv0", "u", 2),
        ("output", "conv1", "s", 3),
    ):
        conventions = [from_step(first), ONE_STEP_LATE] if first > 1 else [ONE_STEP_LATE]
        conventions += [U_OVER_64] if variable == "u" else []
        yield _row(recordings, traces[group], f"{folder}/{name}", {variable: ""}, SLAYER, *conventions)


def _ntidigits(recordings: Recordings, quick: bool) -> Iterator[Row]:
    """Delays of up to 62 steps."""
    folder = "ntidigits"
    program = read_netx(recordings.file(f"gts/{folder}/ntidigits.net"))
    x = recordings.array(f"{folder}/input")
    steps = min(len(x), QUICK_STEPS) if quick else len(x)
    traces = _run(program, x[:steps].reshape(steps, *program.inputs[0].shape))
    yield _row(recordings, traces["fc2"], f"{folder}/output", {"s": ""}, SLAYER, ONE_STEP_LATE, steps=steps)


def _dense(recordings: Recordings, quick: bool) -> Iterator[Row]:
    """One layer without a network file; its parameters are those of `test_blocks.py`, `test_dense`."""
    folder = "dense"
    weight, x = recordings.array(f"{folder}/weight").T, recordings.array(f"{folder}/in")
    n, n_source = weight.shape
    group = LIF("fc0", (n,), 4095, 415, 6, np.zeros(n, np.int64))
    program = Program(
        groups=(group,),
        connections=(Dense("x", "fc0", _integers(weight)),),
        inputs=(Input("x", (n_source,), "spike"),),
        outputs=(Output("y", "fc0"),),
        latency=1,
    )
    traces = _run(program, x)
    yield _row(recordings, traces["fc0"], f"{folder}/out", {"s": ""}, SLAYER)
    yield _row(recordings, traces["fc0"], f"{folder}/current", {"u": ""}, SLAYER, U_OVER_64)


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
) -> Mapping[str, Trace]:
    """The network on an image that is recorded as the bias mantissas of its input neurons, `(x, y, c)`."""
    file = recordings.file(network)
    program = read_netx(file, reset_interval=interval, reset_offset=offset, input_bits=INPUT_BITS)
    entry, encoder = program.inputs[0], program.encoders[0]
    mantissas = _integers(image).transpose(2, 1, 0)
    weight = int(encoder.synapses.weight.flat[0])
    x = np.rint(((mantissas << INPUT_BITS) - encoder.offset) / weight).astype(np.int64)
    if not np.array_equal(encode(encoder, x.reshape(1, -1), entry.shape, entry.shape), mantissas.reshape(1, -1)):
        raise FileError(network, "recorded image", relation="is not what its input layer can give")
    return _run(program, np.broadcast_to(x, (steps, *x.shape)))


def _run(program: Program, x: NDArray[Any]) -> Mapping[str, Trace]:
    """Every group's trace on one sample `(T, *shape)`."""
    result = simulate(program, _integers(x)[:, None], record=[g.name for g in program.groups])
    return {name: Trace({k: x[:, 0] for k, x in t.state.items()}, t.s[:, 0]) for name, t in result.traces.items()}


def _row(
    recordings: Recordings,
    trace: Trace,
    name: str,
    files: Mapping[str, str],
    against: str,
    *conventions: Convention,
    steps: int | None = None,
) -> Row:
    """One layer's recorded variables, by suffix of their files, against our trace."""
    for convention in conventions:
        trace = convention.apply(trace)
    values = differing = 0
    for variable, suffix in files.items():
        recorded = _in_our_order(recordings.array(name + suffix))[:steps]
        ours = getattr(trace, variable)[: len(recorded)]
        if ours.shape != recorded.shape:
            got, limit = recorded.shape, ours.shape
            raise FileError(name + suffix, "recording's shape", got=got, relation="is not the network's", limit=limit)
        values += recorded.size
        differing += int((ours != recorded).sum())
    whole = "" if steps is None else f", {steps:,} steps"
    return Row(f"{name}: {', '.join(files)}{whole}", against, values, differing, conventions)


def _in_our_order(x: NDArray[Any]) -> NDArray[Any]:
    """(T, x, y, c) to (T, c, y, x); SLAYER's (T, 1, c, y, x) loses its batch; (T, n) stays."""
    if x.ndim == 5:
        return x[:, 0]
    return x.transpose(0, 3, 2, 1) if x.ndim == 4 else x


def _integers(x: NDArray[Any]) -> Ints:
    whole = np.asarray(x).astype(np.int64)
    if not np.array_equal(whole, x):
        raise FileError("recording", "values", relation="are not", limit="integers")
    return whole
