"""First-fit decreasing: blocks on as few cores as their sizes allow.

The first core that has room takes the next block, the largest first (Johnson, 1973; in several dimensions Kou and
Markowsky, IBM J. Res. Dev. 21, 1977). What is larger than a core by itself has one alone.
"""

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.cores.activity import Floats
from spikeport.fixed import Ints

OPEN = 512
"""The last cores that were begun; those before are fuller, and are not looked at any more."""

ROUNDING = 1e-9
"""Of limits, where times are added up; whole numbers are as they are."""


def packed(sizes: Floats, kinds: Ints, limits: Floats) -> Ints:
    """The core of each block, `(blocks,)`, numbered in the order of their first blocks.

    Args:
        sizes: `(blocks, n)`; they add up on a core.
        kinds: Blocks of different ones share no core.
        limits: Of a core, `(n,)`.
    """
    share = (sizes / np.maximum(limits, 1e-9)).max(axis=1)
    least, most = sizes.min(axis=0), limits * (1 + ROUNDING)
    alone = (sizes + least > most).any(axis=1)
    core = np.full(len(sizes), -1)
    core[alone] = np.arange(alone.sum())
    count = first = int(alone.sum())
    free = np.zeros((len(sizes) - first, sizes.shape[1]))
    kind = np.full(len(free), -1)
    order = np.flatnonzero(~alone)
    for block in order[np.argsort(-share[order], kind="stable")].tolist():
        n = count - first
        begin = max(0, n - OPEN)
        fits: NDArray[np.bool_] = (free[begin:n] >= sizes[block]).all(axis=1) & (kind[begin:n] == kinds[block])
        at = begin + int(fits.argmax()) if fits.any() else n
        if at == n:
            free[n], kind[n] = most, kinds[block]
            count += 1
        free[at] -= sizes[block]
        core[block] = first + at
    return in_order(core)


def in_order(core: Ints) -> Ints:
    """The same with numbers without a gap, in the order of first blocks."""
    _, first, index = np.unique(core, return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    return rank[index]
