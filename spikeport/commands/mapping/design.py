"""A Program on the cores of a chip, and what its cores did on samples, for `spikeport map`."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from spikeport.chip import Chip
from spikeport.commands.running.counted import read_sent, results
from spikeport.commands.samples import Samples, read_samples
from spikeport.cores import Cores
from spikeport.deploy.cores import CoreMap
from spikeport.deploy.cores.table import CoreTable, core_table
from spikeport.deploy.rules import Violation, design, violations
from spikeport.deploy.rules.occupancy import CHIP
from spikeport.errors import NotRecorded
from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim.counting import CoreActivity, count_cores
from spikeport.sim.counting.chip_messages import Crossing, chip_messages, events_of

SYSTEM = "the system"


@dataclass(frozen=True, eq=False)
class Mapped:
    """Where the compiler puts a Program's neurons."""

    program: Program
    core_map: CoreMap
    table: CoreTable
    of_chip: tuple[Violation, ...]
    """What `spikeport check` says, which holds a Program to one chip."""

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


def mapped(program: Program, target: Chip | str) -> Mapped:
    """Raises InputError for a chip that is not known."""
    designed = design(program, target)
    return Mapped(program, designed.cores, core_table(designed.cores), tuple(violations(designed)))


def ran(one: Mapped, input_path: Path | None, recorded: Path | None) -> Ran:
    """What the cores do on a file's samples, simulated, or as recorded.

    Raises:
        FileError, InputError: files that are no such files, or that do not belong together.
    """
    program = one.program
    samples = None if input_path is None else read_samples(input_path, program)
    sent = None
    if recorded is not None:
        given = None if samples is None else next(iter(samples.inputs.values())).shape
        _check_known(program, recorded, samples)
        sent = read_sent(recorded, program, given)
        steps, batch, _ = next(iter(sent.values())).shape
        samples = samples or _silent(recorded, program, steps - program.latency, batch)
    assert samples is not None
    activities: list[CoreActivity] = []
    events = {group.name: np.zeros(group.size, np.int64) for group in program.groups}
    for result in results(program, samples, sent):
        activities.append(count_cores(program, result, one.cores))
        for name, found in events_of(program, result).items():
            events[name] += found
    activity, *others = activities
    for more in others:
        activity += more
    return Ran(activity, chip_messages(program, one.cores, events))


def _check_known(program: Program, recorded: Path, samples: Samples | None) -> None:
    """A run holds what groups sent, and not what inputs did."""
    sending = [entry.name for entry in program.inputs if entry.kind != "bias"]
    if samples is None and sending:
        do = "give the samples too, --input X.NPZ"
        raise NotRecorded(str(recorded), "spikes of inputs", got=", ".join(sending), relation="are not recorded", do=do)


def _silent(path: Path, program: Program, steps: int, batch: int) -> Samples:
    """Samples for inputs that send nothing: what the host encodes is in the recorded run."""
    return Samples(path, {i.name: np.full((steps, batch, *i.shape), i.low) for i in program.inputs}, None)
