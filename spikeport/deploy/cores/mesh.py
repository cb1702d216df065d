"""Which core of which chip: cores that tell each other much are near each other.

Cores are put in a row, by the groups' order or by reverse Cuthill-McKee (1969), which keeps neighbours in the graph of
messages near each other, whichever is better, and the row fills tile after tile and chip after chip. Where it takes
several chips, cores change chips while that saves messages between them (`parted.py`), and each chip is then a row of
its own. Then pairs of cores change places while hops are saved. As few chips as can be are taken, and of each the first
cores, so no tile more than needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import reverse_cuthill_mckee

from spikeport.chip import Chip
from spikeport.deploy.cores.activity import Floats
from spikeport.deploy.cores.parted import parted
from spikeport.fixed import Ints

FAR = 32
"""Hops that a message to another chip counts as: no public figure says what it takes, but it is more than any way
over the mesh of a chip."""

SHARE = 5
"""Times the effort, in pairs of a seat and a chip: they are quick to look at."""


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
    """The number of each core, `(cores,)`; there is no gap but at the end of a chip.

    Args:
        messages: In a step between cores, `(cores, cores)`.
        effort: How many pairs of a core and a message are looked at; it bounds the time.
    """
    n = messages.shape[0]
    both = between(messages)
    band = np.empty(n, np.int64)
    band[reverse_cuthill_mckee(sparse.csr_matrix(both), symmetric_mode=True)] = np.arange(n)
    rows = [np.arange(n), band]
    if n > chip.cores_per_chip:
        rows += [on_chips for row in rows for on_chips in _parted(chip, row, both, effort)]
    places = places_of(chip, max(int(row.max()) for row in rows) + 1)
    at = min(rows, key=lambda row: cost(places, row, both))
    if n > chip.cores_per_chip:
        at = _inside(chip, at, both, effort)
    return _exchanged(places, at, both, effort)


def _parted(chip: Chip, row: Ints, both: sparse.csr_array, effort: int) -> Iterator[Ints]:
    """The row cut into chips with few messages between them: from chips that are full, and from such that are even."""
    n, size = row.size, chip.cores_per_chip
    chips = -(-n // size)
    for first in (row // size, row * chips // n):
        spare = np.repeat(np.arange(chips), size - np.bincount(first, minlength=chips))
        of = parted(both, np.concatenate([first, spare]), SHARE * effort)[:n]
        order = np.lexsort((row, of))
        begins = np.searchsorted(of[order], np.arange(chips))
        at = np.empty(n, np.int64)
        at[order] = of[order] * size + np.arange(n) - begins[of[order]]
        yield at


def _inside(chip: Chip, at: Ints, both: sparse.csr_array, effort: int) -> Ints:
    """Each chip's cores placed anew, as if there were no other."""
    at, of = at.copy(), at // chip.cores_per_chip
    for number in range(int(of.max()) + 1):
        cores = np.flatnonzero(of == number)
        cores = cores[np.argsort(at[cores])]
        own = sparse.csr_array(both[cores][:, cores])
        at[cores] = number * chip.cores_per_chip + placed(chip, own, effort // (int(of.max()) + 1))
    return at


def _exchanged(places: Places, at: Ints, both: sparse.csr_array, effort: int) -> Ints:
    """In each round every core, those with the longest ways first, takes the place with which most is saved."""
    n = both.shape[0]
    rows = np.repeat(np.arange(n), np.diff(both.indptr))
    tries = effort // (both.nnz + n + 1)
    while tries > 0:
        ways = hops_by_end(places, at, both, rows)
        order = np.argsort(-ways, kind="stable")[:tries]
        tries -= n
        moved = 0
        for core in order[ways[order] > 0].tolist():
            saved = saved_by_exchange(places, at, both, rows, core)
            other = int(saved.argmax())
            if saved[other] > 1e-9 * max(ways[core], 1e-300):
                at[[core, other]] = at[[other, core]]
                moved += 1
        if not moved:
            break
    return at


def between(messages: sparse.csr_array) -> sparse.csr_array:
    """Messages between two cores or blocks, whichever sends them; none within one."""
    both = sparse.csr_array(messages + messages.T)
    both.setdiag(0)
    both.eliminate_zeros()
    return both


def hops_by_end(places: Places, at: Ints, both: sparse.csr_array, rows: Ints) -> Floats:
    """Hops of what each core or block sends and hears, placed as `at` says; `rows`: the row of each entry of `both`."""
    hops = np.bincount(rows, both.data * places.ways(at[rows], at[both.indices]), both.shape[0])
    return hops.astype(np.float64, copy=False)


def saved_by_exchange(places: Places, at: Ints, both: sparse.csr_array, rows: Ints, core: int) -> Floats:
    """Hops that are saved where a core changes places with each other one, `(cores,)`."""
    n = both.shape[0]
    near = slice(both.indptr[core], both.indptr[core + 1])
    partner, weight = both.indices[near], both.data[near]
    mine = places.ways(at[:, None], at[partner]) @ weight  # at the other's place, `(cores,)`
    now = hops_by_end(places, at, both, rows)
    here = np.full(rows.size, at[core])
    theirs = np.bincount(rows, both.data * places.ways(here, at[both.indices]), n)
    apart = places.ways(np.full(partner.size, at[core]), at[partner]) * weight
    both_ways = np.zeros(n)
    both_ways[partner] = 2 * apart  # they stay as far from each other, and neither sum above says so
    saved: Floats = now[core] + now - mine - theirs - both_ways
    saved[core] = 0.0
    return saved
