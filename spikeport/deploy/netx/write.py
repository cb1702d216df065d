"""Program -> `.net`. What lava-dl would change, or a `.net` cannot say, is refused with the reason.

A `.net` holds no names, no resets, no step length, no latency, no profile, and no classes: `read_netx` names the groups
anew, and resets are arguments of the reader, there as here.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from spikeport import fixed
from spikeport.deploy.netx.distortion import distorted
from spikeport.deploy.netx.file import write_layers
from spikeport.deploy.netx.layers import (
    BIAS_EXP,
    LIF,
    ConvLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Neuron,
    Shape,
)
from spikeport.errors import DeployError
from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Dense, Encoder, Program, Sparse

_ITSELF = "run this Program itself: spikeport run --backend lava"


@dataclass(frozen=True)
class NetxArguments:
    """What `netx.hdf5.Network` and `read_netx` must be told beside the file."""

    reset_interval: int = 0
    """0: no reset; lava-dl calls that None."""
    reset_offset: int = 0
    input_bits: int = 0
    """For `read_netx` only."""


def write_netx(program: Program, path: str | os.PathLike[str]) -> NetxArguments:
    """Writes the file, and gives the arguments with which it runs as the Program does.

    Raises:
        DeployError: the Program has what a `.net` cannot hold, or what lava-dl would change.
    """
    chain = _chain(program)
    first, input_bits = _first_layer(program, chain[0])
    layers: list[Layer] = [first]
    shape: Shape = first.shape
    for group in chain[1:] if program.encoders else chain:
        into = [c for c in program.connections if c.target == group.name]
        layer = _layer(program, group, into)
        if isinstance(layer, DenseLayer) and len(shape) > 1:
            layers.append(FlattenLayer())
        if isinstance(layer, ConvLayer) and len(shape) != 3:
            what = "convolution after a dense layer"
            raise DeployError(group.name, what, relation="is not supported by lava-dl", do=_ITSELF)
        layers.append(layer)
        shape = layer.shape if isinstance(layer, ConvLayer) else (group.size,)
    arguments = NetxArguments(*_resets(chain), input_bits)
    write_layers(layers, path)
    return arguments


def _chain(program: Program) -> tuple[LIF, ...]:
    """The groups in order, if they are one chain of plain LIF from the input to the output."""
    _check_plain(program)
    sources = [program.inputs[0].name, *(g.name for g in program.groups)]
    if program.encoders:
        sources = sources[1:]
    wanted = list(zip(sources, sources[1:], strict=False))
    found = [(c.source, c.target) for c in program.connections if c.source != c.target]
    if sorted(found) != sorted(wanted) or len(program.inputs) != 1:
        got = ", ".join(f"{a} -> {b}" for a, b in found)
        do = "a .net holds one chain of layers; " + _ITSELF
        raise DeployError("program", "connections", got=got, relation="are not one chain", do=do)
    last = program.groups[-1].name
    if [o.source for o in program.outputs] != [last]:
        got = ", ".join(o.source for o in program.outputs)
        raise DeployError("program", "outputs", got=got, relation="are not the last layer", limit=last)
    return program.lifs


def _check_plain(program: Program) -> None:
    """What a `.net`'s CUBA neurons have no field for would be lost without a word."""
    other = [
        g.name
        for g in program.groups
        if not isinstance(g, LIF) or g.reset != "zero" or g.refractory_steps or g.vth_low is not None
    ]
    other += [f"{c.source} -> {c.target}" for c in program.connections if c.graded]
    if other:
        limit = "LIF without rest, reset to zero, that send 0 and 1"
        raise DeployError(other[0], "neurons or spikes", relation="are not", limit=limit, do=_ITSELF)


def _first_layer(program: Program, first: LIF) -> tuple[InputLayer, int]:
    """The input layer, with neurons if the host loads their bias; and the bits of its x below one."""
    if not program.encoders:
        return InputLayer(program.inputs[0].shape), 0
    encoder = program.encoders[0]
    if any(c.target == first.name for c in program.connections):
        raise DeployError(first.name, "recurrent connection of the input layer", relation="is not supported")
    transform = _transform(encoder)
    if encoder.synapses.target != first.name or transform is None:
        do = "a .net's input is weight * x + bias, the same for each value; " + _ITSELF
        raise DeployError(first.name, "first layer, computed on the host,", relation="has no place in a .net", do=do)
    if first.bias_exp != BIAS_EXP:
        raise DeployError(first.name, "bias_exp", got=first.bias_exp, relation="is not", limit=BIAS_EXP, do=_ITSELF)
    return InputLayer(first.shape, _neuron(first), *transform), encoder.shift


def _transform(encoder: Encoder) -> tuple[int, int] | None:
    """`weight` and `bias` of a file's input, if that is what the encoder does to each value."""
    conv, offset = encoder.synapses, encoder.offset
    if not isinstance(conv, Conv) or conv.weight.shape != (conv.groups, 1, 1, 1):
        return None
    plain = (conv.stride, conv.padding, conv.dilation) == ((1, 1), (0, 0), (1, 1))
    bias = int(offset.flat[0]) >> encoder.shift
    weight = int(conv.weight.flat[0]) << conv.weight_exp
    if not plain or not weight or np.ptp(conv.weight) or np.any(offset != bias << encoder.shift):
        return None
    return weight, bias


def _layer(program: Program, group: LIF, into: Sequence[Connection]) -> DenseLayer | ConvLayer:
    forward = [c for c in into if c.source != group.name]
    backward = [c for c in into if c.source == group.name]
    if backward and any(isinstance(c, Conv) for c in into):
        raise DeployError(group.name, "convolution of a recurrent layer", relation="is not supported", do=_ITSELF)
    if isinstance(forward[0], Conv):
        return _conv(group, forward[0])
    return _dense(program, group, forward[0], backward)


def _conv(group: LIF, conv: Conv) -> ConvLayer:
    if conv.delay:
        do = "lava-dl ignores it"
        raise DeployError(group.name, "delay of a convolution", got=conv.delay, relation="is not", limit=0, do=do)
    bias = _bias(group)
    if np.array_equal(bias, np.broadcast_to(bias[:, :1, :1], bias.shape)):
        bias = bias[:, 0, 0]
    weight = conv.weight.astype(np.int64) << conv.weight_exp
    geometry = (conv.stride, conv.padding, conv.dilation, conv.groups)
    return ConvLayer(group.shape, weight, bias, _neuron(group), *geometry)


def _dense(program: Program, group: LIF, forward: Dense | Sparse | Conv, backward: Sequence[Connection]) -> DenseLayer:
    size = (group.size, prod(program.shape_of(forward.source)))
    weights = [_matrix(group, forward, size), *(_matrix(group, c, (group.size, group.size)) for c in backward)]
    delays = [_delay(c, w.shape) for c, w in zip((forward, *backward), weights, strict=True)]
    if len(weights) > 2:
        raise DeployError(group.name, "recurrent connections", got=len(backward), relation="exceed", limit=1)
    if len(weights) == 2 and any(np.any(delay) for delay in delays):
        do = "lava-dl drops the weights' exponent there"
        raise DeployError(group.name, "delay of a recurrent layer", relation="is not supported", do=do)
    _check_survival(group, weights)
    return DenseLayer(weights[0], _bias(group).reshape(-1), _neuron(group), delays[0], *weights[1:])


def _matrix(group: LIF, connection: Connection, size: tuple[int, int]) -> Ints:
    """Weights in steps of 1: mantissa << exponent, if that is whole for each synapse."""
    assert not isinstance(connection, Conv)
    mantissa = connection.weight.astype(np.int64)
    if isinstance(connection, Sparse):
        mantissa = np.zeros(size, np.int64)
        mantissa[connection.row, connection.col] = connection.weight
    weight = fixed.shift(mantissa, connection.weight_exp)
    if not np.array_equal(fixed.shift(weight, -connection.weight_exp), mantissa):
        what, relation = "weight exponent", "leaves fractions of weights"
        raise DeployError(group.name, what, got=connection.weight_exp, relation=relation, do=_ITSELF)
    return weight


def _delay(connection: Connection, size: tuple[int, ...]) -> int | Ints:
    delay = connection.delay
    if isinstance(delay, int):
        return delay
    if isinstance(connection, Sparse):
        matrix = np.zeros(size, np.int64)
        matrix[connection.row, connection.col] = delay
        return matrix
    return delay.astype(np.int64)


def _check_survival(group: LIF, weights: Sequence[Ints]) -> None:
    """Whether lava-dl's own shifting, clipping and truncating leaves every weight as it is."""
    low, high = min(int(w.min()) for w in weights), max(int(w.max()) for w in weights)
    if low < fixed.WEIGHT_MIN_MIXED or high > fixed.WEIGHT_MAX:
        limit = f"[{fixed.WEIGHT_MIN_MIXED}, {fixed.WEIGHT_MAX}]; lava-dl clips them"
        raise DeployError(group.name, "weights", got=f"{low} to {high}", relation="are not in", limit=limit, do=_ITSELF)
    if low == high == 0:
        raise DeployError(group.name, "all weights are 0: lava-dl stops with an OverflowError", do="remove the layer")
    if changed := distorted(weights):
        what = f"lava-dl would change {changed} of {sum(w.size for w in weights)} weights"
        raise DeployError(group.name, what, got=f"they are {low} to {high}", do=_ITSELF)


def _bias(group: LIF) -> Ints:
    """In the file's steps of 2^6."""
    value = group.bias_mant.astype(np.int64) << group.bias_exp
    bias = value >> BIAS_EXP
    if np.any(bias << BIAS_EXP != value):
        limit = f"in steps of {1 << BIAS_EXP}"
        got = f"bias_exp {group.bias_exp}"
        raise DeployError(group.name, "bias", got=got, relation="is not", limit=limit, do=_ITSELF)
    if bias.min() < fixed.BIAS_MANT_MIN or bias.max() > fixed.BIAS_MANT_MAX:
        worst = bias.min() if bias.min() < fixed.BIAS_MANT_MIN else bias.max()
        limit = f"[{fixed.BIAS_MANT_MIN}, {fixed.BIAS_MANT_MAX}]"
        raise DeployError(group.name, "bias in steps of 64", got=int(worst), relation="is not in", limit=limit)
    return bias


def _neuron(group: LIF) -> Neuron:
    return Neuron(group.du + 1, group.dv, group.vth)


def _resets(chain: Sequence[LIF]) -> tuple[int, int]:
    """Interval and offset with which layer k is cleared at t % interval == (offset + 1 + k) % interval."""
    interval = chain[0].reset_interval
    if not interval:
        offset = 0
    else:
        offset = (chain[0].reset_offset - 1) % interval
    for k, group in enumerate(chain):
        due = (offset + 1 + k) % interval if interval else 0
        if group.reset_interval != interval or (interval and group.reset_offset % interval != due):
            got = f"every {group.reset_interval} steps from {group.reset_offset}"
            limit = f"every {interval} steps from {due}, one step after the layer before"
            raise DeployError(group.name, "reset", got=got, relation="is not", limit=limit)
    return interval, offset
