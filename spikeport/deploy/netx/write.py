"""Program -> `.net`. What lava-dl would change, or a `.net` cannot say, is refused with the reason.

A `.net` holds no names, no resets, no step length, no latency, no profile, no range of the input, and no classes:
`read_netx` names the groups anew; resets and exponents are arguments of the reader, there as here.
"""

import os
from collections.abc import Sequence
from math import prod

import numpy as np

from spikeport import fixed
from spikeport.deploy.netx.arguments import NetxArguments
from spikeport.deploy.netx.distortion import distorted
from spikeport.deploy.netx.file import write_layers
from spikeport.deploy.netx.groups import ITSELF, bias_of, neuron_of
from spikeport.deploy.netx.layers import (
    BIAS_EXP,
    SPIKE_EXP,
    ConvLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Neuron,
    ResonatorNeuron,
    Shape,
    SigmaDeltaNeuron,
)
from spikeport.errors import NoNetxForm
from spikeport.fixed import Ints
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta
from spikeport.program import Connection, Conv, Dense, Encoder, Input, Program, Sparse


def write_netx(program: Program, path: str | os.PathLike[str]) -> NetxArguments:
    """Writes the file, and gives the arguments with which it runs as the Program does.

    Raises:
        DeployError: the Program has what a `.net` cannot hold, or what lava-dl would change.
    """
    chain = _chain(program)
    entry = program.inputs[0]
    first, has_neurons = _first_layer(program, chain[0])
    layers: list[Layer] = [first]
    shape: Shape = first.shape
    for group in chain[1:] if has_neurons else chain:
        into = [c for c in program.connections if c.target == group.name]
        layer = _layer(program, group, into)
        if isinstance(layer, DenseLayer) and len(shape) > 1:
            layers.append(FlattenLayer())
        if isinstance(layer, ConvLayer) and len(shape) != 3:
            what = "convolution after a dense layer"
            raise NoNetxForm(group.name, what, relation="is not supported by lava-dl", do=ITSELF)
        layers.append(layer)
        shape = layer.shape if isinstance(layer, ConvLayer) else (group.size,)
    interval, offset = _resets(chain)
    arguments = NetxArguments(
        interval,
        offset,
        program.encoders[0].shift if program.encoders else 0,
        _spike_exp(chain),
        0 if has_neurons else _message_bits(entry),
    )
    write_layers(layers, path)
    return arguments


def _chain(program: Program) -> tuple[Group, ...]:
    """The groups in order, if they are one chain from the input to the output that a file has fields for."""
    for group in program.groups:
        neuron_of(group)
    _check_payloads(program)
    sources = [program.inputs[0].name, *(g.name for g in program.groups)]
    groups = program.groups
    if program.encoders:
        sources, groups = sources[1:], groups[1:]
    wanted = [(source, g.name, port) for source, g in zip(sources, groups, strict=False) for port in g.ports]
    found = [(c.source, c.target, c.port) for c in program.connections if c.source != c.target]
    if sorted(found) != sorted(wanted) or len(program.inputs) != 1:
        got = ", ".join(f"{a} -> {b}" for a, b, _ in found)
        do = "a .net holds one chain of layers; " + ITSELF
        raise NoNetxForm("program", "connections", got=got, relation="are not one chain", do=do)
    last = program.groups[-1].name
    if [o.source for o in program.outputs] != [last]:
        got = ", ".join(o.source for o in program.outputs)
        raise NoNetxForm("program", "outputs", got=got, relation="are not the last layer", limit=last)
    return program.groups


def _check_payloads(program: Program) -> None:
    """In lava-dl payloads count exactly where SDNN neurons send them, or the input has message bits."""
    payloads = {g.name for g in program.groups if isinstance(g, SigmaDelta)}
    payloads |= {i.name for i in program.inputs if i.kind == "graded"}
    for c in program.connections:
        if c.graded != (c.source in payloads):
            where, limit = f"{c.source} -> {c.target}", c.source in payloads
            do = "lava-dl counts the payloads of SDNN neurons and of graded input, and no others; " + ITSELF
            raise NoNetxForm(where, "graded", got=c.graded, relation="is not", limit=limit, do=do)


def _spike_exp(chain: Sequence[Group]) -> int:
    found = {g.name: g.spike_exp for g in chain if isinstance(g, SigmaDelta) and g.stage != "sigma"}
    first = next(iter(found.values()), SPIKE_EXP)
    for name, spike_exp in found.items():
        if spike_exp != first:
            do = "lava-dl takes one for the whole network; " + ITSELF
            raise NoNetxForm(name, "spike_exp", got=spike_exp, relation="is not", limit=first, do=do)
    return first


def _message_bits(entry: Input) -> int:
    """The least that hold the magnitude of every payload."""
    return max(-entry.low, entry.high).bit_length() if entry.kind == "graded" else 0


def _first_layer(program: Program, first: Group) -> tuple[InputLayer, bool]:
    """The input layer, and whether it has neurons: LIF whose bias the host loads, or delta neurons."""
    if program.encoders:
        assert isinstance(first, LIF)
        return _lif_input(program, first), True
    if not isinstance(first, SigmaDelta) or first.stage != "delta":
        return InputLayer(program.inputs[0].shape), False
    (link,) = (c for c in program.connections if c.target == first.name)
    if first.shape != program.inputs[0].shape or not _is_one_to_one(link, first.size):
        limit = "one listed synapse of weight 1 for each neuron, from an input of its shape"
        do = "lava-dl's delta neurons are its input layer; " + ITSELF
        raise NoNetxForm(first.name, "synapses of delta neurons", relation="are not", limit=limit, do=do)
    neuron = neuron_of(first)
    assert isinstance(neuron, SigmaDeltaNeuron)
    return InputLayer(first.shape, neuron), True


def _is_one_to_one(link: Connection, size: int) -> bool:
    if not isinstance(link, Sparse) or np.any(link.delay) or link.weight_exp:
        return False
    each = np.array_equal(np.sort(link.row), np.arange(size)) and np.array_equal(link.row, link.col)
    return bool(each and np.all(link.weight == 1))


def _lif_input(program: Program, first: LIF) -> InputLayer:
    encoder = program.encoders[0]
    if any(c.target == first.name for c in program.connections):
        raise NoNetxForm(first.name, "recurrent connection of the input layer", relation="is not supported")
    transform = _transform(encoder)
    if encoder.synapses.target != first.name or transform is None:
        do = "a .net's input is weight * x + bias, the same for each value; " + ITSELF
        raise NoNetxForm(first.name, "first layer, computed on the host,", relation="has no place in a .net", do=do)
    if first.bias_exp != BIAS_EXP:
        raise NoNetxForm(first.name, "bias_exp", got=first.bias_exp, relation="is not", limit=BIAS_EXP, do=ITSELF)
    neuron = neuron_of(first)
    assert isinstance(neuron, Neuron)
    return InputLayer(first.shape, neuron, *transform)


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


def _layer(program: Program, group: Group, into: Sequence[Connection]) -> DenseLayer | ConvLayer:
    forward = [c for c in into if c.source != group.name]
    backward = [c for c in into if c.source == group.name]
    if isinstance(group, SigmaDelta) and group.stage == "delta":
        raise NoNetxForm(group.name, "delta neurons", relation="are not the input layer", do=ITSELF)
    if backward and (not isinstance(group, LIF) or any(isinstance(c, Conv) for c in into)):
        what = "recurrent connection" if not isinstance(group, LIF) else "convolution of a recurrent layer"
        raise NoNetxForm(group.name, what, relation="is not supported", do=ITSELF)
    if isinstance(group, Resonator):
        return _complex_dense(program, group, forward)
    if isinstance(forward[0], Conv):
        return _conv(group, forward[0])
    return _dense(program, group, forward[0], backward)


def _conv(group: LIF | SigmaDelta, conv: Conv) -> ConvLayer:
    if conv.delay:
        do = "lava-dl ignores it"
        raise NoNetxForm(group.name, "delay of a convolution", got=conv.delay, relation="is not", limit=0, do=do)
    bias = bias_of(group)
    if np.array_equal(bias, np.broadcast_to(bias[:, :1, :1], bias.shape)):
        bias = bias[:, 0, 0]
    weight = conv.weight.astype(np.int64) << conv.weight_exp
    neuron = neuron_of(group)
    assert not isinstance(neuron, ResonatorNeuron)
    return ConvLayer(group.shape, weight, bias, neuron, conv.stride, conv.padding, conv.dilation, conv.groups)


def _dense(program: Program, group: Group, forward: Dense | Sparse, backward: Sequence[Connection]) -> DenseLayer:
    size = (group.size, prod(program.shape_of(forward.source)))
    weights = [_matrix(group, forward, size), *(_matrix(group, c, (group.size, group.size)) for c in backward)]
    delays = [_delay(c, w.shape) for c, w in zip((forward, *backward), weights, strict=True)]
    if len(weights) > 2:
        raise NoNetxForm(group.name, "recurrent connections", got=len(backward), relation="exceed", limit=1)
    if len(weights) == 2 and any(np.any(delay) for delay in delays):
        do = "lava-dl drops the weights' exponent there"
        raise NoNetxForm(group.name, "delay of a recurrent layer", relation="is not supported", do=do)
    _check_survival(group, weights)
    return DenseLayer(weights[0], bias_of(group).reshape(-1), neuron_of(group), delays[0], *weights[1:])


def _complex_dense(program: Program, group: Resonator, forward: Sequence[Connection]) -> DenseLayer:
    """Real and imaginary weights, which lava-dl shifts one without the other."""
    weights = {}
    for c in forward:
        if isinstance(c, Conv):
            raise NoNetxForm(group.name, "convolution into RF neurons", relation="is not supported", do=ITSELF)
        if np.any(c.delay):
            do = "lava-dl ignores it; " + ITSELF
            raise NoNetxForm(group.name, "delay of RF neurons", relation="is not supported", do=do)
        weights[c.port] = _matrix(group, c, (group.size, prod(program.shape_of(c.source))))
        _check_survival(group, [weights[c.port]])
    bias = bias_of(group).reshape(-1)
    return DenseLayer(weights["re"], bias, neuron_of(group), weight_imag=weights["im"])


def _matrix(group: Group, connection: Connection, size: tuple[int, int]) -> Ints:
    """Weights in steps of 1: mantissa << exponent, if that is whole for each synapse."""
    assert not isinstance(connection, Conv)
    mantissa = connection.weight.astype(np.int64)
    if isinstance(connection, Sparse):
        mantissa = np.zeros(size, np.int64)
        mantissa[connection.row, connection.col] = connection.weight
    weight = fixed.shift(mantissa, connection.weight_exp)
    if not np.array_equal(fixed.shift(weight, -connection.weight_exp), mantissa):
        what, relation = "weight exponent", "leaves fractions of weights"
        raise NoNetxForm(group.name, what, got=connection.weight_exp, relation=relation, do=ITSELF)
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


def _check_survival(group: Group, weights: Sequence[Ints]) -> None:
    """Whether lava-dl's own shifting, clipping and truncating leaves every weight as it is."""
    low, high = min(int(w.min()) for w in weights), max(int(w.max()) for w in weights)
    if low < fixed.WEIGHT_MIN_MIXED or high > fixed.WEIGHT_MAX:
        limit = f"[{fixed.WEIGHT_MIN_MIXED}, {fixed.WEIGHT_MAX}]; lava-dl clips them"
        raise NoNetxForm(group.name, "weights", got=f"{low} to {high}", relation="are not in", limit=limit, do=ITSELF)
    if low == high == 0:
        raise NoNetxForm(group.name, "all weights are 0: lava-dl stops with an OverflowError", do="remove the layer")
    if changed := distorted(weights):
        what = f"lava-dl would change {changed} of {sum(w.size for w in weights)} weights"
        raise NoNetxForm(group.name, what, got=f"they are {low} to {high}", do=ITSELF)


def _resets(chain: Sequence[Group]) -> tuple[int, int]:
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
            raise NoNetxForm(group.name, "reset", got=got, relation="is not", limit=limit)
    return interval, offset
