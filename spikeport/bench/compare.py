"""spikeport and its competitors on the same Program and the same input, side by side in one run."""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import spikeport
from spikeport.bench.cases import Case, sops
from spikeport.bench.engine import prepare
from spikeport.bench.timing import Timing
from spikeport.deploy.child import Command, run_child
from spikeport.deploy.lava_env import cache_folder, find_lava, find_uv
from spikeport.deploy.lava_env import prepare as prepare_lava
from spikeport.errors import WorkerError
from spikeport.extras import install
from spikeport.fixed import Ints
from spikeport.program import Dense, Program
from spikeport.program_file import save_program
from spikeport.progress import counted

SCRIPTS = Path(__file__).with_name("peers")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Peer:
    """A competitor."""

    script: str
    chains_only: bool = True
    """Runs nothing but chains of dense layers on spikes."""
    two_layers: bool = False
    threads: bool = False
    """Uses more than one core if it may."""
    batches: bool = False


PEERS = {
    "lava": Peer("lava_peer.py", chains_only=False, threads=True),
    "nengo_loihi": Peer("nengo_loihi_worker.py"),
    "brian2_loihi": Peer("brian2_loihi_worker.py"),
    "xylosim": Peer("xylosim_worker.py", two_layers=True),
    "thrindex": Peer("thrindex_worker.py", threads=True, batches=True),
    "torch": Peer("torch_worker.py", chains_only=False, threads=True, batches=True),
}
OURS = Peer("engine_worker.py", chains_only=False, threads=True, batches=True)


@dataclass(frozen=True)
class Entry:
    """One line of the table: who, on how many cores, how many samples at once."""

    name: str
    peer: Peer
    threads: int
    batch: int


@dataclass
class _Found:
    seconds: list[float] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    differing: int = 0
    compared: int = 0
    error: str = ""


def compare(
    case: Case, peers: Sequence[str], *, batch: int, rounds: int, repeats: int, seconds: float, tell: Tell
) -> list[dict[str, Any]]:
    """One row per entry. All entries run once in turn, then all again, as many times as there are rounds."""
    entries = list(_entries(case.program, peers, batch))
    found = {entry: _Found() for entry in entries}
    expected = prepare(case.program)(case.inputs(batch))
    with tempfile.TemporaryDirectory(prefix="spikeport-bench-") as name:
        folder = Path(name)
        _write(case, folder)
        turns = [(number, entry) for number in range(rounds) for entry in entries]
        for number, entry in counted(turns, case.name, "runs"):
            if not found[entry].error:
                tell(f"{case.name}, round {number + 1}: {entry.name}, {entry.threads} thread, batch {entry.batch}")
                _run(entry, folder, repeats, seconds, expected, found[entry])
    return _rows(case, found)


def chain(program: Program) -> bool:
    """Whether the Program is a chain of dense layers on spikes, without delays, biases and resets."""
    sources = [program.inputs[0].name, *(g.name for g in program.groups)]
    return (
        not program.encoders
        and len(program.inputs) == 1
        and [(c.source, c.target) for c in program.connections] == list(zip(sources, sources[1:], strict=False))
        and all(isinstance(c, Dense) and not np.any(c.delay) for c in program.connections)
        and not any(g.bias_mant.any() or g.reset_interval for g in program.lifs)
    )


def peer_python(peer: Peer) -> Path:
    """The interpreter of a peer's own environment; the first call makes the environment.

    Raises:
        WorkerError: it cannot be made.
    """
    if peer.script in (OURS.script, PEERS["torch"].script):
        return Path(sys.executable)
    if peer.script == PEERS["lava"].script:
        return prepare_lava(find_lava())
    uv = find_uv()
    if uv is None:
        raise WorkerError(peer.script, "needs uv", do=install("lava"))
    own = ["--python", sys.executable] if sys.version_info < (3, 13) else []
    command: Command = [uv, "run", "--quiet", *own, "--script", SCRIPTS / peer.script, "--check"]
    found = run_child(command, what=peer.script, timeout_s=1200, cwd=cache_folder())
    return Path(json.loads(found.splitlines()[-1])["executable"])


def _entries(program: Program, peers: Sequence[str], batch: int) -> Iterator[Entry]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for name, peer in {"spikeport": OURS, **{n: PEERS[n] for n in peers}}.items():
        if peer.chains_only and not chain(program) or peer.two_layers and len(program.groups) != 2:
            continue
        for threads in (1, cores) if peer.threads and cores > 1 else (1,):
            for size in (1, batch) if peer.batches and batch > 1 else (1,):
                yield Entry(name, peer, threads, size)


def _write(case: Case, folder: Path) -> None:
    program = case.program
    save_program(program, folder / "program.h5")
    arrays: dict[str, Any] = {"x": next(iter(case.inputs(case.spikes.shape[1]).values())).astype(np.int32)}
    if chain(program):
        for k, (group, c) in enumerate(zip(program.lifs, program.connections, strict=True)):
            arrays[f"w{k}"] = c.weight
            arrays[f"p{k}"] = np.array([c.weight_exp, group.du, group.dv, group.vth])
    layers = len(program.groups) if chain(program) else 0
    np.savez(folder / "case.npz", latency=program.latency, layers=layers, **arrays)


def _run(entry: Entry, folder: Path, repeats: int, seconds: float, expected: Ints, found: _Found) -> None:
    options = {"threads": entry.threads, "batch": entry.batch, "repeats": repeats, "seconds": seconds}
    try:
        python = peer_python(entry.peer)
        own = python == Path(sys.executable)
        module = f"{__package__}.peers.{Path(entry.peer.script).stem}"
        script: Command = ["-m", module] if own else [SCRIPTS / entry.peer.script]
        flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        root = Path(spikeport.__file__).parents[1]
        printed = run_child(
            [python, *script, folder, *flags], what=entry.name, timeout_s=600, cwd=root if own else folder
        )
    except WorkerError as error:
        found.error = str(error)
        return
    found.answer = json.loads(printed.splitlines()[-1])
    found.seconds += found.answer["seconds"]
    with np.load(folder / f"{found.answer['name']}.npz") as file:
        spikes = file["spikes"]
    found.differing = int((spikes != expected[:, : entry.batch]).sum())
    found.compared = spikes.size


def _rows(case: Case, found: dict[Entry, _Found]) -> list[dict[str, Any]]:
    ours = {batch: sops(case, batch) for batch in {entry.batch for entry in found}}
    rates: dict[tuple[str, int, int], dict[str, float]] = {}
    rows = []
    for entry, result in found.items():
        row: dict[str, Any] = {"case": case.name, "name": entry.name, "threads": entry.threads, "batch": entry.batch}
        rows.append(row)
        if result.error:
            row["error"] = result.error
            continue
        timing = Timing(tuple(result.seconds))
        done = result.answer["sops"] or ours[entry.batch]
        rate = {"min": done / timing.best, "median": done / timing.median}
        rates[entry.name, entry.threads, entry.batch] = rate
        row |= {key: result.answer[key] for key in ("version", "steps", "spikes_out", "note")}
        row |= {"sops": done, **timing.to_json(), "per_inference_s": timing.best / entry.batch}
        row |= {"sops_per_s": rate["min"], "differing": result.differing, "compared": result.compared}
        same = rates.get(("spikeport", entry.threads, entry.batch))
        if same and entry.name != "spikeport":
            row["ratio"] = {key: same[key] / rate[key] for key in rate}
    return rows
