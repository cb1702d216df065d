"""Which core of which chip: cores that tell each other much are near each other.

Cores are put in a row, by the groups' order or by reverse Cuthill-McKee (1969), which keeps neighbours in the graph of
messages near each other, whichever is better, and the row fills tile after tile and chip after chip. Then pairs of
cores change places while hops are saved. The first cores of the first chips are taken, so no tile more than needed.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import reverse_cuthill_mckee

from spikeport.chip import Chip
from spikeport.deploy.cores.activity import Floats
from spikeport.fixed import Ints

FAR = 32
"""Hops that a message to another chip counts as: no public figure says what it takes, but it is more than any way
over the mesh of a chip."""


@dataclass(frozen=True, eq=False)
class Places:
    """Where the cores of a row of numbers are."""

    chip: Ints
    x: Ints
    y: Ints

    def ways(self, a: Ints, b: Ints) -> Ints:
        """Hops between places, elementwise."""
        hops = np.abs(self.x[a] - self.x[b]) + np.abs(self.y[a] - self.y[b])
        return np.where(self.chip[a] == self.chip[b], hops, FAR)


def places_of(chip: Chip, cores: int) -> Places:
    number = np.arange(cores)
    y, x = np.divmod(number % chip.cores_per_chip // chip.cores_per_tile, chip.mesh[0])
    return Places(number // chip.cores_per_chip, x, y)


def cost(places: Places, at: Ints, messages: sparse.csr_array) -> float:
    """Hops in a step, where core k is at place `at[k]`."""
    pairs = messages.tocoo()
    source, target = pairs.coords
    return float(places.ways(at[source], at[target]) @ pairs.data)


def placed(chip: Chip, messages: sparse.csr_array, effort: int) -> Ints:
    """The number of each core, `(cores,)`: those from 0 on.

    Args:
        messages: In a step between cores, `(cores, cores)`.
        effort: How many pairs of a core and a message are looked at; it bounds the time.
    """
    n = messages.shape[0]
    both = sparse.csr_array(messages + messages.T)
    both.setdiag(0)
    both.eliminate_zeros()
    places = places_of(chip, n)
    band = np.empty(n, np.int64)
    band[reverse_cuthill_mckee(sparse.csr_matrix(both), symmetric_mode=True)] = np.arange(n)
    at = min(np.arange(n), band, key=lambda row: cost(places, row, both))
    return _exchanged(places, at, both, effort)


def _exchanged(places: Places, at: Ints, both: sparse.csr_array, effort: int) -> Ints:
    """In each round every core, those with the longest ways first, takes the place with which most is saved."""
    n = both.shape[0]
    rows = np.repeat(np.arange(n), np.diff(both.indptr))
    tries = effort // (both.nnz + n + 1)
    while tries > 0:
        ways = np.bincount(rows, both.data * places.ways(at[rows], at[both.indices]), n)
        order = np.argsort(-ways, kind="stable")[:tries]
        tries -= n
        moved = 0
        for core in order[ways[order] > 0].tolist():
            saved = _saved(places, at, both, rows, core)
            other = int(saved.argmax())
            if saved[other] > 1e-9 * max(ways[core], 1e-300):
                at[[core, other]] = at[[other, core]]
                moved += 1
        if not moved:
            break
    return at


def _saved(places: Places, at: Ints, both: sparse.csr_array, rows: Ints, core: int) -> Floats:
    """Hops that are saved where a core changes places with each other one, `(cores,)`."""
    n = both.shape[0]
    near = slice(both.indptr[core], both.indptr[core + 1])
    partner, weight = both.indices[near], both.data[near]
    mine = places.ways(at[:, None], at[partner]) @ weight  # at the other's place, `(cores,)`
    now = np.bincount(rows, both.data * places.ways(at[rows], at[both.indices]), n)
    here = np.full(rows.size, at[core])
    theirs = np.bincount(rows, both.data * places.ways(here, at[both.indices]), n)
    apart = places.ways(np.full(partner.size, at[core]), at[partner]) * weight
    both_ways = np.zeros(n)
    both_ways[partner] = 2 * apart  # they stay as far from each other, and neither sum above says so
    saved: Floats = now[core] + now - mine - theirs - both_ways
    saved[core] = 0.0
    return saved
