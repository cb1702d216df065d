"""Time against work: does it grow as the synaptic operations do, and what does a run cost that does nothing."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np

import spikeport
from spikeport.bench.cases import SEED, Case, bernoulli, delivered, mlp
from spikeport.bench.engine import prepare
from spikeport.bench.timing import Timing, measure
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim.simulate import simulate

WIDTH = 128  # of a layer of the deep nets: the weights of all 64 take a megabyte, and stay in most L2 caches
ABOVE = 3.0  # a point counts for an exponent if its time is so many times the overhead

Point = tuple[int, Case, int]  # what is varied, the case, its batch


def cost(*, max_sops: float, repeats: int, seconds: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """For steps, batch and depth: the points `(x, sops, seconds)` and the exponent of time against work."""
    silent = mlp(steps=1, batch=1, rate=0.0)
    overhead = measure(_run(silent, 1), repeats=repeats, seconds=seconds)
    found: dict[str, Any] = {"overhead_s": overhead.best, "overhead_is": "one input step of 784-800-10 without a spike"}
    for name, series in {"steps": _steps(max_sops), "batch": _batch(max_sops), "depth": _depth(max_sops)}.items():
        tell(f"cost against {name}")
        points = [_point(*point, repeats, seconds) for point in series]
        found[name] = {"points": points, "exponent": exponent(points, overhead.best)}
    return found


def exponent(points: Sequence[dict[str, Any]], overhead_s: float) -> float | None:
    """Slope of log(time - overhead) over log(sops), above the overhead; None if fewer than three points are."""
    above = [p for p in points if p["min_s"] >= ABOVE * overhead_s]
    if len(above) < 3:
        return None
    work, times = [log(p["sops"]) for p in above], [log(p["min_s"] - overhead_s) for p in above]
    return float(np.polyfit(work, times, 1)[0])


def start_up(repeats: int = 3) -> dict[str, Any]:
    """Seconds from starting the interpreter to the first result of a small net, compiled code in the cache."""
    code = (
        "import numpy as np; from spikeport.bench.cases import mlp; from spikeport.bench.engine import prepare; "
        "c = mlp(steps=2, batch=1); print(int(prepare(c.program)(c.inputs(1)).sum()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(spikeport.__file__).parents[1])}

    def run() -> None:
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)

    return measure(run, repeats=repeats, seconds=0.0).to_json()


def _steps(max_sops: float) -> Iterator[Point]:
    per_step = 784 * 800 // 10
    steps = 2
    while steps * per_step <= max_sops:
        yield steps, mlp(steps=steps, batch=1), 1
        steps *= 4


def _batch(max_sops: float) -> Iterator[Point]:
    case = mlp(steps=20, batch=64)
    batch = 1
    while batch * 20 * 784 * 800 // 10 <= max_sops and batch <= 256:
        yield batch, case, batch
        batch *= 4


def _depth(max_sops: float) -> Iterator[Point]:
    depth = 1
    while depth * 100 * WIDTH * WIDTH // 10 <= max_sops and depth <= 64:
        yield depth, _deep(depth), 1
        depth *= 2


def _deep(depth: int) -> Case:
    """Square layers whose neurons fire about every tenth step by their own bias, so that depth changes no rate."""
    rng = np.random.default_rng(SEED)
    names = ["x", *(f"lif{k}" for k in range(1, depth + 1))]
    groups, connections = [], []
    for source, name in zip(names, names[1:], strict=False):
        groups.append(LIF(name, (WIDTH,), du=4095, dv=0, vth=100, bias_mant=rng.integers(450, 1000, WIDTH)))
        connections.append(Dense(source, name, 2 * rng.integers(-1, 2, (WIDTH, WIDTH))))
    entry, output = Input("x", (WIDTH,), "spike"), Output("y", names[-1])
    program = Program(tuple(groups), tuple(connections), (entry,), (output,))
    return Case("deep", program, bernoulli(rng, 0.1, (100, 1, WIDTH)))


def _run(case: Case, batch: int) -> Callable[[], Any]:
    run, x = prepare(case.program), case.inputs(batch)
    return lambda: run(x)


def _point(x: int, case: Case, batch: int, repeats: int, seconds: float) -> dict[str, Any]:
    one = replace(case, spikes=case.spikes[:, np.arange(batch) % case.spikes.shape[1]])
    timing: Timing = measure(_run(one, batch), repeats=repeats, seconds=seconds)
    return {"x": x, "sops": delivered(one.program, simulate(one.program, one.spikes).sent), **timing.to_json()}
