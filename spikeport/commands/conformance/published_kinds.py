"""The published recordings of networks that are no integrate-and-fire neurons: sigma-delta, resonate-and-fire.

What the release says of their making is how its own tests use them: `test_hdf5_nx.py` holds Loihi 2 against the sums
of `pilotnet_sdnn`, `test_hdf5.py` and `test_blocks.py` hold Lava's models against the rest.
"""

from collections.abc import Iterator

import numpy as np

from spikeport import fixed
from spikeport.commands.conformance import replay
from spikeport.commands.conformance.recordings import Recordings
from spikeport.commands.conformance.replay import UNKNOWN, in_our_order, integers
from spikeport.commands.conformance.row import Row
from spikeport.deploy.netx import read_netx
from spikeport.deploy.netx.layers import (
    STATE_EXP,
    ConvLayer,
    DenseLayer,
    InputLayer,
    ResonatorNeuron,
    SigmaDeltaNeuron,
)
from spikeport.deploy.netx.read import program_of
from spikeport.neurons import Resonator
from spikeport.program import Input, Output, Program, Sparse
from spikeport.sim.convention import AT_ONCE, COUNTS_ONCE, held, left, sine


def pilotnet_sdnn(recordings: Recordings, quick: bool) -> Iterator[Row]:
    """The input layer on the image; the layers behind it on what it sent, which is recorded as `act0`.

    In one run our input layer would be a step late, and no layer's bias would wait for it.
    """
    folder = "pilotnet_sdnn"
    network = f"gts/{folder}/network.net"
    act0 = in_our_order(recordings.array(f"{folder}/act0"))
    hold = held(len(act0))
    image = in_our_order(recordings.array(f"{folder}/input"))
    traces = replay.run(read_netx(recordings.file(network), num_layers=1), hold.apply(image))
    yield replay.row(recordings, traces["input"], f"{folder}/act0", {"s": ""}, UNKNOWN, hold, AT_ONCE)
    traces = replay.run(read_netx(recordings.file(network), skip_layers=1), act0)
    for k in (1, 2):
        yield replay.row(recordings, traces[f"conv{k - 1}"], f"{folder}/sigma{k}", {"sigma": ""}, UNKNOWN)
    yield replay.row(recordings, traces["fc3"], f"{folder}/output", {"s": ""}, UNKNOWN)
    program = read_netx(recordings.file(f"gts/{folder}/square_network.net"), skip_layers=1)
    part = left(program.inputs[0].shape[-1])
    traces = replay.run(program, part.apply(act0))
    for k in (1, 2, 3, 4):
        name = f"{folder}/sigma{k}_square"
        yield replay.row(recordings, traces[f"conv{k - 1}"], name, {"sigma": ""}, UNKNOWN, part)


def tinynet_sdnn(recordings: Recordings, quick: bool) -> Iterator[Row]:
    """Three layers without a network file, each on what was recorded of the one before; parameters of `test_blocks.py`.

    `layer1` never reaches its threshold but by its bias, so that it tells little of its kernel.
    """
    folder = "tinynet_sdnn"
    image = np.moveaxis(recordings.array(f"{folder}/input_bias"), 0, -1)  # no time axis: (x, y, c)
    sent, middle = (in_our_order(recordings.array(f"{folder}/{name}")) for name in ("input", "layer1"))
    wave = sine(len(sent))
    program = program_of([InputLayer(sent.shape[1:], SigmaDeltaNeuron("delta", 20))])
    traces = replay.run(program, wave.apply(image.T[None]))
    yield replay.row(recordings, traces["input"], f"{folder}/input", {"s": ""}, UNKNOWN, wave, AT_ONCE)

    # Lava's kernels are (c_out, x, y, c_in) and turned, see lava-nc 0.10.0, proc/conv/utils.py.
    kernel = np.moveaxis(recordings.array(f"{folder}/layer1_kernel"), 0, -1).transpose(0, 3, 2, 1)[..., ::-1, ::-1]
    bias = integers(recordings.array(f"{folder}/layer1_bias"))
    neuron = SigmaDeltaNeuron("sigma_delta", 20)
    layer = ConvLayer(middle.shape[1:], integers(kernel), bias, neuron, stride=(2, 2))
    traces = replay.run(program_of([InputLayer(sent.shape[1:]), layer]), COUNTS_ONCE.apply(sent))
    yield replay.row(recordings, traces["conv0"], f"{folder}/layer1", {"s": ""}, UNKNOWN, COUNTS_ONCE)

    weight = integers(np.moveaxis(recordings.array(f"{folder}/layer2_weight"), 0, -1))
    output = DenseLayer(weight, np.zeros(len(weight), np.int64), SigmaDeltaNeuron("sigma"))
    flat = middle.transpose(0, 3, 2, 1).reshape(len(middle), -1)  # in the order (x, y, c)
    traces = replay.run(program_of([output]), COUNTS_ONCE.apply(flat))
    yield replay.row(recordings, traces["fc0"], f"{folder}/layer2", {"s": ""}, UNKNOWN, COUNTS_ONCE)


def complex_dense(recordings: Recordings, quick: bool) -> Iterator[Row]:
    """One layer of each kind of resonator without a network file; parameters of `test_blocks.py`, `TestRFBlocks`."""
    folder = "complex_dense"
    steps = replay.QUICK_STEPS if quick else None
    x = recordings.array(f"{folder}/in")[:steps]
    real, imaginary = (integers(recordings.array(f"{folder}/weight_{part}").T) for part in ("r", "img"))
    neuron = ResonatorNeuron("rf", 25, *_decays(period=11, alpha=0.05))
    layer = DenseLayer(real, np.zeros(len(real), np.int64), neuron, weight_imag=imaginary)
    traces = replay.run(program_of([layer]), x)
    yield replay.row(recordings, traces["fc0"], f"{folder}/out", {"s": ""}, UNKNOWN, steps=steps)
    traces = replay.run(_resonators_at_the_input(x.shape[1]), np.concatenate([x, 0 * x[:1]]))
    yield replay.row(recordings, traces["input"], f"{folder}/current", {"s": ""}, UNKNOWN, AT_ONCE, steps=steps)


def _resonators_at_the_input(n: int) -> Program:
    """Each spike enters both parts of one neuron.

    Lava turns the threshold of 1.1 into int(1.1 * 2^6) = 70, no multiple of 2^6; so the 2^6 are in the weights here.
    """
    vth = int(1.1 * (1 << STATE_EXP))
    group = Resonator("input", (n,), "rf_izhikevich", vth, *_decays(period=7, alpha=0.05))
    index, weight = np.arange(n), np.full(n, 1 << STATE_EXP)
    links = tuple(Sparse("x", "input", index, index, weight, port=port) for port in group.ports)
    return Program((group,), links, (Input("x", (n,), "spike"),), (Output("y", "input"),), latency=1)


def _decays(period: int, alpha: float) -> tuple[int, int]:
    """(1 - alpha) sin and cos of 2 pi / period in units of 2^-12, cut toward zero: lava-nc 0.10.0, `RF`."""
    angle = 2 * np.pi / period
    return int((1 - alpha) * np.sin(angle) * fixed.DECAY_ONE), int((1 - alpha) * np.cos(angle) * fixed.DECAY_ONE)
