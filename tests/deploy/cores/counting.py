"""What every core needs, counted synapse by synapse in plain Python: the oracle of the core mapping."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from math import ceil, log2
from typing import NamedTuple

import numpy as np

from spikeport.chip import Chip
from spikeport.program import Connection, Conv, Dense, Program, Sparse

Needs = dict[str, dict[str, list[int]]]
Cores = dict[str, list[int]]
"""The core of every neuron of every group."""


class Synapse(NamedTuple):
    source: int
    target: int
    pixel: tuple[int, int] = (0, 0)
    tap: tuple[int, int] = (0, 0)
    channel: int = 0
    filter: int = 0


def synapses(c: Connection, source: tuple[int, ...], target: tuple[int, ...]) -> Iterator[Synapse]:
    if isinstance(c, Dense):
        for i, j in np.ndindex(*c.weight.shape):
            yield Synapse(j, i)
        return
    if isinstance(c, Sparse):
        for i, j in zip(c.row.tolist(), c.col.tolist(), strict=True):
            yield Synapse(j, i)
        return
    number = np.arange(int(np.prod(source))).reshape(source)
    filters, per, k_h, k_w = c.weight.shape
    for index, (f, y, x) in enumerate(np.ndindex(*target)):
        first = f // (filters // c.groups) * per
        for channel, i, j in np.ndindex(per, k_h, k_w):
            h = y * c.stride[0] - c.padding[0] + i * c.dilation[0]
            w = x * c.stride[1] - c.padding[1] + j * c.dilation[1]
            if 0 <= h < source[1] and 0 <= w < source[2]:
                yield Synapse(int(number[first + channel, h, w]), index, (h, w), (i, j), first + channel, f)


def needs(program: Program, chip: Chip, cores: Cores, room: Cores) -> Needs:
    """Axons in, axons out and words of each core of each group, and all of its memory.

    Args:
        room: For how many neurons each core of each group keeps room.
    """
    found: Needs = {
        name: {what: [0] * (max(of) + 1) for what in ("axons in", "axons out", "synapses", "axon memory")}
        for name, of in cores.items()
    }
    for output in program.outputs:
        for core in cores[output.source]:
            found[output.source]["axons out"][core] += 1
    for c in program.connections:
        into = cores[c.target]
        every = list(synapses(c, program.shape_of(c.source), program.shape_of(c.target)))
        for core, neurons in Counter(into).items():
            here = [s for s in every if into[s.target] == core]
            axons, words = _heard(c, program.shape_of(c.target), here, into, core, neurons, chip)
            found[c.target]["axons in"][core] += axons
            found[c.target]["synapses"][core] += words
        if c.source in cores:
            for core in _entries(c, every, program.shape_of(c.source), cores[c.source], into, chip):
                found[c.source]["axons out"][core] += 1
            for core, words in _axon_memory(program, c, cores, chip):
                found[c.source]["axon memory"][core] += words
    for name, of in found.items():
        tables = zip(*of.values(), room[name], strict=True)
        of["memory"] = [1 + sum(words) for words in tables]
    return found


def _heard(
    c: Connection, target: tuple[int, ...], here: list[Synapse], into: list[int], core: int, neurons: int, chip: Chip
) -> tuple[int, int]:
    """Axons in, and words, of one core."""
    if not isinstance(c, Conv):
        lists = Counter(s.source for s in here)
        if chip.generation == 2:
            return len(lists), sum(ceil((n * 20 + 10) / 64) for n in lists.values())
        bits = 8 + (_index_bits(neurons) if isinstance(c, Sparse) else 0)
        return len(lists), sum(_words(n, bits) for n in lists.values())
    filters, per, k_h, k_w = c.weight.shape
    if chip.generation == 2:
        pixels = target[1] * target[2]
        on_core = {i // pixels for i, at in enumerate(into) if at == core}
        groups = Counter(f // (filters // c.groups) for f in on_core)
        return 1, sum(per * k_h * k_w * ceil((n * 8 + 20) / 64) for n in groups.values())
    taps = defaultdict(set)
    for s in here:
        taps[s.pixel].add(s.tap)
    kernels = Counter((s.channel, s.pixel) for s in here)
    lists = {(channel, frozenset(taps[pixel])): n for (channel, pixel), n in kernels.items()}
    return len(taps), sum(_words(n, 8 + _index_bits(neurons)) for n in lists.values())


def _entries(
    c: Connection, every: list[Synapse], shape: tuple[int, ...], of: list[int], into: list[int], chip: Chip
) -> Iterator[int]:
    """The core of each entry that sends spikes."""
    if chip.generation == 1:
        return (of[source] for source, _ in {(s.source, into[s.target]) for s in every})
    if isinstance(c, Conv):
        pixels = shape[1] * shape[2]
        return (core for core, _ in {(core, number % pixels) for number, core in enumerate(of)})
    return iter(of)


def _axon_memory(program: Program, c: Connection, cores: Cores, chip: Chip) -> Iterator[tuple[int, int]]:
    """Of each core of the source of a convolution on a Loihi 2."""
    if chip.generation == 1 or not isinstance(c, Conv):
        return
    source, target = program.shape_of(c.source), program.shape_of(c.target)
    own, behind = _block(source, cores[c.source]), _block(target, cores[c.target])
    halved = sum(behind[axis] * c.stride[axis - 1] > own[axis] for axis in (1, 2))
    fed = c.weight.shape[0] // c.groups
    filters = {frozenset(channels) for channels in _coordinates(target, cores[c.target], 0).values()}
    places = _coordinates(source, cores[c.source], 0)
    for core, channels in places.items():
        groups = {channel // c.weight.shape[1] for channel in channels}
        reached = sum(any(f // fed in groups for f in block) for block in filters)
        pixels = {n % (source[1] * source[2]) for n, at in enumerate(cores[c.source]) if at == core}
        yield core, ceil(len(pixels) * reached / 2**halved)


def _block(shape: tuple[int, ...], of: list[int]) -> list[int]:
    return [max(len(found) for found in _coordinates(shape, of, axis).values()) for axis in range(3)]


def _coordinates(shape: tuple[int, ...], of: list[int], axis: int) -> dict[int, set[int]]:
    """Along an axis, of each core."""
    found: dict[int, set[int]] = defaultdict(set)
    for place, core in zip(np.ndindex(*shape), of, strict=True):
        found[core].add(place[axis])
    return found


def _index_bits(neurons: int) -> int:
    return max(6, ceil(log2(neurons)))


def _words(n: int, bits: int) -> int:
    """Lists of up to 64 synapses with a header of 10 bits, each ending with a word of 64 bits."""
    return sum(ceil((min(64, n - i) * bits + 10) / 64) for i in range(0, n, 64))
