"""What each core of a mapping holds, whatever groups are on it: the utilization table, core by core."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spikeport.cores import Cores
from spikeport.deploy.cores import CoreMap
from spikeport.deploy.cores.loads import limits_of
from spikeport.fixed import Ints

GROUPS = "neuron groups"
"""A resource too: each part of a group on a core takes one of its sets of decays and thresholds."""
ORDER = ("axons in", GROUPS, "neurons", "synapses", "axons out")
"""Of the columns in the compile logs of Loihi 2; what else there is follows."""


@dataclass(frozen=True, eq=False)
class CoreTable:
    """Cores are those in use, in the order of `Cores.numbers`."""

    cores: Cores
    needs: Mapping[str, Ints]
    """By resource, int64 `(cores,)`."""
    limits: Mapping[str, int]
    """Of a core, by resource; some have none of their own, and count in the limit of another."""
    core: Ints
    """With `group` and `neurons`, int64 `(seats,)`: a line for each core and each group that is on it, by core and
    then by group."""
    group: Ints
    """Its place among the Program's groups."""
    neurons: Ints

    @property
    def limiting(self) -> tuple[str, ...]:
        """The resources by which cores are called full, as `Placement.fullest` has them."""
        return tuple(limits_of(self.cores.chip))

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """What part of each of their limits is used, `(resources, cores)`."""
        return np.stack([self.needs[name] / max(self.limits[name], 1) for name in self.limiting])

    @cached_property
    def used(self) -> NDArray[np.float64]:
        """What part a core uses of the resource that it uses most of, `(cores,)`."""
        return np.asarray(self.shares.max(axis=0))

    @cached_property
    def limited_by(self) -> tuple[str, ...]:
        """That resource."""
        return tuple(self.limiting[k] for k in self.shares.argmax(axis=0).tolist())

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """On each core, in the Program's order."""
        names = tuple(self.cores.cuts)
        found: list[list[str]] = [[] for _ in range(self.cores.count)]
        for core, group in zip(self.core.tolist(), self.group.tolist(), strict=True):
            found[core].append(names[group])
        return tuple(map(tuple, found))

    def of_group(self, group: str) -> Ints:
        """The cores that it is on."""
        return self.core[self.group == tuple(self.cores.cuts).index(group)]

    def fullest(self, count: int) -> Ints:
        """Of equals the first."""
        return np.argsort(-self.used, kind="stable")[:count]


def core_table(core_map: CoreMap) -> CoreTable:
    """What the blocks of each core need together."""
    cores, cuts = core_map.where, [placement.cut for placement in core_map]
    loads = [placement.loads for placement in core_map]
    needs = {name: cores.on_cores(np.concatenate([each[name] for each in loads])) for name in loads[0]}
    needs.setdefault(GROUPS, cores.on_cores(np.ones(cores.blocks, np.int64)))
    limits = {GROUPS: cores.chip.neuron_settings_per_core, **limits_of(cores.chip)}
    group = np.repeat(np.arange(len(cuts)), [cut.cores for cut in cuts])
    places, which = np.unique(cores.of_block * len(cuts) + group, return_inverse=True)
    neurons = np.zeros(len(places), np.int64)
    np.add.at(neurons, which, np.concatenate([cut.neurons for cut in cuts]))
    order = [*(name for name in ORDER if name in needs), *(name for name in needs if name not in ORDER)]
    return CoreTable(cores, {name: needs[name] for name in order}, limits, *np.divmod(places, len(cuts)), neurons)
