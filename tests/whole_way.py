"""Torch's eval mode, the NIR file, the Program and the simulator, side by side."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.deploy import compile_graph
from spikeport.export import to_nir, write_nir
from spikeport.program import LIF, Conv, Dense, Program, Sparse
from spikeport.program_file import load_program, save_program
from spikeport.sim import simulate, vote
from spikeport.train import Branch, MaxPool2d, QuantConv2d, Readout, Residual, Shortcut, SpikingLayer, Vote
from spikeport.train.autoencoders import Integrator

Array = np.ndarray[Any, Any]


def parts(net: nn.Sequential) -> Iterator[nn.Module]:
    """The modules in the order in which data meets them; of a residual block, those inside it."""
    for module in net:
        if isinstance(module, Residual):
            yield from parts(module.body)
            yield module.join
        elif isinstance(module, nn.Sequential):
            yield from parts(module)
        else:
            yield module


def layers(net: nn.Sequential) -> list[SpikingLayer]:
    return [m for m in parts(net) if isinstance(m, SpikingLayer)]


def layer_spikes(net: nn.Sequential, x: Tensor) -> list[Array]:
    """What each layer and each pool of spikes sends, `(T, B, *shape)`."""
    sent: list[Array] = []
    senders = {m for m in parts(net) if isinstance(m, SpikingLayer | MaxPool2d)}
    hooks = [m.register_forward_hook(lambda _module, _given, out: sent.append(out.numpy())) for m in senders]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return sent


def shown(net: nn.Sequential, x: Tensor) -> Array:
    """The input as the simulator takes it: an image at every step, unless there is one for each."""
    first = layers(net)[0]
    if first.image is None or (x.dim() == first.main.axes and not isinstance(net[0], nn.Flatten)):
        return x.numpy()
    return np.broadcast_to(x.numpy(), (first.image.steps, *x.shape))


def compiled(net: nn.Sequential, x: Tensor, folder: Path) -> Program:
    """Through files, as the commands do."""
    write_nir(to_nir(net, x), folder / "net.nir")
    save_program(compile_graph(folder / "net.nir"), folder / "net.h5")
    return load_program(folder / "net.h5")


def assert_same_spikes(net: nn.Sequential, x: Tensor, program: Program) -> int:
    """Every layer, neuron, step and sample, and the v that is read; gives the number of spikes."""
    run = simulate(program, shown(net, x), record=[g.name for g in program.groups])
    expected = layer_spikes(net, x)
    end = net[-1]
    groups = program.lifs[:-1] if isinstance(end, Readout | Integrator) else program.lifs
    assert len(program.lifs) == len(program.groups)
    for group, spikes in zip(groups, expected, strict=True):
        found = _from_its_start(run.traces[group.name].s, group, len(spikes))
        assert np.array_equal(found.reshape(spikes.shape), spikes), group.name
    if isinstance(end, Readout):
        v = readout_v(end, expected[-1])
        traced = _from_its_start(run.traces["logits"].v, program.lifs[-1], len(v))
        assert np.array_equal(traced.reshape(v.shape), v)
        logits = v.sum((0, *range(3, v.ndim))) * (end.integers().unit / 64 / (len(v) * v[0, 0, 0].size))
        assert np.array_equal(logits, net(x).numpy())
    elif isinstance(end, Integrator):
        assert np.array_equal(run.outputs["output"][-1] * program.lifs[-1].v_unit, net(x).numpy())
    else:
        assert np.array_equal(run.spikes.reshape(expected[-1].shape), expected[-1])
    if isinstance(end, Vote):
        assert np.array_equal(vote(run.counts(), end.classes), net(x).argmax(1).numpy())
    return sum(int(s.sum()) for s in expected)


def readout_v(readout: Readout, spikes: Array) -> Array:
    """v of each class and place, `(T, B, classes, *places)`: what arrives, and a 4096th of the last, toward zero."""
    ints = readout.integers()
    if spikes.shape[2] != readout.synapse.in_features:  # flat in front of it
        spikes = spikes.reshape(*spikes.shape[:2], -1)
    arriving = np.einsum("kc,tbc...->tbk...", ints.weight.numpy(), spikes.astype(np.int64)) * 64
    arriving += ints.bias.numpy().reshape(-1, *[1] * (spikes.ndim - 3))
    v = np.zeros_like(arriving)
    for t in range(len(v)):
        last = v[t - 1] if t else np.zeros_like(v[0])
        v[t] = arriving[t] + np.sign(last) * (abs(last) // 4096)
    return v


def assert_same_integers(net: nn.Sequential, program: Program) -> None:
    groups = [group for group in program.lifs if group.name.startswith("lif")]  # pools have no parameters
    for layer, group in zip(layers(net), groups, strict=True):
        ints = layer.integers()
        assert (group.dv, group.vth, group.bias_exp) == (ints.dv, ints.vth, ints.bias_exp)
        assert group.reset == layer.neuron.dynamics.reset
        connections = [c for c in program.connections if c.target == group.name]
        encoders = [e for e in program.encoders if e.synapses.target == group.name]
        if layer.image is None:
            assert not encoders
            weights = [w.numpy() for w in (ints.weight, ints.past) if w is not None]
            sources = list(dict.fromkeys(c.source for c in connections))
            for source, way, weight in zip(sources, layer.branches, weights, strict=True):
                assert_same_synapses(program, [c for c in connections if c.source == source], way, weight)
            assert np.array_equal(per_channel(group.bias_mant.astype(int) << group.bias_exp), ints.bias.numpy())
        else:
            assert not connections
            (encoder,) = encoders  # doubled, with one more shift: mantissas of mixed sign are even
            assert ints.encoder_shift is not None
            assert encoder.shift == ints.encoder_shift + 1
            synapses = encoder.synapses
            assert np.array_equal(synapses.weight.astype(int) << synapses.weight_exp, 2 * ints.weight.numpy())
            assert np.array_equal(per_channel(encoder.offset), 2 * ints.bias.numpy())
    if isinstance(net[-1], Readout):
        ints, group = net[-1].integers(), program.lifs[-1]
        assert group.v_unit == ints.unit / 64
        assert (group.name, group.dv, group.vth) == ("logits", ints.dv, ints.vth)
        (connection,) = (c for c in program.connections if c.target == "logits")
        assert np.array_equal(connection.weight.astype(int).reshape(ints.weight.shape), ints.weight.numpy())
        assert connection.weight_exp == 0
        assert np.array_equal(per_channel(group.bias_mant.astype(int) << group.bias_exp), ints.bias.numpy())


def assert_same_synapses(program: Program, connections: list[Any], way: Branch | Shortcut, weight: Array) -> None:
    """The connections' weights are those of the layer, after a pool those of each place in its windows.

    Windows that reach beyond the border have a connection of their own there.
    """
    connection = connections[0]
    if isinstance(connection, Conv) and len(connections) == 1 and (way.pool is None or connection.dilation == (1, 1)):
        channels = connection.weight.shape[0]
        kernel = np.full((channels, 1, 1, 1), weight) if isinstance(way, Shortcut) else weight
        if way.pool is not None:
            window = torch.ones(1, 1, *_pair(way.pool.kernel_size), dtype=torch.float64)
            taps = torch.from_numpy(kernel).double().flatten(0, 1)[:, None]
            spread = F.conv_transpose2d(taps, window, stride=_pair(way.pool.stride))
            kernel = spread.reshape(*kernel.shape[:2], *spread.shape[2:]).long().numpy()
        assert np.array_equal(connection.weight.astype(int) << connection.weight_exp, kernel)
        return
    shape = _shape_of(program, connection.source)
    want = _weights_of(way, weight, shape)
    assert np.array_equal(sum(synapse_matrix(c, shape, len(want)) for c in connections), want)


def _shape_of(program: Program, name: str) -> tuple[int, ...]:
    return next(node.shape for node in (*program.groups, *program.inputs) if node.name == name)


def synapse_matrix(connection: Any, shape: tuple[int, ...], n_out: int) -> Array:
    """`(n_out, n_in)`."""
    if isinstance(connection, Conv):
        x = torch.eye(int(np.prod(shape)), dtype=torch.float64).reshape(-1, *shape)
        weight = torch.from_numpy(connection.weight.astype(int) << connection.weight_exp).double()
        geometry = connection.stride, connection.padding, connection.dilation, connection.groups
        return F.conv2d(x, weight, None, *geometry).flatten(1).T.long().numpy()
    if isinstance(connection, Dense):
        return connection.weight.astype(int) << connection.weight_exp
    assert isinstance(connection, Sparse)
    found = np.zeros((n_out, int(np.prod(shape))), int)
    np.add.at(found, (connection.row, connection.col), connection.weight.astype(int) << connection.weight_exp)
    return found


def _weights_of(way: Branch | Shortcut, weight: Array, shape: tuple[int, ...]) -> Array:
    """What one spike of each neuron of a shape brings to each neuron, in torch's own pools and synapses."""
    x = torch.eye(int(np.prod(shape)), dtype=torch.float64).reshape(-1, *shape)
    if way.pool is not None:
        x = F.avg_pool2d(x, way.pool.kernel_size, way.pool.stride, way.pool.padding, divisor_override=1)
    w = torch.from_numpy(weight).double()
    if isinstance(way, Shortcut):
        y = x * w
    elif isinstance(way.synapse, QuantConv2d):
        conv = way.synapse
        y = F.conv2d(x, w, None, conv.stride, conv.padding, conv.dilation, conv.groups)
    else:
        y = F.linear(x.flatten(1), w)
    return y.flatten(1).T.long().numpy()


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _from_its_start(trace: Array, group: LIF, steps: int) -> Array:
    """From the hardware step on at which the layer's first input arrives."""
    start = group.reset_offset - 1
    return trace[start : start + steps]


def per_channel(values: Array) -> Array:
    """One value per channel, after checking that its map holds no other."""
    rows = values.reshape(len(values), -1)
    assert (rows == rows[:, :1]).all()
    return rows[:, 0]
