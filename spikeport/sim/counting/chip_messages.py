"""What crosses between chips: the messages of each connection by the chip that they leave and the one they reach.

A spike is one message for each core that the connection has synapses on. Where two connections of a group meet on a
core they share the message, so their sums may be more than `CoreActivity.messages`, which has it once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spikeport.cores import Cores, Cut
from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Program, Shape
from spikeport.reached import channels_reached, pixels_reached
from spikeport.sim.counting.classes import classes
from spikeport.sim.counting.fired import as_bytes, tally
from spikeport.sim.counting.windows import sample_windows
from spikeport.sim.result import Result


@dataclass(frozen=True, eq=False)
class Crossing:
    """One connection between groups."""

    source: str
    target: str
    place: int
    """Among the connections of the Program."""
    messages: sparse.csr_array
    """`(chips, chips)`: from, to; of the chips in use, in the order of their numbers, int64."""

    @property
    def inside(self) -> int:
        return int(self.messages.diagonal().sum())

    @property
    def across(self) -> int:
        return int(self.messages.sum()) - self.inside

    def __add__(self, other: "Crossing") -> "Crossing":
        return Crossing(self.source, self.target, self.place, self.messages + other.messages)


def chip_messages(program: Program, cores: Cores, events: Mapping[str, Ints] | None = None) -> tuple[Crossing, ...]:
    """Of every connection between groups; inputs send from the host.

    Args:
        events: How often each neuron sent, int64 `(n,)` by group (`events_of`); once each if None, which is the most
            that one step can bring.
    """
    chip_of_core = np.unique(cores.chips(), return_inverse=True)[1]
    found = []
    for place, connection in enumerate(program.connections):
        if connection.source in cores.cuts:
            sent = None if events is None else events[connection.source]
            ends = chip_of_core[_seats(cores, connection.source)], chip_of_core[_seats(cores, connection.target)]
            if sent is None and isinstance(connection, Conv) and _is_plain(program, cores, connection):
                messages = _conv_once(
                    connection, program.shape_of(connection.source), cores, *ends, int(chip_of_core.max()) + 1
                )
            else:
                messages = _messages(program, cores, connection, chip_of_core, sent)
            found.append(Crossing(connection.source, connection.target, place, messages))
    return tuple(found)


def events_of(program: Program, result: Result) -> dict[str, Ints]:
    """How often each neuron of each group sent inside the sample's window, all samples, int64 `(n,)`."""
    windows = sample_windows(program, len(result.spikes))
    found = {}
    for group in program.groups:
        window, nothing = windows[group.name], np.zeros((0, group.size), np.int32)
        found[group.name] = tally(as_bytes(result.sent[group.name]), window.start - 1, window.stop - 1, nothing)[1]
    return found


def _messages(
    program: Program, cores: Cores, connection: Connection, chip_of_core: Ints, events: Ints | None
) -> sparse.csr_array:
    chips = int(chip_of_core.max()) + 1
    part = classes(connection, program.shape_of(connection.source), cores.cuts[connection.target])
    reach = _reached(part.synapses.tocoo(), _seats(cores, connection.target), chip_of_core)
    label, kinds = part.label * chips, part.synapses.shape[0]
    label += _by_neuron(cores.cuts[connection.source], chip_of_core[_seats(cores, connection.source)])
    places, times = _added_up(label, events, kinds * chips)
    kind, chip = np.divmod(places, chips)
    sent = sparse.coo_array((times, (chip, kind)), shape=(chips, kinds))
    return sparse.csr_array(sent.tocsr() @ reach)


def _is_plain(program: Program, cores: Cores, conv: Conv) -> bool:
    """Whether the source is cut as an image, and the target's blocks are on a core each."""
    seats = _seats(cores, conv.target)
    return cores.cuts[conv.source].shape == program.shape_of(conv.source) and np.unique(seats).size == seats.size


def _conv_once(
    conv: Conv, source: Shape, cores: Cores, source_chip: Ints, target_chip: Ints, chips: int
) -> sparse.csr_array:
    """As `_messages`, of one spike of every neuron: a sum over columns, then rows, then channels, as a convolution is a
    product of the three. There may be a hundred million neurons, and no array is as long.

    Args:
        source_chip, target_chip: Of each block.
    """
    cut, target = cores.cuts[conv.source], cores.cuts[conv.target]
    seen = (
        channels_reached(conv, target),
        pixels_reached(conv, source, target, 1),
        pixels_reached(conv, source, target, 2),
    )
    found = _one_hot(target_chip, chips)
    for axis in (2, 1, 0):  # target blocks give way to source blocks
        reach = sparse.csr_array(np.add.reduceat((seen[axis] > 0).astype(np.int64), cut.starts(axis), axis=0))
        before, after = prod(target.parts[:axis]), prod(cut.parts[axis + 1 :])
        step = sparse.kron(sparse.kron(_ones(before), reach), _ones(after))
        found = sparse.csr_array(step) @ found
    return sparse.csr_array(_one_hot(source_chip, chips).T @ found)


def _ones(size: int) -> sparse.csr_array:
    return sparse.csr_array(sparse.eye_array(size, dtype=np.int64))


def _one_hot(column: Ints, size: int) -> sparse.csr_array:
    places = (np.ones_like(column), column, np.arange(column.size + 1))
    return sparse.csr_array(places, shape=(column.size, size))


def _by_neuron(cut: Cut, of_block: Ints) -> NDArray[np.int32]:
    """What each neuron's block has, `(n,)`; half as wide as `Cut.labels`, for there may be a hundred million."""
    places = (np.arange(n) // b for n, b in zip(cut.shape, cut.block, strict=True))
    return of_block.astype(np.int32).reshape(cut.parts)[np.ix_(*places)].reshape(-1)


def _seats(cores: Cores, group: str) -> Ints:
    """The core of each of its blocks."""
    first = cores.first[group]
    return cores.of_block[first : first + cores.cuts[group].cores]


def _reached(synapses: sparse.coo_array, seats: Ints, chip_of_core: Ints) -> sparse.csr_array:
    """`(classes, chips)`: how many cores of each chip a class has synapses on."""
    kind, core = synapses.coords[0].astype(np.int64), seats[synapses.coords[1]]
    if np.unique(seats).size < seats.size:  # blocks that share a core count once
        kind, core = np.divmod(np.unique(kind * chip_of_core.size + core), chip_of_core.size)
    shape = (synapses.shape[0], int(chip_of_core.max()) + 1)
    return sparse.coo_array((np.ones_like(kind), (kind, chip_of_core[core])), shape=shape).tocsr()


def _added_up(where: Ints, events: Ints | None, size: int) -> tuple[Ints, Ints]:
    """The places that something is at, and how much: 1 for each, or its events."""
    if size <= 8 * where.size:
        counts = np.zeros(size, np.int64)
        if events is None:
            counts = np.bincount(where, minlength=size)
        else:
            np.add.at(counts, where, events)
        places = np.flatnonzero(counts)
        return places, counts[places]
    places, which = np.unique(where, return_inverse=True)
    counts = np.zeros(places.size, np.int64)
    np.add.at(counts, which, 1 if events is None else events)
    return places, counts
