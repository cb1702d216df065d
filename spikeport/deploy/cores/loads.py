"""What a cut asks of each core: neurons, axons in, axons out, words of synaptic memory, and all of them together.

Axons in. A dense or sparse layer takes one for each source that reaches the core. A convolution takes one for each
pixel on a Loihi 1 (nengo-loihi 1.1.0, `build_conv2d_connection`: population axons, the channel is an atom of the
spike), and a single one on a Loihi 2 (compile logs of lava-dl's yolo_kp: 0.01 % of 16,000).

Synapses. On both chips a core stores a kernel once and not once for each pixel. Loihi 1: nengo-loihi's
`axon_to_weight_map` lets axons share weights; pixels at a border, and those between strides, have lists of their
own. Loihi 2: the words of those logs are those of one kernel.

Axons out. Loihi 1: one for each neuron and each core that it reaches (nengo-loihi has an axon for each block that
is reached). Loihi 2, after the same logs' axon map: one for each neuron of a dense or sparse layer and, before a
convolution, one for each pixel, however many cores they reach. An output is one for each neuron.

Axon memory is where a Loihi 2 keeps the cores that a pixel reaches. What those logs have of it is, to the word, an
entry for each pixel and each block of channels that it reaches, halved for each axis along which a block of the
target stands on more pixels than a block of the source. Why it is halved is not public.

Memory. All those words of a core, and one for its group. As a share of 20,000 they are the logs' column Total.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spikeport.chip import Chip
from spikeport.cores import Cut, spread
from spikeport.deploy.cores.listed import met
from spikeport.deploy.cores.window import filters, window
from spikeport.deploy.cores.words import (
    WEIGHT_BITS,
    dense_bits,
    kernel_bits,
    loihi1_words,
    loihi2_tap_words,
    loihi2_words,
)
from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Dense, Program, Shape, Sparse

LIMITS = {
    "neurons": "neurons_per_core",
    "axons in": "axons_in_per_core",
    "axons out": "axons_out_per_core",
    "synapses": "synapse_words_per_core",
    "memory": "memory_words_per_core",
}
"""Each resource of a core, and the field of `Chip` that limits it."""
Loads = dict[str, Ints]
"""Those of `LIMITS`, and "axon memory"."""


@dataclass(frozen=True)
class Account:
    """How a Loihi 2's tables are counted."""

    exact: bool = False
    """By the bits that the layer's weights have, and not by 8."""
    strided: bool = False
    """As the compiler of 2022 does: behind a convolution of stride 2 along x axons in and entries count twice."""


UPPER = Account()
"""What no weights exceed: a mapping by it does not depend on their values."""
LOGS_2022 = Account(exact=True, strided=True)
"""Of the compile logs of oxford and pilotnet."""
LOGS_2023 = Account(exact=True)
"""Of the compile logs of yolo_kp and mnist."""


def limits_of(chip: Chip) -> dict[str, int]:
    return {resource: getattr(chip, name) for resource, name in LIMITS.items()}


def loads(
    program: Program,
    chip: Chip,
    name: str,
    cuts: Mapping[str, Cut],
    *,
    out: bool = True,
    listed: bool = True,
    account: Account = UPPER,
) -> Loads:
    """Of every core of a group, each `(cores,)`.

    Args:
        cuts: Of the group itself and of the groups that it sends to.
        out: Whether axons out and axon memory are counted; they depend on the other cuts.
        listed: Whether listed synapses into it are counted, which takes time for each of them.
        account: How the tables of a Loihi 2 are counted.
    """
    cut = cuts[name]
    into = [c for c in program.connections if c.target == name and (listed or not isinstance(c, Sparse))]
    inward = [_inward(c, program.shape_of(c.source), cut, chip, account) for c in into]
    outward = list(_outward(program, chip, name, cuts, account)) if out else []
    nothing = np.zeros(cut.cores, np.int64)
    found = {
        "neurons": cut.room,
        "axons in": sum((axons for axons, _ in inward), nothing),
        "axons out": sum((entries for entries, _ in outward), nothing),
        "synapses": sum((words for _, words in inward), nothing),
        "axon memory": sum((words for _, words in outward), nothing),
    }
    return {**found, "memory": sum(found.values(), nothing + 1)}


def _inward(connection: Connection, source: Shape, cut: Cut, chip: Chip, account: Account) -> tuple[Ints, Ints]:
    """Axons in, and words, of each core."""
    if isinstance(connection, Conv):
        return _conv_loihi1(connection, source, cut) if chip.generation == 1 else _conv_loihi2(connection, cut, account)
    delays = not isinstance(connection.delay, int) and bool(np.any(connection.delay))
    bits = dense_bits(connection.weight) if account.exact else WEIGHT_BITS
    if isinstance(connection, Dense):
        n, each = prod(source), cut.neurons
        words = (
            loihi1_words(each, delays=delays) if chip.generation == 1 else loihi2_words(each, bits=bits, delays=delays)
        )
        return np.full(cut.cores, n), n * words
    listed = _listed(connection, source, cut)
    if chip.generation == 1:
        core = np.repeat(np.arange(cut.cores), np.diff(listed.indptr))
        words_each = loihi1_words(listed.data, neurons=cut.neurons[core], delays=delays)
    else:
        words_each = loihi2_words(listed.data, bits=bits, delays=delays)
    sums = np.concatenate([[0], np.cumsum(words_each)])
    return np.diff(listed.indptr).astype(np.int64), np.diff(sums[listed.indptr])


def _listed(connection: Sparse, source: Shape, cut: Cut) -> sparse.csr_matrix:
    """`(cores, n_source)`: how many synapses each source has on each core."""
    n = prod(source)
    core, neuron, synapses = met(cut.labels()[connection.row], connection.col, n)
    ends = np.searchsorted(core, np.arange(cut.cores + 1))
    return sparse.csr_matrix((synapses, neuron, ends), shape=(cut.cores, n))


def _conv_loihi2(conv: Conv, cut: Cut, account: Account) -> tuple[Ints, Ints]:
    bits = kernel_bits(conv.weight) if account.exact else WEIGHT_BITS
    words = prod(conv.weight.shape[1:]) * loihi2_tap_words(filters(conv, cut), bits=bits).sum(axis=1)
    axons = conv.stride[1] if account.strided else 1
    return np.full(cut.cores, axons), np.repeat(words, cut.parts[1] * cut.parts[2])


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


def _outward(
    program: Program, chip: Chip, name: str, cuts: Mapping[str, Cut], account: Account
) -> Iterator[tuple[Ints, Ints]]:
    """Axons out, and words of axon memory, of each core: for each output and connection."""
    cut = cuts[name]
    nothing = np.zeros(cut.cores, np.int64)
    for output in program.outputs:
        if output.source == name:
            yield cut.neurons, nothing
    behind = [c.stride[1] for c in program.connections if c.target == name and isinstance(c, Conv)]
    times = max(behind, default=1) if account.strided else 1
    for c in program.connections:
        if c.source != name:
            continue
        if isinstance(c, Conv) and chip.generation == 1:
            yield _conv_entries(c, program.shape_of(name), cut, cuts[c.target]), nothing
        elif isinstance(c, Conv):
            entries, words = _pixel_entries(c, cut, cuts[c.target])
            yield times * entries, words
        elif chip.generation > 1:
            yield cut.neurons, nothing
        elif isinstance(c, Dense):
            yield cut.neurons * cuts[c.target].cores, nothing
        else:
            cores = _listed(c, program.shape_of(name), cuts[c.target]).getnnz(axis=0)
            yield np.bincount(cut.labels(), weights=cores, minlength=cut.cores).astype(np.int64), nothing


def _conv_entries(conv: Conv, source: Shape, cut: Cut, target: Cut) -> Ints:
    """Of a Loihi 1."""
    rows, columns = (np.add.reduceat(window(conv, source, target, axis).cores, cut.starts(axis)) for axis in (1, 2))
    return spread(np.add.reduceat(_reaches(conv, target).sum(axis=0), cut.starts(0)), rows, columns)


def _pixel_entries(conv: Conv, cut: Cut, target: Cut) -> tuple[Ints, Ints]:
    """Axons out, and words of axon memory, of a Loihi 2: all channels of a pixel on a core share its entry."""
    blocks = np.logical_or.reduceat(_reaches(conv, target), cut.starts(0), axis=1).sum(axis=0)
    halved = sum(target.sizes(a).max() * conv.stride[a - 1] > cut.sizes(a).max() for a in (1, 2))
    rows, columns = cut.sizes(1), cut.sizes(2)
    return spread((blocks > 0).astype(np.int64), rows, columns), -(-spread(blocks, rows, columns) // 2**halved)


def _reaches(conv: Conv, target: Cut) -> NDArray[np.bool_]:
    """`(blocks of the target, channels)`: whether a channel has synapses to a block of channels."""
    return np.repeat(filters(conv, target) > 0, conv.weight.shape[1], axis=1)
