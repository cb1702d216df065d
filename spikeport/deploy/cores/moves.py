"""Local search: a block of the fullest core moves to another core, or changes places with a block there.

A step is taken if the fuller of the two cores is then less full than the fullest was. It is the best of all such steps,
so the search needs no luck, and it ends where there is none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.cores.activity import Floats
from spikeport.deploy.cores.problem import on_cores
from spikeport.fixed import Ints

BLOCKS = 16
"""Of the fullest core, that are tried."""
GAIN = 1e-9
"""What a step has to win at least, of how full the fullest core is."""


@dataclass(frozen=True, eq=False)
class Terms:
    """What moves have to respect."""

    sizes: Floats
    """Of blocks, `(blocks, n)`; they add up on a core."""
    kinds: Ints
    """Blocks of different ones share no core."""
    limits: Floats
    """Of a core, `(n,)`."""
    weights: Floats
    """How full a core is: the largest of what it has times these, `(n,)`."""

    def full(self, used: Floats) -> Floats:
        found: Floats = (used * self.weights).max(axis=-1)
        return found


def levelled(terms: Terms, core: Ints, cores: int, steps: int) -> Ints:
    """Seats of which the fullest core is as full at most.

    Args:
        core: Of each block.
        cores: How many there are; some may be empty.
        steps: At most.
    """
    core = core.copy()
    used = np.zeros((cores, terms.sizes.shape[1]))
    used[: int(core.max()) + 1] = on_cores(terms.sizes, core)
    kind = np.full(cores, -1)
    kind[core] = terms.kinds
    for _ in range(steps):
        full = terms.full(used)
        at = int(full.argmax())
        best = min(_steps(terms, core, used, kind, at), default=None)
        if best is None or best[0] >= full[at] * (1 - GAIN):
            break
        _, block, other, swapped = best
        for one, to in ((block, other), (swapped, at)):
            if one >= 0:
                used[core[one]] -= terms.sizes[one]
                used[to] += terms.sizes[one]
                core[one] = to
        kind[other] = terms.kinds[block]
    return core


Step = tuple[float, int, int, int]
"""How full the fuller core is then, the block, the core that it goes to, and the block that comes for it or -1."""


def _steps(terms: Terms, core: Ints, used: Floats, kind: Ints, at: int) -> Iterator[Step]:
    """The best move and the best exchange of each of the core's largest blocks."""
    here = np.flatnonzero(core == at)
    largest = here[np.argsort(-terms.full(terms.sizes[here]), kind="stable")][:BLOCKS]
    for block in largest.tolist():
        size = terms.sizes[block]
        rest = used[at] - size
        if len(here) > 1:
            there = used + size
            allowed = (there <= terms.limits).all(axis=1) & ((kind == terms.kinds[block]) | (kind < 0))
            allowed[at] = False
            full = np.maximum(terms.full(there), terms.full(rest))
            yield from _least(full, allowed, block, None)
        mine, theirs = rest + terms.sizes, used[core] - terms.sizes + size
        allowed = (mine <= terms.limits).all(axis=1) & (theirs <= terms.limits).all(axis=1)
        allowed &= (terms.kinds == terms.kinds[block]) & (core != at)
        yield from _least(np.maximum(terms.full(mine), terms.full(theirs)), allowed, block, core)


def _least(full: Floats, allowed: NDArray[np.bool_], block: int, core: Ints | None) -> Iterator[Step]:
    if allowed.any():
        k = int(np.where(allowed, full, np.inf).argmin())
        yield (float(full[k]), block, k, -1) if core is None else (float(full[k]), block, int(core[k]), k)
