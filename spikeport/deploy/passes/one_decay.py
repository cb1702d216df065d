"""A core's neurons share their decays: a population with several becomes one part for each, to the chip's 12 bits.

Where such a population is an output, a last one that only repeats its spikes puts them in order again.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.deploy.maps.base import Identity
from spikeport.deploy.maps.select import columns, rows
from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.nodes import Floats
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.repeat import repeater
from spikeport.errors import DeployError, PassError

MAX_PARTS = 128
"""Cores of a chip; a part takes one at least."""
Part: TypeAlias = tuple[str, NDArray[np.int64]]


@dataclass(frozen=True)
class OneDecay(AbstractPass[Network, Network]):
    name: ClassVar[str] = "one_decay"

    def run(self, before: Network, options: Options) -> Network:
        parts = {p.name: _parts(p) for p in before.populations if np.ptp(p.keep_v) or np.ptp(p.keep_u)}
        if not parts:
            return before
        out = {o.source: o.reads for o in before.outputs}
        populations: list[Population] = []
        projections = [r for q in before.projections for r in _split(q, parts)]
        for p in before.populations:
            if p.name not in parts:
                populations.append(p)
                continue
            populations += [_part(p, name, index) for name, index in parts[p.name]]
            if p.name in out:
                if out[p.name] == "v":
                    do = "give the readout one tau"
                    raise DeployError(p.name, "decays", got=len(parts[p.name]), relation="exceed", limit=1, do=do)
                populations.append(repeater(p.name, p.shape))
                whole = Identity(p.size)
                projections += [Projection(name, p.name, columns(whole, index)) for name, index in parts[p.name]]
        return replace(before, populations=tuple(populations), projections=tuple(projections))

    def ensures(self, after: Network, options: Options) -> None:
        left = [p.name for p in after.populations if np.ptp(p.keep_v) or np.ptp(p.keep_u)]
        if left:
            raise PassError(self.name, "left decays that differ", got=left)


def _parts(p: Population) -> list[Part]:
    """Neurons that share both decays, by name; in ascending order within a part."""
    on_chip = np.rint(np.stack([p.keep_v.reshape(-1), p.keep_u.reshape(-1)]) * fixed.DECAY_ONE)
    _, label = np.unique(on_chip, axis=1, return_inverse=True)
    count = int(label.max()) + 1
    if count > MAX_PARTS:
        do = "give the neurons of a layer one tau, or a few"
        raise DeployError(p.name, "different decays", got=count, relation="exceed", limit=MAX_PARTS, do=do)
    return [(f"{p.name}.{k}", np.flatnonzero(label.reshape(-1) == k)) for k in range(count)]


def _part(p: Population, name: str, index: NDArray[np.int64]) -> Population:
    """The neurons of `index`, with decays that are equal to the chip; in whole channels where it is so."""
    pixels = p.size // p.shape[0]
    whole = len(p.shape) == 3 and np.array_equal(index, _channels(index[::pixels] // pixels, pixels))
    shape = (len(index) // pixels, *p.shape[1:]) if whole else (len(index),)

    def taken(x: Floats) -> Floats:
        return x.reshape(-1)[index].reshape(shape)

    arrays: dict[str, Any] = {n: taken(getattr(p, n)) for n in ("threshold", "bias", "drive")}
    arrays |= {n: np.full(shape, taken(getattr(p, n)).mean()) for n in ("keep_v", "keep_u")}
    return replace(p, name=name, shape=shape, first=tuple(taken(x) for x in p.first), **arrays)


def _channels(channels: NDArray[np.int64], pixels: int) -> NDArray[np.int64]:
    return (channels[:, None] * pixels + np.arange(pixels)).reshape(-1)


def _split(q: Projection, parts: dict[str, list[Part]]) -> list[Projection]:
    found = [q]
    if q.target in parts:
        found = [replace(r, target=name, map=rows(r.map, index)) for r in found for name, index in parts[q.target]]
    if q.source in parts:
        found = [replace(r, source=name, map=columns(r.map, index)) for r in found for name, index in parts[q.source]]
    return found
