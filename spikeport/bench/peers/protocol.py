"""What every worker does around its run: read the case, keep to its threads, time the repeats, print one JSON line.

The case is a folder: `program.h5`, the Program; `case.npz`, with `x` `(T, B, n)`, `latency` and `layers`.
If the Program is a chain of dense layers on spikes, layer k has `w<k>` `(n_out, n_in)` and `p<k>`:
weight_exp, du, dv, vth.
The spikes of the output go into the same folder, `NAME.npz`, `(T + latency, batch, n)` in hardware time.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass
class Layer:
    """A dense layer of a chain; the integers of the Program."""

    weight: Any
    weight_exp: int
    du: int
    dv: int
    vth: int


@dataclass
class Job:
    """What a worker is to run."""

    folder: Path
    x: Any
    """`(T, batch, n)`."""
    latency: int
    layers: list[Layer]
    """Empty if the Program is no chain of dense layers."""
    threads: int

    @property
    def steps(self) -> int:
        return len(self.x) + self.latency


@dataclass
class Ran:
    """What a run gave."""

    spikes: Any
    """`(steps, batch, n_out)`, hardware time."""
    sops: int | None = None
    """Synaptic operations, where the simulator's own spikes differ from ours by design."""
    share: float = 1.0
    """Part of the inference that was timed."""
    seconds: float | None = None
    """The simulator's own clock, where a call cannot be had without start-up."""


Prepared = Callable[[Job], AbstractContextManager[Callable[[], Ran]]]
"""Builds the network, outside the clock; the function it yields is timed and may be called once."""


def serve(name: str, version: Callable[[], str], prepare: Prepared, *, reusable: bool = False, note: str = "") -> None:
    """The whole worker.

    Args:
        version: Called after the first run.
        reusable: What `prepare` yields may be called again; it is built once and warmed up once.
    """
    parser = argparse.ArgumentParser(description=f"Times {name} on a case of spikeport's benchmark.")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="go on until so much was timed")
    parser.add_argument("--check", action="store_true", help="print the interpreter as JSON, and stop")
    args = parser.parse_args()
    if args.check:
        print(json.dumps({"executable": sys.executable}))
        return
    job = _read(args.folder, args.batch, args.threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-args.threads :])
    taken: list[float] = []
    with _runs(prepare, job, reusable) as runs:
        for run in runs:
            start = time.perf_counter()
            ran = run()
            elapsed = time.perf_counter() - start
            taken.append((elapsed if ran.seconds is None else ran.seconds) / ran.share)
            if len(taken) >= args.repeats and sum(taken) >= args.seconds or len(taken) == 2000:
                break
    np.savez(args.folder / f"{name}.npz", spikes=np.asarray(ran.spikes, np.uint8))
    answer = {"name": name, "version": version(), "steps": job.steps, "batch": args.batch, "threads": args.threads}
    print(json.dumps({**answer, "seconds": taken, "sops": ran.sops, "spikes_out": int(ran.spikes.sum()), "note": note}))


@contextmanager
def _runs(prepare: Prepared, job: Job, reusable: bool) -> Iterator[Iterator[Callable[[], Ran]]]:
    def fresh() -> Iterator[Callable[[], Ran]]:
        while True:
            with prepare(job) as run:
                yield run

    def again(run: Callable[[], Ran]) -> Iterator[Callable[[], Ran]]:
        while True:
            yield run

    if not reusable:
        yield fresh()
        return
    with prepare(job) as run:
        run()
        yield again(run)


def _read(folder: Path, batch: int, threads: int) -> Job:
    with np.load(folder / "case.npz") as file:
        x = file["x"]
        layers = [
            Layer(file[f"w{k}"].astype(np.int32), *(int(p) for p in file[f"p{k}"])) for k in range(int(file["layers"]))
        ]
        latency = int(file["latency"])
    return Job(folder, x[:, np.arange(batch) % x.shape[1]], latency, layers, threads)


def padded(job: Job, sample: int = 0) -> Any:
    """`(steps, n)` spikes of one sample, silent after its end."""
    x = job.x[:, sample]
    return np.concatenate([x, np.zeros((job.latency, x.shape[1]), x.dtype)])
