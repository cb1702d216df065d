"""What a Program did on samples, in one pass, and one sample of it in full."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.commands.mapping.design import Mapped, Ran
from spikeport.commands.running.counted import results
from spikeport.commands.samples import Samples
from spikeport.fixed import Ints
from spikeport.program import Group, Program
from spikeport.sim import Result, count_operations, simulate
from spikeport.sim.counting import CoreActivity, Counts, count_cores
from spikeport.sim.counting.chip_messages import chip_messages, events_of
from spikeport.sim.decide import tally
from spikeport.sim.record import recorded_bytes

TRACED_BYTES = 256 * 2**20
"""Of the states of one sample; groups beyond that are drawn without u and v."""


@dataclass(frozen=True, eq=False)
class Observed:
    """A run of the simulator."""

    samples: Samples
    given: int
    """Samples that there were; the first of them ran."""
    counts: Counts
    cores: Ran
    """What each core did."""
    fired: Mapping[str, Ints]
    """In how many steps of its sample each neuron of a group sent something, `(n,)`, over all samples."""
    outputs: str
    """SHA-256 of what the first output gave: int64, little endian, sample by sample in C order of `(T, *shape)`."""
    answers: NDArray[np.int64] | None
    """Class of each sample, by the first output that has classes."""
    classes: int
    one: Result
    """The first sample, with the states of as many groups as there is room for."""

    @property
    def steps(self) -> int:
        return self.counts.steps

    @property
    def batch(self) -> int:
        return self.counts.samples

    @property
    def right(self) -> int | None:
        """Samples whose class is their label; None without labels or classes."""
        if self.answers is None or self.samples.labels is None:
            return None
        return int((self.answers == self.samples.labels).sum())


def observe(mapped: Mapped, samples: Samples, given: int) -> Observed:
    """Simulates every sample, some at a time, and the first once more with its states.

    Raises:
        InputError: samples that are not the Program's input. OverflowDetected: under the profile `strict`.
    """
    program = mapped.program
    counts: list[Counts] = []
    activity: list[CoreActivity] = []
    fired = {group.name: np.zeros(group.size, np.int64) for group in program.groups}
    answers: list[NDArray[np.int64]] = []
    digest = sha256()
    voting = next((output for output in program.outputs if output.classes), None)
    for result in results(program, samples, None):
        counts.append(count_operations(program, result))
        activity.append(count_cores(program, result, mapped.cores))
        for name, events in events_of(program, result).items():
            fired[name] += events
        first = np.moveaxis(result.outputs[program.outputs[0].name], 1, 0)
        digest.update(np.ascontiguousarray(first, "<i8").tobytes())
        if voting is not None and counts[0].steps:
            answers.append(tally(result.outputs[voting.name], voting.classes).winners())
    return Observed(
        samples=samples,
        given=given,
        counts=_sum(counts),
        cores=Ran(_sum(activity), chip_messages(program, mapped.cores, fired)),
        fired=fired,
        outputs=digest.hexdigest(),
        answers=np.concatenate(answers) if answers else None,
        classes=0 if voting is None else voting.classes,
        one=_one(program, samples),
    )


def _sum(parts: Sequence[Any]) -> Any:
    whole, *others = parts
    for part in others:
        whole += part
    return whole


def _one(program: Program, samples: Samples) -> Result:
    first = {name: x[:, :1] for name, x in samples.inputs.items()}
    steps = len(next(iter(first.values()))) + program.latency
    return simulate(program, first, record=[group.name for group in _with_room(program, steps)])


def _with_room(program: Program, steps: int) -> list[Group]:
    found: list[Group] = []
    for group in program.groups:
        if recorded_bytes([*found, group], 1) * steps <= TRACED_BYTES:
            found.append(group)
    return found
