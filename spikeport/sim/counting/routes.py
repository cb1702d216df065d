"""How messages cross a chip's mesh of tiles: first along x, then along y, as Loihi routes them.

A link joins two neighbouring tiles in one direction. Messages within a tile use none, and those to another chip or
from a host are not routed here. The links between cores and their router are left out.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from spikeport.cores import Cores
from spikeport.fixed import Ints

EAST, WEST, SOUTH, NORTH = range(4)


@dataclass(frozen=True, eq=False)
class Routes:
    """Of pairs of cores."""

    hops: Ints
    """`(pairs, 2)`: in x and y; 0 where the message leaves its chip."""
    kind: Ints
    """Hops in x times the tiles in y, plus hops in y, `(pairs,)`."""
    leaves: Ints
    """`(pairs,)`: 1 where the message goes to another chip, else 0."""
    links: sparse.csr_array
    """`(pairs, n_links)`: 1 where the message uses a link."""


def n_links(cores: Cores) -> int:
    """Of all chips, whether there is a neighbour or not: tile after tile, four each."""
    return (int(cores.chips().max()) + 1) * cores.chip.mesh[0] * cores.chip.mesh[1] * 4


def routes(cores: Cores, pairs: Ints) -> Routes:
    """XY routing (Davies et al., IEEE Micro 38(1), 2018: dimension-order).

    Args:
        pairs: `(pairs, 2)`: from, to; both on chips.
    """
    chips, tiles = cores.chips(), cores.tiles()
    source, target = pairs.T
    leaves = (chips[source] != chips[target]).astype(np.int64)
    way = (tiles[target] - tiles[source]) * (1 - leaves)[:, None]
    steps = [
        *_steps(tiles[source], way[:, 0], 0, EAST, WEST),
        *_steps(np.stack([tiles[target][:, 0], tiles[source][:, 1]], axis=1), way[:, 1], 1, SOUTH, NORTH),
    ]
    width, height = cores.chip.mesh
    pair = np.concatenate([at for at, _, _ in steps])
    tile = np.concatenate([xy[:, 1] * width + xy[:, 0] for _, xy, _ in steps])
    link = ((chips[source[pair]] * width * height) + tile) * 4 + np.concatenate([to for _, _, to in steps])
    one_each = np.ones(pair.size, np.int64)
    links = sparse.csr_array((one_each, (pair, link)), shape=(len(pairs), n_links(cores)))
    hops = np.abs(way)
    return Routes(hops, hops[:, 0] * height + hops[:, 1], leaves, links)


def _steps(start: Ints, way: Ints, axis: int, forward: int, back: int) -> list[tuple[Ints, Ints, Ints]]:
    """For the first, second ... hop along an axis: which pairs take it, the tile that they leave, the direction."""
    found = []
    for k in range(int(np.abs(way).max(initial=0)) + 1):
        at = np.flatnonzero(np.abs(way) > k)
        tile = start[at].copy()
        tile[:, axis] += np.sign(way[at]) * k
        found.append((at, tile, np.where(way[at] > 0, forward, back)))
    return found
