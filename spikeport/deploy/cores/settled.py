"""Blocks that change cores for shorter ways, where no limit is passed: local search as `mesh.py` has it for cores.

In each round every block, those with the longest ways first, moves to the core in use, or changes places with the
block, with which most hops are saved of all that its core and the other one have room for.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spikeport.deploy.cores.activity import Floats
from spikeport.deploy.cores.mesh import Places, between, hops_by_end, saved_by_exchange
from spikeport.deploy.cores.moves import Terms
from spikeport.deploy.cores.problem import within
from spikeport.fixed import Ints


def settled(places: Places, at: Ints, messages: sparse.csr_array, terms: Terms, effort: int) -> Ints:
    """The place of each block, `(blocks,)`, with fewer hops in a step and none on a core that had no block.

    Args:
        at: That the blocks begin with.
        messages: In a step between blocks, `(blocks, blocks)`.
        terms: Limits; what is over one by itself stays where it is.
        effort: How many pairs of a block and a message are looked at; it bounds the time.
    """
    at, n = at.copy(), at.size
    both = between(messages)
    rows = np.repeat(np.arange(n), np.diff(both.indptr))
    used = np.zeros((places.chip.size, terms.sizes.shape[1]))
    np.add.at(used, at, terms.sizes)
    kind = np.full(places.chip.size, -1)
    kind[at] = terms.kinds
    tries = effort // (both.nnz + n + 1)
    while tries > 0:
        ways = hops_by_end(places, at, both, rows)
        order = np.argsort(-ways, kind="stable")[:tries]
        tries -= n
        moved = 0
        for block in order[ways[order] > 0].tolist():
            saved, other, to = max(
                _move(places, at, both, terms, used, kind, block),
                _exchange(places, at, both, rows, terms, used, block),
            )
            if saved <= 1e-9 * ways[block]:
                continue
            for one, place in ((block, to), (other, int(at[block]))):
                if one >= 0:
                    used[at[one]] -= terms.sizes[one]
                    used[place] += terms.sizes[one]
                    at[one] = place
            moved += 1
        if not moved:
            break
    return at


Step = tuple[float, int, int]
"""Hops that are saved, the block that comes for this one or -1, and the place that it goes to."""


def _move(places: Places, at: Ints, both: sparse.csr_array, terms: Terms, used: Floats, kind: Ints, block: int) -> Step:
    near = slice(both.indptr[block], both.indptr[block + 1])
    partner, weight = both.indices[near], both.data[near]
    taken = np.unique(at)
    ways = places.ways(taken[:, None], at[partner]) @ weight
    now = float(ways[np.searchsorted(taken, at[block])])
    room = within(used[taken] + terms.sizes[block], terms.limits) & (kind[taken] == terms.kinds[block])
    return _most(now - ways, room & (taken != at[block]), None, taken)


def _exchange(
    places: Places, at: Ints, both: sparse.csr_array, rows: Ints, terms: Terms, used: Floats, block: int
) -> Step:
    change = terms.sizes - terms.sizes[block]
    room = within(used[at[block]] + change, terms.limits) & within(used[at] - change, terms.limits)
    room &= (terms.kinds == terms.kinds[block]) & (at != at[block])
    return _most(saved_by_exchange(places, at, both, rows, block), room, np.arange(at.size), at)


def _most(saved: Floats, room: NDArray[np.bool_], others: Ints | None, to: Ints) -> Step:
    k = int(np.where(room, saved, -np.inf).argmax())
    return (float(saved[k]), -1 if others is None else int(others[k]), int(to[k])) if room[k] else (-np.inf, -1, 0)
