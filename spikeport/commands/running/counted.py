"""A Program's operations on a file of samples: simulated, or read from a recorded run, some samples at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.commands.bars import say
from spikeport.commands.running.bisect import traces_of
from spikeport.commands.running.board_runs import is_board_file, read_board_run
from spikeport.commands.running.recorded_hdf5 import read_spikes
from spikeport.commands.samples import Samples, is_hdf5, read_npz, read_samples
from spikeport.cores import Cores
from spikeport.deploy.cores import CoreMap
from spikeport.errors import FileMismatch, InputError
from spikeport.program import Group, Program
from spikeport.program_file import load_program
from spikeport.progress import working
from spikeport.sim import Result, count_operations, simulate
from spikeport.sim.board_run import BoardRun
from spikeport.sim.counting import CoreActivity, Counts, count_cores
from spikeport.sim.record import PROGRAM, program_digest
from spikeport.sim.simulate import check_inputs
from spikeport.trace import Trace

CHUNK_BYTES = 128 * 2**20
"""Of what inputs and groups send, so that memory does not grow with the number of samples."""
_RECORD = "record this Program with 'spikeport run --record all', on the same samples"


@dataclass(frozen=True, eq=False)
class Counted:
    """What a Program did."""

    name: str
    program: Program
    counts: Counts
    activity: CoreActivity | None
    """None without a mapping to cores."""
    placements: CoreMap | None = None
    """The mapping."""
    board: BoardRun | None = None
    """The run that was counted, where a board made it."""


def counted(path: Path, input_path: Path, recorded: Path | None, cores: Cores | None = None) -> Counted:
    """Counts what a Program does on the samples of a file.

    Args:
        recorded: What `spikeport run --record all` wrote of this Program on these samples; it is simulated if None.
        cores: Where its neurons are; messages, hops and times are unknown if None.

    Raises:
        FileError, InputError: files that are no such files, or that do not belong together.
    """
    program = load_program(path)
    samples = read_samples(input_path, program)
    if recorded is not None and is_board_file(recorded):
        board = read_board_run(recorded, program, path)
        samples = samples.first(board.batch)
        sent = sent_by_board(recorded, program, board, samples.shape)
        return replace(count_samples(path.name, program, samples, sent, cores), board=board)
    sent = None if recorded is None else read_sent(recorded, program, samples.shape)
    return count_samples(path.name, program, samples, sent, cores)


def sent_by_board(
    path: Path, program: Program, board: BoardRun, given: tuple[int, ...]
) -> dict[str, NDArray[Any]] | None:
    """As `read_sent`; None where a board was not asked for all spikes: then it has sent those of the simulator, and
    'verify --run' says whether."""
    traces = {name: Trace({}, of_group["s"]) for name, of_group in board.recorded.items() if "s" in of_group}
    if missing := [group.name for group in program.groups if group.name not in traces]:
        say(f"note: {path} has no spikes of {', '.join(missing)}; the simulator's are counted")
        return None
    return _sent(path, program, traces, given)


def count_samples(
    name: str,
    program: Program,
    samples: Samples,
    sent: Mapping[str, NDArray[Any]] | None,
    cores: Cores | None,
) -> Counted:
    """As `counted`, of what is in memory."""
    found: list[tuple[Counts, CoreActivity | None]] = []
    for result in results(program, samples, sent):
        counts = count_operations(program, result)
        found.append((counts, None if cores is None else count_cores(program, result, cores)))
    (counts, activity), *others = found
    for more, more_activity in others:
        counts += more
        if activity is not None and more_activity is not None:
            activity += more_activity
    return Counted(name, program, counts, activity)


def results(program: Program, samples: Samples, sent: Mapping[str, NDArray[Any]] | None) -> Iterator[Result]:
    """What a Program does, some samples at a time; simulated if `sent` is None."""
    inputs = _inputs(program, samples)
    batch = next(iter(inputs.values())).shape[1]
    with working("counting", batch, "samples") as task:
        for part in _chunks(program, inputs):
            yield _result(program, inputs, samples, sent, part)
            task.advance(part.stop - part.start)


def _inputs(program: Program, samples: Samples) -> dict[str, NDArray[Any]]:
    try:
        return check_inputs(program, dict(samples.inputs))
    except InputError as error:
        raise error.inside(str(samples.path)) from error


def _chunks(program: Program, inputs: Mapping[str, NDArray[Any]]) -> Iterator[slice]:
    steps, batch = next(iter(inputs.values())).shape[:2]
    each = (steps + program.latency) * (sum(x.shape[2] * x.itemsize for x in inputs.values()) + _sizes(program))
    size = max(1, CHUNK_BYTES // each)
    for start in range(0, batch, size):
        yield slice(start, min(start + size, batch))


def _sizes(program: Program) -> int:
    return sum(group.size * (4 if group.signed else 1) for group in program.groups)


def _result(
    program: Program,
    inputs: Mapping[str, NDArray[Any]],
    samples: Samples,
    sent: Mapping[str, NDArray[Any]] | None,
    part: slice,
) -> Result:
    if sent is None:
        return simulate(program, {name: x[:, part] for name, x in samples.inputs.items()})
    steps = len(next(iter(inputs.values())))
    found = {name: x[:, part] for name, x in sent.items()}
    for name, x in inputs.items():
        found[name] = np.zeros((steps + program.latency, part.stop - part.start, x.shape[2]), x.dtype)
        found[name][:steps] = x[:, part]
    spikes = found[program.outputs[0].source][program.latency :]
    return Result(spikes, program.latency, {}, found)


def read_sent(path: Path, program: Program, given: tuple[int, ...] | None) -> dict[str, NDArray[Any]]:
    """`(T + latency, B, n)` of every group, as recorded; raises unless the run is one of this Program.

    Args:
        given: Steps and samples of its input, `(T, B, ...)`; None where the run alone says how many there are.
    """
    traces = _recorded(path, program)
    if given is None:
        steps, *batch = next(iter(traces.values())).s.shape
        given = (max(1, steps - program.latency), *batch)
    return _sent(path, program, traces, given)


def read_spikes_of(path: Path, program: Program) -> dict[str, NDArray[Any]]:
    """`(T + latency, B, *shape)` of those groups that were recorded; raises as `read_sent`."""
    traces = _recorded(path, program)
    given = next(iter(traces.values())).s.shape[:2]
    known = {group.name: group for group in program.groups}
    if unknown := ", ".join(traces.keys() - known.keys()):
        raise FileMismatch(str(path), "groups", got=unknown, relation="are not in", limit="the Program", do=_RECORD)
    for name, trace in traces.items():
        _check_spikes(path, known[name], trace.s, given)
    return {name: trace.s for name, trace in traces.items()}


def _recorded(path: Path, program: Program) -> dict[str, Trace]:
    """What was recorded of each group; raises if it is a run of another Program."""
    arrays = read_spikes(path) if is_hdf5(path) else read_npz(path)
    traces = traces_of(path, arrays)
    if PROGRAM in arrays and not np.array_equal(arrays[PROGRAM], program_digest(program)):
        raise FileMismatch(str(path), "run", relation="is that of another Program", do=_RECORD)
    return traces


def _sent(path: Path, program: Program, traces: Mapping[str, Trace], given: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    if traces.keys() != {group.name for group in program.groups}:
        missing = ", ".join(sorted({g.name for g in program.groups} ^ traces.keys()))
        raise FileMismatch(
            str(path), "groups", got=missing, relation="are not in both the run and the Program", do=_RECORD
        )
    for group in program.groups:
        _check_spikes(path, group, traces[group.name].s, (given[0] + program.latency, given[1]))
    return {name: trace.s.reshape(*trace.s.shape[:2], -1) for name, trace in traces.items()}


def _check_spikes(path: Path, group: Group, s: NDArray[Any], size: tuple[int, ...]) -> None:
    """FileMismatch unless they are `(*size, *shape)`, and what the group can send."""
    if s.shape != (limit := (*size, *group.shape)):
        what = f"spikes of {group.name}"
        raise FileMismatch(str(path), what, got=s.shape, relation="are not", limit=limit, do=_RECORD)
    odd = _unlike(group, s)
    if odd.size:
        known = "payloads" if group.signed else "0 or 1"
        raise FileMismatch(
            str(path), f"spikes of {group.name}", got=odd[0], relation="are not", limit=known, do=_RECORD
        )


def _unlike(group: Group, spikes: NDArray[Any]) -> NDArray[Any]:
    """Values that the group cannot send."""
    least, most = (-fixed.PAYLOAD_MAX, fixed.PAYLOAD_MAX) if group.signed else (0, 1)
    return spikes[(spikes < least) | (spikes > most)]
