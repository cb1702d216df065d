"""What blocks have to do in a step, and what they tell each other: means of a run, exact where one was measured.

Of a convolution all follows from sums along its axes, for what a neuron reaches is a product of what its channel, row
and column do (`spikeport/reached.py`). Blocks that share a core save messages, and two connections that lead from a
neuron to one block make one message and not two: neither is known here, so what is found is at most too much.
"""

from collections.abc import Iterator, Mapping
from math import prod
from typing import NamedTuple

import numpy as np

from spikeport.cores import Cut
from spikeport.deploy.cores.activity import Activity, Floats, Rates
from spikeport.deploy.cores.listed import met
from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Dense, Program, Shape
from spikeport.reached import channels_reached, pixels_reached


class Traffic(NamedTuple):
    """Messages in a step from blocks of one group to blocks of another, three arrays `(pairs,)`."""

    source: Ints
    target: Ints
    messages: Floats


def inward(program: Program, activity: Activity, name: str, cut: Cut) -> Floats:
    """ns of a group's blocks in a step, `(2, blocks)`: what neurons do (all but to send), and synapses."""
    times, n = activity.times, cut.neurons
    rates = activity.rates[name]
    neurons = n * (times.update + activity.active[name] * times.active) + _spikes(rates, cut) * times.spike
    synapses = np.zeros(cut.cores)
    for c in program.connections:
        if c.target == name:
            sops, messages = _heard(c, activity.rates[c.source], program.shape_of(c.source), cut)
            synapses += sops * times.sop[type(c).__name__.lower()] + messages * times.message_in
    return np.stack([neurons, synapses])


def outward(program: Program, activity: Activity, name: str, cuts: Mapping[str, Cut]) -> Floats:
    """ns that a group's blocks need to send their messages in a step, `(blocks,)`; depends on its targets' cuts."""
    cut, rates, shape = cuts[name], activity.rates[name], program.shape_of(name)
    found = np.zeros(cut.cores)
    for c in program.connections if activity.times.message_out else ():
        if c.source == name:
            found += _sent(c, rates, shape, cut, cuts[c.target])
    return found * activity.times.message_out


def traffic_of(
    program: Program, activity: Activity, name: str, cuts: Mapping[str, Cut]
) -> Iterator[tuple[str, Traffic]]:
    """What each connection of a group carries, beside its target."""
    cut, rates = cuts[name], activity.rates[name]
    for c in program.connections:
        if c.source != name:
            continue
        target = cuts[c.target]
        if isinstance(c, Conv):
            yield c.target, _conv_traffic(c, rates, program.shape_of(name), cut, target)
        elif isinstance(c, Dense):
            each: Floats = np.repeat(_spikes(rates, cut), target.cores)
            source, to = np.divmod(np.arange(each.size), target.cores)
            yield c.target, Traffic(source, to, each)
        else:
            neuron, to, _ = met(c.col, target.labels()[c.row], target.cores)
            pair, index = np.unique(cut.labels()[neuron] * target.cores + to, return_inverse=True)
            weights = np.broadcast_to(rates, prod(program.shape_of(name)))[neuron]
            yield c.target, Traffic(pair // target.cores, pair % target.cores, _summed(index, weights, pair.size))


def _sent(c: Connection, rates: Rates, shape: Shape, cut: Cut, target: Cut) -> Floats:
    """Messages of each block of the source in a step."""
    if isinstance(c, Dense):
        return _spikes(rates, cut) * target.cores
    if isinstance(c, Conv):
        sums = []
        for axis, reached in enumerate(_axes(c, shape, target)):
            blocks = (reached > 0).sum(axis=1)  # that a channel, a row, a column reaches
            own = np.arange(shape[axis]) // cut.block[axis]
            sums.append(np.where(own[:, None] == np.arange(cut.parts[axis]), blocks[:, None], 0))
        return _over(rates, shape, *sums).reshape(-1)
    neuron = met(c.col, target.labels()[c.row], target.cores).first
    return _summed(cut.labels()[neuron], np.broadcast_to(rates, prod(shape))[neuron], cut.cores)


def _spikes(rates: Rates, cut: Cut) -> Floats:
    """Of each block in a step."""
    each = cut.neurons * rates if isinstance(rates, float) else np.bincount(cut.labels(), rates, cut.cores)
    return each.astype(np.float64)


def _summed(index: Ints, values: Floats, size: int) -> Floats:
    return np.bincount(index, values, size).astype(np.float64)


def _heard(c: Connection, rates: Rates, source: Shape, cut: Cut) -> tuple[Floats, Floats]:
    """Operations and messages of each block in a step."""
    if isinstance(c, Conv):
        reached = _axes(c, source, cut)
        any_synapse = [np.minimum(axis, 1) for axis in reached]
        return _over(rates, source, *reached).reshape(-1), _over(rates, source, *any_synapse).reshape(-1)
    if isinstance(c, Dense):
        spikes = rates * prod(source) if isinstance(rates, float) else float(rates.sum())
        return cut.neurons.astype(np.float64) * spikes, np.full(cut.cores, spikes)
    each = np.broadcast_to(rates, prod(source))
    to, neuron, synapses = met(cut.labels()[c.row], c.col, prod(source))
    return _summed(to, each[neuron] * synapses, cut.cores), _summed(to, each[neuron], cut.cores)


def _axes(conv: Conv, source: Shape, cut: Cut) -> tuple[Ints, Ints, Ints]:
    return (
        channels_reached(conv, cut),
        pixels_reached(conv, source, cut, 1),
        pixels_reached(conv, source, cut, 2),
    )


def _over(rates: Rates, shape: Shape, channels: Ints, rows: Ints, columns: Ints) -> Floats:
    """Spikes by what is `(n, k)` along each axis, `(k_c, k_y, k_x)`: sums over neurons of products of the three."""
    if isinstance(rates, float):
        c, y, x = (axis.sum(axis=0) for axis in (channels, rows, columns))
        return np.asarray(rates * c[:, None, None] * y[:, None] * x)
    sums: Floats = rates.reshape(shape)
    axes = (channels, rows, columns)
    for axis in sorted(
        range(3), key=lambda axis: axes[axis].shape[1] / shape[axis]
    ):  # what makes it longest comes last
        sums = np.moveaxis(np.tensordot(sums, axes[axis].astype(np.float64), (axis, 0)), -1, axis)
    return sums


def pairs_of(program: Program, cuts: Mapping[str, Cut]) -> int:
    """How many pairs of blocks there are that tell each other something, for each connection."""
    found = 0
    for c in program.connections:
        if c.source not in cuts:
            continue
        cut, target = cuts[c.source], cuts[c.target]
        if isinstance(c, Conv):
            found += prod(pair.size for pair, _, _ in _axis_pairs(c, program.shape_of(c.source), cut, target))
        else:
            found += cut.cores * target.cores if isinstance(c, Dense) else c.row.size
    return found


def _axis_pairs(conv: Conv, shape: Shape, cut: Cut, target: Cut) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Along each axis: pairs of a block of the source and one of the target that it reaches, as one number each; and
    the places of the source that are in a pair, with its index."""
    for axis, reached in enumerate(_axes(conv, shape, target)):
        place, to = np.nonzero(reached)
        pair, index = np.unique(place // cut.block[axis] * target.parts[axis] + to, return_inverse=True)
        yield pair, place, index


def _conv_traffic(conv: Conv, rates: Rates, shape: Shape, cut: Cut, target: Cut) -> Traffic:
    pairs, members = [], []
    for axis, (pair, place, index) in enumerate(_axis_pairs(conv, shape, cut, target)):
        pairs.append(np.divmod(pair, target.parts[axis]))
        if isinstance(rates, float):  # all places are alike
            members.append(np.bincount(index)[None])
            continue
        members.append(np.zeros((shape[axis], pair.size), np.int64))
        members[-1][place, index] = 1
    messages = _over(rates, shape, *members).reshape(-1)
    source, to = (_numbers(c, [pair[k] for pair in pairs]) for k, c in enumerate((cut, target)))
    return Traffic(source, to, messages)


def _numbers(cut: Cut, places: list[Ints]) -> Ints:
    """Of the blocks at all combinations of places along the axes."""
    c, y, x = places
    return np.asarray(((c[:, None, None] * cut.parts[1] + y[:, None]) * cut.parts[2] + x).reshape(-1))
