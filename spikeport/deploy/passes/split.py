"""Populations in parts, each with integers of its own; the neurons of a part keep their order.

Where a population that is split is an output, a last one that only repeats its spikes puts them in order again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.maps.base import Identity
from spikeport.deploy.maps.select import columns, rows
from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.nodes import Floats
from spikeport.deploy.passes.names import free
from spikeport.deploy.passes.repeat import repeater
from spikeport.errors import PartsTooMany

Labels: TypeAlias = NDArray[np.int64]
Parts: TypeAlias = Mapping[str, list[tuple[str, Labels]]]


def split_network(network: Network, labels: Mapping[str, Labels]) -> Network:
    """One part for each label.

    Args:
        labels: `(n,)` for each population that is to be split, by name.

    Raises:
        DeployError: a population of which v is read.
    """
    taken = {name for name, _ in network.inputs} | {p.name for p in network.populations}
    parts = {name: _parts(name, label, taken) for name, label in labels.items()}
    out = {o.source: o.reads for o in network.outputs}
    populations: list[Population] = []
    projections = [r for q in network.projections for r in _split(q, parts)]
    for p in network.populations:
        if p.name not in parts:
            populations.append(p)
            continue
        populations += [_part(p, name, index) for name, index in parts[p.name]]
        if p.name not in out:
            continue
        if out[p.name] == "v":
            do = "give the readout one tau"
            raise PartsTooMany(p.name, "parts of a readout", got=len(parts[p.name]), relation="exceed", limit=1, do=do)
        populations.append(repeater(p.name, p.shape))
        whole = Identity(p.size)
        projections += [Projection(name, p.name, columns(whole, index)) for name, index in parts[p.name]]
    return replace(network, populations=tuple(populations), projections=tuple(projections))


def _parts(name: str, label: Labels, taken: set[str]) -> list[tuple[str, Labels]]:
    return [(free(f"{name}.{k}", taken), np.flatnonzero(label == value)) for k, value in enumerate(np.unique(label))]


def _part(p: Population, name: str, index: Labels) -> Population:
    """The neurons of `index`; in the shape of whole channels where it is so."""
    pixels = p.size // p.shape[0]
    whole = len(p.shape) == 3 and np.array_equal(index, _channels(index[::pixels] // pixels, pixels))
    shape = (len(index) // pixels, *p.shape[1:]) if whole else (len(index),)

    def taken(x: Floats) -> Floats:
        return x.reshape(-1)[index].reshape(shape)

    arrays: dict[str, Any] = {n: taken(getattr(p, n)) for n in ("keep_v", "keep_u", "threshold", "bias", "drive")}
    return replace(p, name=name, shape=shape, first=tuple(taken(x) for x in p.first), **arrays)


def _channels(channels: Labels, pixels: int) -> Labels:
    return (channels[:, None] * pixels + np.arange(pixels)).reshape(-1)


def _split(q: Projection, parts: Parts) -> list[Projection]:
    found = [q]
    if q.target in parts:
        found = [replace(r, target=name, map=rows(r.map, index)) for r in found for name, index in parts[q.target]]
    if q.source in parts:
        found = [replace(r, source=name, map=columns(r.map, index)) for r in found for name, index in parts[q.source]]
    return found
