"""What a cut asks of each core: neurons, axons in, axons out and words of synaptic memory.

Axons in. A dense or sparse layer takes one for each source that reaches the core. A convolution takes one for each
pixel on a Loihi 1 (nengo-loihi 1.1.0, `build_conv2d_connection`: population axons, the channel is an atom of the
spike), and a single one on a Loihi 2 (compile logs of lava-dl's pilotnet and yolo_kp: 0.01 % of 16,000).

Memory. On both chips a core stores a kernel once and not once for each pixel. Loihi 1: nengo-loihi's
`axon_to_weight_map` lets axons share weights; pixels at a border, and those between strides, have lists of their
own. Loihi 2: the words of those logs are those of one kernel.

Axons out. Loihi 1: one for each neuron and each core that it reaches (nengo-loihi has an axon for each block that
is reached). Loihi 2, after the same logs: one for each neuron of a dense or sparse layer however many cores it
reaches, and before a convolution one for each pixel and each core. An output is one for each neuron.
"""

from collections.abc import Iterator, Mapping
from math import prod

import numpy as np
from scipy import sparse

from spikeport.chip import Chip
from spikeport.cores import Cut, spread
from spikeport.deploy.cores.window import filters, window
from spikeport.deploy.cores.words import loihi1_words, loihi2_tap_words, loihi2_words
from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Dense, Program, Shape, Sparse

LIMITS = {
    "neurons": "neurons_per_core",
    "axons in": "axons_in_per_core",
    "axons out": "axons_out_per_core",
    "synapses": "synapse_words_per_core",
}
"""Each resource of a core, and the field of `Chip` that limits it."""
Loads = dict[str, Ints]


def limits_of(chip: Chip) -> dict[str, int]:
    return {resource: getattr(chip, name) for resource, name in LIMITS.items()}


def loads(
    program: Program, chip: Chip, name: str, cuts: Mapping[str, Cut], *, out: bool = True, listed: bool = True
) -> Loads:
    """Of every core of a group, each `(cores,)`.

    Args:
        cuts: Of the group itself and of the groups that it sends to.
        out: Whether axons out are counted; they depend on the other cuts.
        listed: Whether listed synapses into it are counted, which takes time for each of them.
    """
    cut = cuts[name]
    into = [c for c in program.connections if c.target == name and (listed or not isinstance(c, Sparse))]
    inward = [_inward(c, program.shape_of(c.source), cut, chip) for c in into]
    nothing = np.zeros(cut.cores, np.int64)
    found = {
        "neurons": cut.room,
        "axons in": sum((axons for axons, _ in inward), nothing),
        "synapses": sum((words for _, words in inward), nothing),
        "axons out": sum(_outward(program, chip, name, cuts), nothing) if out else nothing,
    }
    return {resource: found[resource] for resource in LIMITS}


def _inward(connection: Connection, source: Shape, cut: Cut, chip: Chip) -> tuple[Ints, Ints]:
    """Axons in, and words, of each core."""
    if isinstance(connection, Conv):
        return (_conv_loihi1 if chip.generation == 1 else _conv_loihi2)(connection, source, cut)
    delays = not isinstance(connection.delay, int) and bool(np.any(connection.delay))
    if isinstance(connection, Dense):
        n = prod(source)
        words = loihi1_words if chip.generation == 1 else loihi2_words
        return np.full(cut.cores, n), n * words(cut.neurons, delays=delays)
    listed = _listed(connection, source, cut)
    if chip.generation == 1:
        core = np.repeat(np.arange(cut.cores), np.diff(listed.indptr))
        words_each = loihi1_words(listed.data, neurons=cut.neurons[core], delays=delays)
    else:
        words_each = loihi2_words(listed.data, delays=delays)
    sums = np.concatenate([[0], np.cumsum(words_each)])
    return np.diff(listed.indptr).astype(np.int64), np.diff(sums[listed.indptr])


def _listed(connection: Sparse, source: Shape, cut: Cut) -> sparse.csr_matrix:
    """`(cores, n_source)`: how many synapses each source has on each core."""
    n = prod(source)
    places = np.sort(cut.labels()[connection.row] * n + connection.col)
    first = np.flatnonzero(np.diff(places, prepend=-1))
    core, source_neuron = np.divmod(places[first], n)
    return sparse.coo_matrix((np.diff(first, append=places.size), (core, source_neuron)), shape=(cut.cores, n)).tocsr()


def _conv_loihi2(conv: Conv, source: Shape, cut: Cut) -> tuple[Ints, Ints]:
    taps = prod(conv.weight.shape[1:])
    words = taps * loihi2_tap_words(filters(conv, cut)).sum(axis=1)
    return np.ones(cut.cores, np.int64), np.repeat(words, cut.parts[1] * cut.parts[2])


def _conv_loihi1(conv: Conv, source: Shape, cut: Cut) -> tuple[Ints, Ints]:
    rows, columns = (window(conv, source, cut, axis) for axis in (1, 2))
    words = np.zeros(cut.parts, np.int64)
    for (y_taps, height), y in rows.alike.items():
        for (x_taps, width), x in columns.alike.items():
            each = np.outer(y_taps, x_taps).reshape(-1)
            words[:, y[:, None], x] = _kernel_words(conv, cut, each, height * width)[:, None, None]
    return spread(np.ones(cut.parts[0], np.int64), rows.needed, columns.needed), words.reshape(-1)


def _kernel_words(conv: Conv, cut: Cut, taps: Ints, pixels: int) -> Ints:
    """Words on a core of each block of channels, where `taps` has the sizes of the distinct lists of weights."""
    lists = filters(conv, cut)[:, :, None] * taps
    words = loihi1_words(lists, neurons=(cut.sizes(0) * pixels)[:, None, None])
    return np.asarray(conv.weight.shape[1] * words.sum(axis=(1, 2)), np.int64)


def _outward(program: Program, chip: Chip, name: str, cuts: Mapping[str, Cut]) -> Iterator[Ints]:
    cut = cuts[name]
    for output in program.outputs:
        if output.source == name:
            yield cut.neurons
    for c in program.connections:
        if c.source != name:
            continue
        if isinstance(c, Conv):
            yield _conv_entries(c, program.shape_of(name), cut, cuts[c.target], chip)
        elif chip.generation > 1:
            yield cut.neurons
        elif isinstance(c, Dense):
            yield cut.neurons * cuts[c.target].cores
        else:
            cores = _listed(c, program.shape_of(name), cuts[c.target]).getnnz(axis=0)
            yield np.bincount(cut.labels(), weights=cores, minlength=cut.cores).astype(np.int64)


def _conv_entries(conv: Conv, source: Shape, cut: Cut, target: Cut, chip: Chip) -> Ints:
    rows, columns = (np.add.reduceat(window(conv, source, target, axis).cores, cut.starts(axis)) for axis in (1, 2))
    reaches = np.repeat(filters(conv, target) > 0, conv.weight.shape[1], axis=1)  # (blocks of the target, channels)
    if chip.generation == 1:
        entries = np.add.reduceat(reaches.sum(axis=0), cut.starts(0))
    else:  # all channels of a pixel on a core share its entry
        entries = np.logical_or.reduceat(reaches, cut.starts(0), axis=1).sum(axis=0)
    return spread(entries, rows, columns)
