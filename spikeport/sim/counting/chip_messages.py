"""What crosses between chips: the messages of each connection by the chip that they leave and the one they reach.

A spike is one message for each core that the connection has synapses on. Where two connections of a group meet on a
core they share the message, so their sums may be more than `CoreActivity.messages`, which has it once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from spikeport.cores import Cores
from spikeport.fixed import Ints
from spikeport.program import Connection, Program
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
    label += chip_of_core[_seats(cores, connection.source)][cores.cuts[connection.source].labels()]
    places, times = _added_up(label, events, kinds * chips)
    kind, chip = np.divmod(places, chips)
    sent = sparse.coo_array((times, (chip, kind)), shape=(chips, kinds))
    return sparse.csr_array(sent.tocsr() @ reach)


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
