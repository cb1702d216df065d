"""What one process does of a score: its shards, each once, and how it fared."""

import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spikeport.commands.bars import say
from spikeport.commands.scoring.data import Source
from spikeport.commands.scoring.ranks import Ranks
from spikeport.errors import FileMismatch, SpikeportError
from spikeport.program import Program
from spikeport.progress import working
from spikeport.sim.scoring import Part, Plan, load_shard, save_shard
from spikeport.sim.scoring import score as score_part
from spikeport.sim.scoring.plan import shard_path
from spikeport.sim.scoring.shard_file import TornShard
from spikeport.threads import threads


@dataclass
class Fared:
    """What one process did."""

    host: str
    threads: int
    done: int = 0
    """Shards."""
    kept: int = 0
    redone: int = 0
    samples: int = 0
    seconds: float = 0.0
    """Of shards; what is compiled where it has never run is not in it."""
    cpu_s: float = 0.0
    """Likewise."""
    peak_bytes: int = 0
    failed: tuple[int, str, str] | None = None
    """The shard that it could not do, why, and the exit code."""


def work(ranks: Ranks, program: Program, source: Source, plan: Plan, folder: Path, found: list[int]) -> Fared:
    """This process's part of the shards: every `world`-th of those that are there, and of those that are not."""
    fared = Fared(socket.gethostname(), threads())
    there = set(found)
    mine = found[ranks.rank :: ranks.world]
    mine += [n for n in range(plan.shards) if n not in there][ranks.rank :: ranks.world]
    number, clocks = -1, (time.monotonic(), time.process_time())
    try:
        with _watched(ranks, sum(len(plan.range_of(n)) for n in mine)) as between:
            for number in mine:
                if number not in there and not fared.done:
                    _warm_up(program, source.part(plan.range_of(number)[:1]), plan)
                    clocks = (time.monotonic(), time.process_time())
                _shard(number, program, source, plan, folder, number in there, fared, between)
    except SpikeportError as error:
        fared.failed = number, str(error), error.code
    fared.seconds, fared.cpu_s = time.monotonic() - clocks[0], time.process_time() - clocks[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fared.peak_bytes = peak * (1 if sys.platform == "darwin" else 1024)
    return fared


@contextmanager
def _watched(ranks: Ranks, samples: int) -> Iterator[Callable[[int], None]]:
    """A progress bar of the first process's samples; what is called after some more."""
    if ranks.rank:
        yield lambda n: None
        return
    info = f"process 1 of {ranks.world}" if ranks.world > 1 else ""
    with working("scoring", samples, "samples") as task:
        yield lambda n: task.advance(n, info)


def _warm_up(program: Program, part: Part, plan: Plan) -> None:
    """One step of one sample."""
    score_part(program, Part({name: x[:1] for name, x in part.inputs.items()}, part.labels), profile=plan.profile)


def _shard(
    number: int,
    program: Program,
    source: Source,
    plan: Plan,
    folder: Path,
    there: bool,
    fared: Fared,
    between: Callable[[int], None],
) -> None:
    """Does a shard, unless it is there whole, of this plan and of these samples."""
    path, samples = shard_path(folder, number), plan.range_of(number)
    part = source.part(samples)
    if there and _is_kept(path, plan, part.sha256()):
        fared.kept += 1
        between(len(samples))
        return
    done = score_part(
        program, part, samples.start, how=plan.decide, profile=plan.profile, keep_outputs=plan.outputs, between=between
    )
    save_shard(done, path, plan.sha256)
    fared.done, fared.redone, fared.samples = fared.done + 1, fared.redone + there, fared.samples + len(samples)


def _is_kept(path: Path, plan: Plan, data_sha256: str) -> bool:
    """Raises FileError for a whole shard of something else: to write over it would mix two scores."""
    try:
        shard = load_shard(path, plan.sha256)
    except TornShard:
        say(f"{path} is not whole: it is done again")
        return False
    if shard.data_sha256 != data_sha256:
        raise FileMismatch(str(path), "was scored on other samples", do="name a new folder")
    return True
