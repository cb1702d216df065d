"""What the search for a mapping has to respect, and what it tries to make small.

A block asks a core for neurons, axons in, axons out and words, which add up on a core; each block is one of the
groups or settings that a core tells apart; and it is busy for a while in each step, by neurons and by synapses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeport.chip import Chip
from spikeport.cores import Cut
from spikeport.deploy.cores.activity import Activity, Floats
from spikeport.deploy.cores.loads import LIMITS, Loads, limits_of, loads
from spikeport.deploy.cores.work import inward, outward
from spikeport.fixed import Ints
from spikeport.neurons import LIF, Group, SigmaDelta
from spikeport.program import Program

MEMORY = slice(0, len(LIMITS))
"""Columns of sizes: those of `LIMITS`, settings, and the two phases."""
TIME = slice(len(LIMITS) + 1, len(LIMITS) + 3)


class Seated(NamedTuple):
    """A mapping in the making."""

    cuts: Mapping[str, Cut]
    core: Ints
    """Of each block, `(blocks,)`, numbered without gaps."""

    @property
    def cores(self) -> int:
        return int(self.core.max()) + 1


@dataclass(frozen=True, eq=False)
class Problem:
    """A Program on a chip under an activity. What was found out of groups and cuts is kept."""

    program: Program
    chip: Chip
    activity: Activity
    _sizes: dict[tuple[object, ...], Floats] = field(default_factory=dict, repr=False)

    @cached_property
    def limits(self) -> Floats:
        """Of a core, `(columns,)`; the phases have none."""
        resources = [*limits_of(self.chip).values(), self.chip.neuron_settings_per_core]
        return np.array([*resources, np.inf, np.inf], np.float64)

    @cached_property
    def kinds(self) -> Mapping[str, int]:
        """Groups that may share a core have the same number."""
        found = [_kind(group, self.chip) for group in self.program.groups]
        different = list(dict.fromkeys(found))
        return {g.name: different.index(kind) for g, kind in zip(self.program.groups, found, strict=True)}

    def targets(self, name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c.target for c in self.program.connections if c.source == name))

    def sizes(self, name: str, cuts: Mapping[str, Cut]) -> Floats:
        """What the blocks of a group ask for, `(blocks, columns)`."""
        key = (name, _key(cuts[name]), *(_key(cuts[target]) for target in self.targets(name)))
        if key not in self._sizes:
            found = loads(self.program, self.chip, name, cuts)
            self._sizes[key] = sizes_of(found, self.time(name, cuts))
        return self._sizes[key]

    def time(self, name: str, cuts: Mapping[str, Cut]) -> Floats:
        """ns in a step, `(2, blocks)`."""
        ns = inward(self.program, self.activity, name, cuts[name])
        ns[0] += outward(self.program, self.activity, name, cuts)
        return ns

    def all_sizes(self, cuts: Mapping[str, Cut]) -> Floats:
        return np.concatenate([self.sizes(name, cuts) for name in cuts])

    def all_kinds(self, cuts: Mapping[str, Cut]) -> Ints:
        return np.repeat([self.kinds[name] for name in cuts], [cut.cores for cut in cuts.values()])

    def used(self, seated: Seated) -> Floats:
        """What the blocks of each core ask for, `(cores, columns)`."""
        return on_cores(self.all_sizes(seated.cuts), seated.core)

    def busiest(self, seated: Seated) -> float:
        """ns in a step of the core that takes longest."""
        return float(busy(self.used(seated)).max())

    def fullest(self, seated: Seated) -> float:
        """The share of a limit that is used up most, of any core's neurons, axons and words."""
        return float((self.used(seated)[:, MEMORY] / np.maximum(self.limits[MEMORY], 1)).max())


def sizes_of(found: Loads, ns: Floats) -> Floats:
    return np.stack([*(found[resource] for resource in LIMITS), np.ones(ns.shape[1]), *ns], axis=1).astype(np.float64)


def busy(sizes: Floats) -> Floats:
    """ns of each row: the longer of the two phases."""
    longer: Floats = sizes[..., TIME].max(axis=-1)
    return longer


def on_cores(sizes: Floats, core: Ints) -> Floats:
    """Sums for each core, `(cores, columns)`."""
    found = np.zeros((int(core.max()) + 1, sizes.shape[1]))
    np.add.at(found, core, sizes)
    return found


def within(sizes: Floats, limits: Floats) -> NDArray[np.bool_]:
    """Which rows are."""
    return np.asarray((sizes <= limits).all(axis=-1))


def _key(cut: Cut) -> tuple[object, ...]:
    return cut.block, cut.padded


def _kind(group: Group, chip: Chip) -> tuple[object, ...]:
    """Loihi 2: one microcode on a core, for its memory has no public limit. Loihi 1: one reset, which a host does core
    by core."""
    if chip.generation == 1:
        return group.reset_interval, group.reset_offset
    match group:
        case LIF():
            return "lif", group.reset, group.vth_low is None, bool(group.refractory_steps)
        case SigmaDelta():
            return "sigma_delta", group.stage, group.activation, group.cum_error
        case _:
            return "resonator", group.kind
