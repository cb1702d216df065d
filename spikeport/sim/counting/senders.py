"""Static tables of a node that sends: what one spike of each class of its neurons costs, and where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from spikeport.cores import Cores
from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim.counting.classes import Classes, classes, joined

HOST = -1
"""Where inputs send from."""


@dataclass(frozen=True, eq=False)
class Sender:
    """One input or group. All matrices are sparse, int64."""

    label: Ints
    """The class of each neuron, `(n,)`."""
    block: Ints
    """In which block a class is, `(classes,)`; `HOST` for an input."""
    synapses: Mapping[str, sparse.csr_array]
    """By kind of connection, `(classes, cores)`: synapses behind one neuron."""
    pairs: Ints
    """Cores that exchange messages, `(pairs, 2)`: from, to; a core may send to itself."""
    messages: sparse.csr_array
    """`(classes, pairs)`: 1 where a spike is a message. A spike is one for each core that it has a synapse on."""


def sender(program: Program, cores: Cores, name: str) -> Sender:
    size = int(np.prod(program.shape_of(name)))
    is_group = name in cores.cuts
    own = cores.first[name] + cores.cuts[name].labels() if is_group else np.full(size, HOST)
    out = [c for c in program.connections if c.source == name]
    parts = [classes(c, program.shape_of(name), cores.cuts[c.target]) for c in out]
    label = own - own.min()  # numbers without a gap
    for part in parts:
        label = joined(label, part.label)
    one = np.zeros(int(label.max()) + 1, np.int64)
    one[label] = np.arange(size)  # any neuron of each class
    synapses: dict[str, sparse.csr_array] = {}
    for c, part in zip(out, parts, strict=True):
        kind = type(c).__name__.lower()
        found = _of_all_cores(part, one, cores, c.target)
        synapses[kind] = synapses[kind] + found if kind in synapses else found
    block = own[one]
    pairs, messages = _messages(cores.of_block[block] if is_group else block, synapses.values(), cores.count)
    return Sender(label, block, synapses, pairs, messages)


def _of_all_cores(part: Classes, one: Ints, cores: Cores, target: str) -> sparse.csr_array:
    """The synapses of one connection by the classes of the sender (`one` neuron of each) and by all cores."""
    chosen = part.synapses[part.label[one]]
    places = (chosen.data, cores.of_block[chosen.indices + cores.first[target]], chosen.indptr)
    found = sparse.csr_array(places, shape=(one.size, cores.count))
    found.sum_duplicates()  # blocks that share a core
    return found


def _messages(core: Ints, synapses: Iterable[sparse.csr_array], cores: int) -> tuple[Ints, sparse.csr_array]:
    """The pairs of cores, and `Sender.messages`."""
    nowhere = sparse.csr_array((core.size, cores), dtype=np.int64)
    kind, target = sum(synapses, nowhere).tocoo().coords
    ways, pair = np.unique((core[kind] - HOST) * cores + target, return_inverse=True)
    pairs = np.stack([ways // cores + HOST, ways % cores], axis=1)
    one_each = np.ones(kind.size, np.int64)
    return pairs, sparse.csr_array((one_each, (kind, pair)), shape=(core.size, len(pairs)))
