"""`spikeport score`: a data set on a Program, over processes and hosts, shard by shard."""

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from spikeport.atomic import replacing
from spikeport.commands.answer import Answer
from spikeport.commands.running.run import say_if_cleared_midway
from spikeport.commands.samples import write_npz
from spikeport.commands.scoring.data import Source, source_of
from spikeport.commands.scoring.ranks import Ranks, join, share
from spikeport.commands.scoring.shown import Run, shown
from spikeport.commands.scoring.work import Fared, work
from spikeport.errors import FileUnwritable, ShardsMissing, SimError, SpikeportError
from spikeport.errors.catalogue import CLASSES
from spikeport.lock import locked
from spikeport.profiles import Profile
from spikeport.program import Program
from spikeport.program_file import load_program
from spikeport.sim.decide import Decide
from spikeport.sim.saved import fingerprint
from spikeport.sim.scoring import Plan, summarise
from spikeport.sim.scoring.plan import bind, present, shard_path
from spikeport.sim.scoring.shard import voting_output
from spikeport.sim.scoring.summary import check_labels
from spikeport.threads import limited

SEEN_S = 90.0
"""Longer than NFS keeps what it knows of a folder (`acdirmax`, 60 s)."""


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    net: Path
    data: str
    output: Path
    shard: int = 100
    steps: int | None = None
    decide: Decide = "mean"
    profile: Profile | None = None
    outputs: bool = False
    resume: bool = False
    processes: int = 1
    nodes: int = 1
    threads: int | None = None
    data_folder: Path | None = None
    images: int | None = None
    """To plan for, on `cores`."""
    cores: int | None = None


def score(asked: Asked) -> Answer | None:
    """Evaluates, as far as shards are not there yet; None in all processes but the first."""
    program = load_program(asked.net)
    source = source_of(asked.data, program, asked.steps, asked.data_folder)
    plan = _plan(asked, program, source)
    threads = share(asked.processes, asked.nodes, asked.threads)
    with ExitStack() as stack:
        stack.enter_context(limited(threads))
        ranks = join(asked.processes, asked.nodes, partial(_lost, asked.output))
        found = _begun(stack, ranks, asked, plan)
        if found is None:
            ranks.leave()
            return None
        if not ranks.rank:
            say_if_cleared_midway(program, plan.steps)
        fared = ranks.all(work(ranks, program, source, plan, asked.output, found))
        ranks.leave()
        if ranks.rank:
            return None
        _check(asked.output, plan, fared)
        return _answer(asked, plan, source, _run(asked.output, plan, fared))


def _plan(asked: Asked, program: Program, source: Source) -> Plan:
    profile = asked.profile or program.profile
    program.check_profile(profile)
    labels, voting = source.labels, voting_output(program)
    if labels is not None and voting is not None:
        check_labels(asked.data, labels, voting.classes)
    return Plan(
        fingerprint(program), len(source), source.steps, asked.shard, asked.decide, profile, labels is not None,
        asked.outputs,
    )  # fmt: skip


def _begun(stack: ExitStack, ranks: Ranks, asked: Asked, plan: Plan) -> list[int] | None:
    """The shards that are there, as the first process found them; None in the others if it could not begin."""
    error: SpikeportError | None = None
    found: list[int] | None = None
    if not ranks.rank:
        try:
            _make(asked.output)
            stack.enter_context(locked(asked.output))
            bind(asked.output, plan, asked.resume)
            found = present(asked.output, plan)
        except SpikeportError as caught:
            error = caught
    found = ranks.told(found)
    if error is not None:
        ranks.leave()
        raise error
    return found


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        do = "choose a folder that you may write to"
        raise FileUnwritable(str(folder), "cannot be made", got=error.strerror, do=do) from error


def _check(folder: Path, plan: Plan, fared: Sequence[Fared]) -> None:
    """Raises the first error that a process had, or ShardsMissing, if a shard is missing."""
    failed = next((f for f in fared if f.failed), None)
    hosts = len({f.host for f in fared})
    missing = [str(number) for number in _missing(folder, plan, SEEN_S if hosts > 1 and failed is None else 0)]
    if failed is not None and failed.failed is not None:
        number, why, code = failed.failed
        where = f"{folder}, shard {number} on {failed.host}" if len(fared) > 1 else f"{folder}, shard {number}"
        raise CLASSES[code](where, why, do=f"missing: {_listed(missing)}; go on with --resume" if missing else "")
    if missing:
        got, do = _listed(missing), "let all hosts write to one folder, and go on with --resume"
        raise ShardsMissing(str(folder), "shards", got=got, relation="are missing", do=do)


def _missing(folder: Path, plan: Plan, patience_s: float) -> list[int]:
    """Shards that are not seen, even after a while: a network file system may show another host's files late."""
    end = time.monotonic() + patience_s
    while True:
        there = set(present(folder, plan))
        missing = [number for number in range(plan.shards) if number not in there]
        if not missing or time.monotonic() >= end:
            return missing
        time.sleep(1)


def _listed(names: Sequence[str], most: int = 10) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def _run(folder: Path, plan: Plan, fared: Sequence[Fared]) -> Run:
    sizes = [shard_path(folder, number).stat().st_size for number in range(plan.shards)]
    return Run(
        processes=len(fared),
        hosts=len({f.host for f in fared}),
        cores=sum(f.threads for f in fared),
        shards_done=sum(f.done for f in fared),
        shards_kept=sum(f.kept for f in fared),
        shards_redone=sum(f.redone for f in fared),
        samples=sum(f.samples for f in fared),
        seconds=max(f.seconds for f in fared),
        cpu_s=sum(f.cpu_s for f in fared),
        peak_bytes=max(f.peak_bytes for f in fared),
        shard_bytes=sum(sizes) / len(sizes),
    )


def _answer(asked: Asked, plan: Plan, source: Source, run: Run) -> Answer:
    summary = summarise(asked.output, plan, source.labels)
    data = {"results": summary.to_json(), "run": {**asdict(run), "samples_per_s": run.samples_per_s}}
    arrays = {"answers": summary.answers} | ({} if source.labels is None else {"labels": source.labels})
    write_npz(asked.output / "answers.npz", arrays)
    with replacing(asked.output / "summary.json") as name:
        Path(name).write_text(json.dumps(data) + "\n")
    return shown(asked.output, summary, run, data, asked.images, asked.cores)


def _lost(folder: Path, code: int) -> None:
    """Ends this process, wherever it is: another one that it launched has died."""
    cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
    what = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    sys.stderr.write(f"{cursor}{SimError(str(folder), f'a process {what}', do='go on with --resume').line()}\n")
    sys.stderr.flush()
    os._exit(1)
