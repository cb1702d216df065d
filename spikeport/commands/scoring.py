"""`spikeport score`: a data set on a Program, over processes and hosts, shard by shard."""

import json
import os
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from spikeport.atomic import replacing
from spikeport.commands.answer import Answer, progress, say
from spikeport.commands.running import say_if_cleared_midway
from spikeport.commands.samples import write_npz
from spikeport.commands.score_data import Source, source_of
from spikeport.commands.score_ranks import Ranks, join
from spikeport.commands.score_shown import Run, shown
from spikeport.errors import FileError, SimError, SpikeportError
from spikeport.lock import locked
from spikeport.profiles import Profile
from spikeport.program import Program
from spikeport.program_file import load_program
from spikeport.sim.decide import Decide
from spikeport.sim.saved import fingerprint
from spikeport.sim.scoring import Part, Plan, load_shard, save_shard, summarise
from spikeport.sim.scoring import score as score_part
from spikeport.sim.scoring.plan import bind, present, shard_path
from spikeport.sim.scoring.shard import voting_output
from spikeport.sim.scoring.shard_file import TornShard
from spikeport.sim.scoring.summary import check_labels
from spikeport.threads import threads


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
    failed: tuple[int, str, int] | None = None
    """The shard that it could not do, why, and the exit code."""


def score(asked: Asked) -> Answer | None:
    """Evaluates, as far as shards are not there yet; None in all processes but the first."""
    program = load_program(asked.net)
    source = source_of(asked.data, program, asked.steps, asked.data_folder)
    plan = _plan(asked, program, source)
    ranks = join(asked.processes, asked.nodes, asked.threads, partial(_lost, asked.output))
    with ExitStack() as stack:
        found = _begun(stack, ranks, asked, plan)
        if found is None:
            ranks.leave()
            return None
        if not ranks.rank:
            say_if_cleared_midway(program, plan.steps)
        fared = ranks.all(_work(ranks, program, source, plan, asked.output, found))
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
        raise FileError(str(folder), "cannot be made", got=error.strerror, do=do) from error


def _work(ranks: Ranks, program: Program, source: Source, plan: Plan, folder: Path, found: list[int]) -> Fared:
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
        fared.failed = number, str(error), error.exit_code
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
    with progress() as bar:
        info = f"process 1 of {ranks.world}" if ranks.world > 1 else ""
        yield partial(bar.advance, bar.add_task("scoring", total=samples, info=info))


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
        raise FileError(str(path), "was scored on other samples", do="name a new folder")
    return True


def _check(folder: Path, plan: Plan, fared: Sequence[Fared]) -> None:
    """Raises FileError or SimError, with the first reason, if a shard is missing."""
    there = set(present(folder, plan))
    missing = [str(number) for number in range(plan.shards) if number not in there]
    failed = next((f for f in fared if f.failed), None)
    if failed is not None and failed.failed is not None:
        number, why, code = failed.failed
        kind = FileError if code == FileError.exit_code else SimError
        where = f"{folder}, shard {number} on {failed.host}" if len(fared) > 1 else f"{folder}, shard {number}"
        raise kind(where, why, do=f"missing: {_listed(missing)}; go on with --resume" if missing else "")
    if missing:
        got, do = _listed(missing), "let all hosts write to one folder, and go on with --resume"
        raise SimError(str(folder), "shards", got=got, relation="are missing", do=do)


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
    sys.stderr.write(f"{cursor}error: {folder}: a process {what}; go on with --resume\n")
    sys.stderr.flush()
    os._exit(1)
