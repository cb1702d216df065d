"""Duplicate neurons become one, whose weights are their sum: the network's spikes stay, bit for bit.

Done where the sums fit the mantissas of the connections; elsewhere the duplicates stay.
The maps hold integers afterwards.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spikeport.deploy.maps.base import Conv, Dense, LinearMap, Sparse
from spikeport.deploy.maps.select import columns, rows
from spikeport.deploy.maps.weights import weights_of, with_weights
from spikeport.deploy.network import Population, Projection
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.quantize.duplicates import duplicates
from spikeport.deploy.quantize.integer_network import IntegerNetwork
from spikeport.deploy.quantize.on_grid import encodable
from spikeport.fixed import Ints

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class MergeDuplicates(AbstractPass[IntegerNetwork, IntegerNetwork]):
    name: ClassVar[str] = "merge_duplicates"

    def run(self, before: IntegerNetwork, options: Options) -> IntegerNetwork:
        if not options.repair:
            return before
        read = {o.source for o in before.network.outputs}
        for p in before.network.populations:
            if p.name not in read and p.name not in before.hosted:
                before = _merged(before, p)
        return before


def _merged(integers: IntegerNetwork, p: Population) -> IntegerNetwork:
    like = duplicates(integers, p)
    kept = np.flatnonzero(like == np.arange(p.size))
    if len(kept) == p.size:
        return integers
    rounded = dict(integers.rounded)
    projections = []
    for t in integers.network.populations:
        own = list(rounded[t.name].weights)
        for k, q in enumerate(integers.network.into(t.name)):
            if t.name not in integers.hosted and p.name in (q.source, q.target):
                found = _fewer_targets(q, own[k], kept) if q.target == p.name else _summed(q, own[k], like, kept)
                if found is None:
                    return integers
                q, own[k] = found
            projections.append(q)
        rounded[t.name] = replace(rounded[t.name], weights=tuple(own))
    fewer = _fewer(p, kept)
    rounded[p.name] = replace(rounded[p.name], bias=rounded[p.name].bias.reshape(-1)[kept].reshape(fewer.shape))
    populations = tuple(fewer if t.name == p.name else t for t in integers.network.populations)
    told = f"{p.name}: {p.size - len(kept):,} duplicates of other neurons are merged with them"
    network = replace(
        integers.network,
        populations=populations,
        projections=tuple(projections),
        remarks=(*integers.network.remarks, told),
    )
    return IntegerNetwork(network, rounded, integers.hosted)


def _fewer_targets(q: Projection, weight: Ints, kept: Indices) -> tuple[Projection, Ints]:
    whole = rows(with_weights(q.map, weight.astype(np.float64)), kept)
    return replace(q, map=whole), _whole(whole)


def _summed(q: Projection, weight: Ints, like: Indices, kept: Indices) -> tuple[Projection, Ints] | None:
    """The weights of duplicates added to those of the first, or None where that is no connection."""
    if isinstance(q.map, Dense):
        total = np.zeros_like(weight)
        np.add.at(total.T, like, weight.T)
    elif isinstance(q.map, Conv) and q.map.groups == 1:
        channels = like.reshape(q.map.source[0], -1)[:, 0] // (like.size // q.map.source[0])
        total = np.zeros_like(weight)
        np.add.at(total.swapaxes(0, 1), channels, weight.swapaxes(0, 1))
    elif isinstance(q.map, Sparse):
        own = q.map.matrix.tocoo()
        summed: csr_array = csr_array((weight.astype(np.float64), (own.row, like[own.col])), q.map.shape)
        return _connected(q, columns(Sparse(summed), kept))
    else:
        return None
    return _connected(q, columns(with_weights(q.map, total.astype(np.float64)), kept))


def _connected(q: Projection, whole: LinearMap) -> tuple[Projection, Ints] | None:
    return (replace(q, map=whole), _whole(whole)) if encodable(_whole(whole)) else None


def _whole(m: LinearMap) -> Ints:
    return np.rint(weights_of(m)).astype(np.int64)


def _fewer(p: Population, kept: Indices) -> Population:
    pixels = p.size // p.shape[0]
    shape = (len(kept) // pixels, *p.shape[1:]) if len(p.shape) == 3 else (len(kept),)
    fields: dict[str, Any] = {
        n: getattr(p, n).reshape(-1)[kept].reshape(shape) for n in ("keep_v", "keep_u", "threshold", "bias", "drive")
    }
    return replace(p, shape=shape, **fields)
