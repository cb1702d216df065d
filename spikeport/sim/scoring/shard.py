"""`Shard`: what a Program answers to some samples of a data set, and what that costs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.profiles import Profile
from spikeport.program import Output, Program
from spikeport.sim.counting.count import count_operations
from spikeport.sim.counting.counts import Counts
from spikeport.sim.decide import Decide, tally
from spikeport.sim.record import output_keys
from spikeport.sim.result import Result, count_cleared
from spikeport.sim.scoring.part import Part
from spikeport.sim.simulate import simulate

CHUNK_BYTES = 64 * 2**20
"""Of what inputs and groups send at once, so that memory does not grow with the shard."""


@dataclass(frozen=True, eq=False)
class Shard:
    """Samples `first` to `first + len(answers) - 1`; nothing in it depends on time, threads or machine."""

    first: int
    answers: NDArray[np.int64]
    """`(n,)` classes; -1 where no output has any."""
    values: NDArray[np.int64]
    """`(n, classes)`, what each class came to: the largest is the answer. For `mean` the sum over steps."""
    counts: Counts
    cleared: int
    """How often a spike cleared a v that is read (`Result`); never under `strict`."""
    outputs: Mapping[str, NDArray[Any]]
    """Every output `(T, n, *shape)`, named as in a file of results, where they are kept."""
    data_sha256: str
    """Of the samples: `Part.sha256`."""

    def __len__(self) -> int:
        return len(self.answers)


def score(
    program: Program,
    part: Part,
    first: int = 0,
    *,
    how: Decide = "mean",
    profile: Profile | None = None,
    keep_outputs: bool = False,
    between: Callable[[int], None] = lambda n: None,
) -> Shard:
    """Runs samples in memory that their number does not change, and counts what they cost.

    Args:
        first: Number of the first sample in the data set.
        how: As `decide`, of the first output that has classes.
        between: Called after each n samples.

    Raises:
        InputError, OverflowDetected: as `simulate`.
    """
    voting = voting_output(program)
    done = []
    for chunk in _chunks(program, part):
        inputs = {name: x[:, chunk] for name, x in part.inputs.items()}
        done.append(_chunk(program, simulate(program, inputs, profile=profile), voting, how, keep_outputs))
        between(chunk.stop - chunk.start)
    answers, values, counts, cleared, outputs = zip(*done, strict=True)
    kept = {name: np.concatenate([found[name] for found in outputs], axis=1) for name in outputs[0]}
    return Shard(
        first, np.concatenate(answers), np.concatenate(values), reduce(add, counts), sum(cleared), kept, part.sha256()
    )


def voting_output(program: Program) -> Output | None:
    """The first output with classes."""
    return next((output for output in program.outputs if output.classes), None)


_Done = tuple[NDArray[np.int64], NDArray[np.int64], Counts, int, dict[str, NDArray[Any]]]


def _chunk(program: Program, result: Result, voting: Output | None, how: Decide, keep: bool) -> _Done:
    samples = result.spikes.shape[1]
    answers, values = np.full(samples, -1), np.zeros((samples, 0), np.int64)
    if voting is not None:
        found = tally(result.outputs[voting.name], voting.classes)
        answers = found.winners(how)
        values = {"mean": found.total, "max": found.most, "last": found.last}[how]
    keys = output_keys(program, ()) if keep else {}
    outputs = {key: result.outputs[name] for name, key in keys.items()}
    cleared = count_cleared(program, result.sent, program.latency)
    return answers, values.astype(np.int64), count_operations(program, result), cleared, outputs


def _chunks(program: Program, part: Part) -> Iterator[slice]:
    steps = next(iter(part.inputs.values())).shape[0] + program.latency
    given = sum(entry.size * (1 if entry.kind == "spike" else 8) for entry in program.inputs)
    sent = sum(group.size * (4 if group.signed else 1) for group in program.groups)
    size = max(1, CHUNK_BYTES // (steps * (given + sent)))
    for start in range(0, len(part), size):
        yield slice(start, min(start + size, len(part)))
