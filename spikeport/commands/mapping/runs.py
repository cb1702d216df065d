"""A Program's run on a file's samples, for `spikeport map`: simulated, or as a back end or a board recorded it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.commands.running.board_runs import is_board_file, read_board_run
from spikeport.commands.running.counted import read_sent, results, sent_by_board
from spikeport.commands.samples import Samples, read_samples
from spikeport.errors import NotRecorded
from spikeport.program import Program
from spikeport.sim import Result


@dataclass(frozen=True, eq=False)
class Run:
    """What can be counted several times, on one mapping after another."""

    program: Program
    samples: Samples
    sent: Mapping[str, NDArray[Any]] | None
    """As recorded; simulated if None."""
    _only: list[Result] = field(default_factory=list, repr=False)

    def results(self) -> Iterator[Result]:
        """Some samples at a time; those of a small run are kept, of a large one they are made anew."""
        if self._only:
            yield from self._only
            return
        found = results(self.program, self.samples, self.sent)
        first = next(found)
        second = next(found, None)
        yield first
        if second is None:
            self._only.append(first)
        else:
            yield second
            yield from found


def opened(program: Program, net: Path, input_path: Path | None, recorded: Path | None) -> Run | None:
    """None without samples and without a recorded run.

    Args:
        net: The Program's file.

    Raises:
        FileError: files that are no such files, or that do not belong together.
    """
    if input_path is None and recorded is None:
        return None
    samples = None if input_path is None else read_samples(input_path, program)
    if recorded is None:
        assert samples is not None
        return Run(program, samples, None)
    _check_known(program, recorded, samples)
    if is_board_file(recorded):
        return _of_board(program, net, recorded, samples)
    sent = read_sent(recorded, program, None if samples is None else samples.shape)
    return Run(program, samples or _silent(recorded, program, sent), sent)


def _of_board(program: Program, net: Path, recorded: Path, samples: Samples | None) -> Run:
    """As `spikeport energy` counts it: where not all spikes were recorded, those of the simulator."""
    board = read_board_run(recorded, program, net)
    if samples is not None:
        samples = samples.first(board.batch)
        return Run(program, samples, sent_by_board(recorded, program, board, samples.shape))
    if missing := [g.name for g in program.groups if "s" not in board.recorded.get(g.name, {})]:
        do = "give the samples too, --input X.NPZ, and the simulator's are counted"
        got, relation = ", ".join(missing), "are not recorded"
        raise NotRecorded(str(recorded), "spikes of groups", got=got, relation=relation, do=do)
    steps = len(board.recorded[program.groups[0].name]["s"])
    sent = sent_by_board(recorded, program, board, (max(1, steps - program.latency), board.batch))
    assert sent is not None  # nothing is missing
    return Run(program, _silent(recorded, program, sent), sent)


def _check_known(program: Program, recorded: Path, samples: Samples | None) -> None:
    """A run holds what groups sent, and not what inputs did."""
    sending = [entry.name for entry in program.inputs if entry.kind != "bias"]
    if samples is None and sending:
        do = "give the samples too, --input X.NPZ"
        raise NotRecorded(str(recorded), "spikes of inputs", got=", ".join(sending), relation="are not recorded", do=do)


def _silent(path: Path, program: Program, sent: Mapping[str, NDArray[Any]]) -> Samples:
    """Samples for inputs that send nothing: what the host encodes is in the recorded run."""
    steps, batch, _ = next(iter(sent.values())).shape
    shape = (steps - program.latency, batch)
    return Samples(path, {i.name: np.full((*shape, *i.shape), i.low) for i in program.inputs}, None)
