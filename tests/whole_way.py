"""Torch's eval mode, the NIR file, the Program and the simulator, side by side."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from spikeport.deploy import compile_graph
from spikeport.export import to_nir, write_nir
from spikeport.program import Program
from spikeport.program_file import load_program, save_program
from spikeport.sim import simulate, vote
from spikeport.train import MaxPool2d, SpikingLayer, Vote


def layers(net: nn.Sequential) -> list[SpikingLayer]:
    return [m for m in net if isinstance(m, SpikingLayer)]


def layer_spikes(net: nn.Sequential, x: Tensor) -> list[np.ndarray]:
    """What each layer and each pool of spikes sends, `(T, B, *shape)`."""
    sent = []
    with torch.no_grad():
        for module in net:
            x = module(x)
            if isinstance(module, SpikingLayer | MaxPool2d):
                sent.append(x.numpy())
    return sent


def shown(net: nn.Sequential, x: Tensor) -> np.ndarray:
    """The input as the simulator takes it: an image at every step."""
    image = layers(net)[0].image
    return x.numpy() if image is None else np.broadcast_to(x.numpy(), (image.steps, *x.shape))


def compiled(net: nn.Sequential, x: Tensor, folder: Path) -> Program:
    """Through files, as the commands do."""
    write_nir(to_nir(net, x), folder / "net.nir")
    save_program(compile_graph(folder / "net.nir"), folder / "net.h5")
    return load_program(folder / "net.h5")


def assert_same_spikes(net: nn.Sequential, x: Tensor, program: Program) -> int:
    """Every layer, neuron, step and sample; gives the number of spikes."""
    run = simulate(program, shown(net, x), record=[g.name for g in program.groups])
    expected = layer_spikes(net, x)
    for group, spikes in zip(program.groups, expected, strict=True):
        start = group.reset_offset - 1  # the hardware step at which the layer's first input arrives, from 0
        found = run.traces[group.name].s[start : start + len(spikes)]
        assert np.array_equal(found.reshape(spikes.shape), spikes), group.name
    assert np.array_equal(run.spikes.reshape(expected[-1].shape), expected[-1])
    if isinstance(net[-1], Vote):
        assert np.array_equal(vote(run.counts(), net[-1].classes), net(x).argmax(1).numpy())
    return sum(int(s.sum()) for s in expected)


def assert_same_integers(net: nn.Sequential, program: Program) -> None:
    groups = [group for group in program.groups if group.name.startswith("lif")]  # pools have no parameters
    for layer, group in zip(layers(net), groups, strict=True):
        ints = layer.integers()
        assert (group.dv, group.vth, group.bias_exp) == (ints.dv, ints.vth, ints.bias_exp)
        connections = [c for c in program.connections if c.target == group.name]
        encoders = [e for e in program.encoders if e.synapses.target == group.name]
        assert (len(connections), len(encoders)) == ((1, 0) if layer.image is None else (0, 1))
        for connection in connections:
            assert np.array_equal(connection.weight.astype(int) << connection.weight_exp, ints.weight.numpy())
            assert np.array_equal(per_channel(group.bias_mant.astype(int) << group.bias_exp), ints.bias.numpy())
        for encoder in encoders:  # doubled, with one more shift: mantissas of mixed sign are even
            assert ints.encoder_shift is not None
            assert encoder.shift == ints.encoder_shift + 1
            synapses = encoder.synapses
            assert np.array_equal(synapses.weight.astype(int) << synapses.weight_exp, 2 * ints.weight.numpy())
            assert np.array_equal(per_channel(encoder.offset), 2 * ints.bias.numpy())


def per_channel(values: np.ndarray) -> np.ndarray:
    """One value per channel, after checking that its map holds no other."""
    rows = values.reshape(len(values), -1)
    assert (rows == rows[:, :1]).all()
    return rows[:, 0]
