"""A Program on the cores of a chip, and what its cores did on samples, for `spikeport map`."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from spikeport.chip import Chip
from spikeport.cores import Cores
from spikeport.deploy.cores import CoreMap
from spikeport.deploy.cores.table import CoreTable, core_table
from spikeport.deploy.rules import Violation, design, violations
from spikeport.deploy.rules.occupancy import CHIP
from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim import Result
from spikeport.sim.counting import CoreActivity, count_cores
from spikeport.sim.counting.chip_messages import Crossing, chip_messages, events_of

SYSTEM = "the system"


@dataclass(frozen=True)
class Outline:
    """A mapping in a few figures; those of a step are means."""

    cores: int
    chips: int
    busiest_ns: float
    """Of the core that takes longest, in a step."""
    fullest: float
    """The share of a limit that the fullest core uses."""
    hops: float | None
    """Between tiles of a chip, in a step; None where too many blocks send to each other to look at all."""
    off_chip: float | None
    """Messages to other chips in a step, likewise."""


@dataclass(frozen=True)
class Searched:
    """What a search found."""

    before: Outline
    """The mapping that it began with."""
    after: Outline
    profile: str
    """Whose times say what is busy."""
    measured: bool
    """Whether the activity is that of a run."""
    cores_at_most: int
    """As the search was told; as many as before if it was not."""

    @property
    def kept(self) -> bool:
        """Whether there are no more cores than that."""
        return self.after.cores <= self.cores_at_most


@dataclass(frozen=True, eq=False)
class Mapped:
    """Where a Program's neurons are."""

    program: Program
    core_map: CoreMap
    table: CoreTable
    of_chip: tuple[Violation, ...]
    """What this mapping breaks on one chip; of the compiler's own, what `spikeport check` says."""
    own: bool = True
    """Whether it is the compiler's own mapping."""
    searched: Searched | None = None
    """What a search that found it has changed."""

    @property
    def chip(self) -> Chip:
        return self.core_map.chip

    @property
    def cores(self) -> Cores:
        return self.core_map.where

    @cached_property
    def chips(self) -> int:
        """In use."""
        return self.core_map.chips

    @property
    def over(self) -> tuple[Violation, ...]:
        """What no number of chips holds, or more than the largest system has."""
        found = tuple(v for v in self.of_chip if v.layer != CHIP)
        cores, limit = int(self.cores.count), self.chip.cores_per_chip * self.chip.chips_per_system
        if self.chips <= self.chip.chips_per_system:
            return found
        source, remedy = self.chip.sources["chips_per_system"], "use fewer channels, or more stride"
        return (*found, Violation("cores_fit_one_system", SYSTEM, cores, limit, "cores", source, remedy))


@dataclass(frozen=True, eq=False)
class Ran:
    """What the cores did; all counts exact."""

    activity: CoreActivity
    crossings: tuple[Crossing, ...]
    """Messages of the whole run, inside chips and across."""

    @property
    def steps(self) -> int:
        """Of all samples."""
        return self.activity.rows

    @property
    def sops(self) -> Ints:
        """On each core, `(cores,)`, of the whole run."""
        return np.asarray(self.activity.all_sops.sum(axis=0))

    @property
    def spikes(self) -> Ints:
        return np.asarray(self.activity.spikes.sum(axis=0))

    @property
    def messages_in(self) -> Ints:
        return np.asarray(self.activity.messages_in.sum(axis=0))

    @property
    def messages_out(self) -> Ints:
        return np.asarray(self.activity.messages_out.sum(axis=0))


def mapped(program: Program, target: Chip | str, core_map: CoreMap | None = None) -> Mapped:
    """By the compiler's own mapping if none is given.

    Raises InputError for a chip that is not known.
    """
    designed = replace(design(program, target), mapped=core_map)
    return Mapped(program, designed.cores, core_table(designed.cores), tuple(violations(designed)), core_map is None)


def ran(one: Mapped, results: Iterable[Result]) -> Ran:
    """What the cores do in a run, given some samples at a time."""
    program = one.program
    activities: list[CoreActivity] = []
    events = {group.name: np.zeros(group.size, np.int64) for group in program.groups}
    for result in results:
        activities.append(count_cores(program, result, one.cores))
        for name, found in events_of(program, result).items():
            events[name] += found
    activity, *others = activities
    for more in others:
        activity += more
    return Ran(activity, chip_messages(program, one.cores, events))
