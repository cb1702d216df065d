"""Which neuron of a list of synapses meets which block, and how often."""

from typing import NamedTuple

import numpy as np

from spikeport.fixed import Ints
from spikeport.program import IntArray

CELLS = 4
"""For each synapse: of a table of all blocks and neurons, up to which it is quicker than sorting."""


class Met(NamedTuple):
    """Distinct pairs, by `first` and then by `second`, each `(pairs,)` int64."""

    first: Ints
    second: Ints
    synapses: Ints


def met(first: IntArray, second: IntArray, seconds: int) -> Met:
    """Counts the synapses of each pair.

    Args:
        first: Of each synapse a number of 0 or more, `(synapses,)`, as a block or a neuron has it.
        second: Another, below `seconds`.
    """
    places = first.astype(np.int64) * seconds + second
    if not places.size or int(places.max()) < CELLS * places.size:
        every = np.bincount(places)
        found = np.flatnonzero(every)
        count = every[found]
    else:
        found, count = np.unique(places, return_counts=True)
    return Met(*np.divmod(found, seconds), count)
