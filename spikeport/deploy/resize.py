"""Smaller copies of a Program: fewer channels of a layer, or larger strides. Weights are sliced, not trained again.

They answer what would fit a chip, so what counts is their shape; their spikes mean nothing.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from spikeport.errors import ProgramShape
from spikeport.fixed import Ints
from spikeport.program import LIF, Connection, Conv, Dense, Encoder, Group, IntArray, Program, Shape, SigmaDelta

Strides = Mapping[tuple[str, str], tuple[int, int]]
"""By source and target."""


def with_channels(program: Program, channels: Mapping[str, int]) -> Program:
    """A copy in which the named groups have that many of their channels, or neurons if they are no images.

    Groups that are tied to them channel by channel (depthwise convolutions) follow.

    Raises:
        ProgramError: a grouped convolution, or the classes of an output, do not allow it.
    """
    shapes = {name: (n, *program.shape_of(name)[1:]) for name, n in channels.items()}
    pending = list(shapes)
    while pending:
        name = pending.pop()
        for c in program.connections:
            if not (isinstance(c, Conv) and _is_depthwise(c) and name in (c.source, c.target)):
                continue
            other = c.target if name == c.source else c.source
            if other not in shapes:
                shapes[other] = (shapes[name][0], *program.shape_of(other)[1:])
                pending.append(other)
    return resized(program, shapes, {})


def with_double_stride(program: Program, group: str) -> Program:
    """A copy in which all convolutions into a group have twice the stride; the layers behind shrink with it.

    Raises:
        ProgramError: shapes do not meet any more, or what the network puts out would change.
    """
    layers = [*program.connections, *(e.synapses for e in program.encoders)]
    strides = {
        (c.source, c.target): (2 * c.stride[0], 2 * c.stride[1])
        for c in layers
        if isinstance(c, Conv) and c.target == group
    }
    shapes: dict[str, Shape] = {}
    for name in (g.name for g in program.groups):
        for c in layers:
            if isinstance(c, Conv) and c.target == name and (c.source in shapes or (c.source, name) in strides):
                wider = replace(c, stride=strides.get((c.source, name), c.stride))
                shapes[name] = wider.output_shape(shapes.get(c.source, program.shape_of(c.source)))
    for output in program.outputs:
        if output.source in shapes:
            raise ProgramShape(output.name, "neurons", got=shapes[output.source], relation="would change")
    return resized(program, shapes, strides)


def resized(program: Program, shapes: Mapping[str, Shape], strides: Strides) -> Program:
    """A copy in which groups keep the first channels, rows and columns of their own that `shapes` says."""
    new = {name: shapes.get(name, program.shape_of(name)) for name in _names(program)}
    changed = {name for name in new if new[name] != program.shape_of(name)}

    def resize(c: Connection) -> Connection:
        stride = strides.get((c.source, c.target))
        if isinstance(c, Conv):
            return _conv(c if stride is None else replace(c, stride=stride), new)
        if not changed & {c.source, c.target}:
            return c
        return _listed(program, c, new)

    encoders = tuple(
        replace(e, synapses=_host(e, resize(e.synapses)), offset=_first(e.offset, new[e.synapses.target]))
        for e in program.encoders
    )
    groups = tuple(_group(g, new[g.name]) if g.name in changed else g for g in program.groups)
    connections = tuple(resize(c) for c in program.connections)
    return replace(program, groups=groups, connections=connections, encoders=encoders)


def _names(program: Program) -> list[str]:
    return [*(i.name for i in program.inputs), *(g.name for g in program.groups)]


def _first(array: IntArray, shape: Shape) -> IntArray:
    return array[tuple(slice(n) for n in shape)]


def _host(encoder: Encoder, synapses: Connection) -> Dense | Conv:
    assert isinstance(synapses, type(encoder.synapses))
    return synapses


def _group(group: Group, shape: Shape) -> Group:
    match group:
        case LIF():
            return replace(group, shape=shape, bias_mant=_first(group.bias_mant, shape))
        case SigmaDelta(bias=np.ndarray() as bias):
            return replace(group, shape=shape, bias=_first(bias, shape))
        case _:
            return replace(group, shape=shape)


def _is_depthwise(conv: Conv) -> bool:
    return conv.groups > 1 and conv.groups == conv.weight.shape[0] and conv.weight.shape[1] == 1


def _conv(conv: Conv, shapes: Mapping[str, Shape]) -> Conv:
    into, out = shapes[conv.source][0], shapes[conv.target][0]
    if (out, into) == (conv.weight.shape[0], conv.weight.shape[1] * conv.groups):
        return conv
    if conv.groups == 1:
        return replace(conv, weight=conv.weight[:out, :into])
    if _is_depthwise(conv):
        return replace(conv, weight=conv.weight[:out], groups=into)
    raise ProgramShape(f"{conv.source} -> {conv.target}", "groups of a convolution", got=conv.groups)


def _listed(program: Program, connection: Connection, shapes: Mapping[str, Shape]) -> Connection:
    """A dense or sparse connection between those neurons that stay."""
    source, target = (_kept(program.shape_of(n), shapes[n]) for n in (connection.source, connection.target))
    delay = connection.delay
    if isinstance(connection, Dense):
        index = np.ix_(target, source)
        return replace(
            connection, weight=connection.weight[index], delay=delay if isinstance(delay, int) else delay[index]
        )
    assert not isinstance(connection, Conv)
    row, col = (
        _renumbered(program.shape_of(n), kept)[at]
        for n, kept, at in ((connection.target, target, connection.row), (connection.source, source, connection.col))
    )
    stay = (row >= 0) & (col >= 0)
    return replace(
        connection,
        row=row[stay],
        col=col[stay],
        weight=connection.weight[stay],
        delay=delay if isinstance(delay, int) else delay[stay],
    )


def _kept(old: Shape, new: Shape) -> Ints:
    """Which neurons of a group stay, in order."""
    return _first(np.arange(np.prod(old)).reshape(old), new).reshape(-1).astype(np.int64)


def _renumbered(old: Shape, kept: Ints) -> Ints:
    """The new number of each neuron; -1 where it goes."""
    number: Ints = np.full(int(np.prod(old)), -1, np.int64)
    number[kept] = np.arange(kept.size)
    return number
