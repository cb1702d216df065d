"""What more processes bring to `spikeport score`: samples per second, CPU time, memory, and that nothing changes.

Each run is the command itself, in processes of its own, on a folder of images; the contenders take turns. The rates are
the command's own, from its first shard on; what it takes to start (interpreter, torch, meeting) is told beside them.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import spikeport
from spikeport.bench.cases import Case, mnist, pilotnet
from spikeport.bench.sim import machine
from spikeport.errors import WorkerError
from spikeport.program_file import save_program
from spikeport.progress import counted

SCHEMA = "spikeport-bench-score/1"
CASES: dict[str, Callable[..., Case]] = {"mnist": mnist, "pilotnet": pilotnet}
CONTENDERS = {"1 process": (1, 1), "1 process, 2 threads": (1, 2), "2 processes": (2, 1)}
"""Processes, and threads of each."""


@dataclass(frozen=True)
class Sizes:
    """Samples of each case, and how often."""

    samples: Mapping[str, int]
    shard: int
    rounds: int


FULL = Sizes({"mnist": 2000, "pilotnet": 400}, shard=50, rounds=3)
QUICK = Sizes({"mnist": 8}, shard=2, rounds=1)


def bench_score(sizes: Sizes = FULL, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """One point for each case and contender."""
    points = []
    with tempfile.TemporaryDirectory() as folder:
        for name, samples in sizes.samples.items():
            tell(f"{name}: {samples:,} samples, {sizes.rounds} rounds")
            points += _case(Path(folder) / name, CASES[name](), samples, sizes)
    shown = {"shard": sizes.shard, "rounds": sizes.rounds, "points": points}
    return {"schema": SCHEMA, "machine": machine(), **shown}


def _case(folder: Path, case: Case, samples: int, sizes: Sizes) -> list[dict[str, Any]]:
    (folder / "data").mkdir(parents=True)
    output = replace(case.program.outputs[0], classes=10)
    save_program(replace(case.program, outputs=(output,)), folder / "net.h5")
    images = case.spikes[0].astype(np.int16)
    chosen = np.arange(samples) % len(images)
    np.save(folder / "data" / "spikes.npy", images[chosen])
    np.save(folder / "data" / "labels.npy", chosen % 10)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    turns = [(number, name) for number in range(sizes.rounds) for name in CONTENDERS]
    for number, name in counted(turns, case.name, "runs"):
        processes, threads = CONTENDERS[name]
        options = ["--steps", len(case.spikes), "--shard", sizes.shard]
        options += ["--processes", processes, "--threads", threads]
        runs[name].append(_run(folder, folder / f"{number} {name}", options))
    return _points(case.name, samples, runs)


def _run(folder: Path, out: Path, options: Sequence[object]) -> dict[str, Any]:
    """One command; raises WorkerError with what it said if it failed."""
    arguments = ["score", folder / "net.h5", "--data", folder / "data", "-o", out, *options, "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(spikeport.__file__).parents[1])}
    begun = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "spikeport", *map(str, arguments)], capture_output=True, text=True, env=environment
    )
    seconds = time.monotonic() - begun
    if ran.returncode:
        raise WorkerError(
            "spikeport score", "failed", got=ran.stderr[-300:], relation="with exit code", limit=ran.returncode
        )
    found = json.loads(ran.stdout)
    return {**found["run"], "wall_s": seconds, "results": found["results"]}


def _points(case: str, samples: int, runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The best of each contender; `speedup` and `equal` are against the first one."""
    first = next(iter(runs.values()))
    alone = max(run["samples_per_s"] for run in first)
    cpu_alone = min(run["cpu_s"] for run in first)
    return [
        {
            "case": case,
            "contender": name,
            "samples": samples,
            "samples_per_s": max(run["samples_per_s"] for run in found),
            "speedup": max(run["samples_per_s"] for run in found) / alone,
            "cpu_ms": 1000 * min(run["cpu_s"] for run in found) / samples,
            "cpu_ratio": min(run["cpu_s"] for run in found) / cpu_alone,
            "start_s": min(run["wall_s"] - run["seconds"] for run in found),
            "peak_bytes": max(run["peak_bytes"] for run in found),
            "shard_bytes": found[0]["shard_bytes"],
            "equal": all(run["results"] == first[0]["results"] for run in found),
        }
        for name, found in runs.items()
    ]
