"""`spikeport bench sim`: everything in one run, as one dictionary."""

import os
import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from spikeport.bench.activity import RATES, activity
from spikeport.bench.cases import CASES, Case, with_program
from spikeport.bench.compare import PEERS, compare
from spikeport.bench.cost import cost, start_up
from spikeport.bench.engine import engines
from spikeport.bench.roofline import roofline
from spikeport.bench.scale import scale
from spikeport.errors import UnknownName
from spikeport.program import IntArray, Program
from spikeport.sim.simulate import check_inputs

Given: TypeAlias = tuple[Program, IntArray | None]
"""A Program, and its input `(T, B, *shape)`; one that fits is drawn if None."""

SCHEMA = "spikeport-bench-sim/1"
PARTS = ("compare", "activity", "roofline", "cost", "startup", "scale")


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    steps: Mapping[str, int]
    batch: int = 64
    rounds: int = 2
    repeats: int = 3
    seconds: float = 0.3
    rates: Sequence[float] = RATES
    max_sops: float = 1e9
    neurons: float = 10.5e6


FULL = Sizes(steps={"mlp": 100, "mnist": 64, "pilotnet": 16})
QUICK = Sizes(
    steps={"mlp": 4, "mnist": 2, "pilotnet": 1},
    batch=2,
    rounds=1,
    repeats=1,
    seconds=0.0,
    rates=(0.05, 0.5),
    max_sops=4e6,
    neurons=1e4,
)


def bench_sim(
    *,
    cases: Collection[str] = tuple(CASES),
    peers: Collection[str] = tuple(PEERS),
    parts: Collection[str] = PARTS,
    nets: Mapping[str, Given] | None = None,
    sizes: Sizes = FULL,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Measures the chosen parts.

    Args:
        nets: Programs that take the place of the built-in ones of these names, and their inputs.

    Raises:
        InputError: an unknown name.
    """
    for what, names, known in (("case", cases, CASES), ("peer", peers, PEERS), ("part", parts, PARTS)):
        if unknown := sorted(set(names) - set(known)):
            raise UnknownName("bench", what, got=", ".join(unknown), relation="is not one of", limit=", ".join(known))
    timed: dict[str, Any] = {"repeats": sizes.repeats, "seconds": sizes.seconds}
    found: dict[str, Any] = {"schema": SCHEMA, "machine": machine(), "engine": engines()[0]}
    if "compare" in parts:
        found["compare"] = []
        for name in cases:
            case = build(name, sizes, *(nets or {}).get(name, ()))
            batch = min(sizes.batch, case.spikes.shape[1])
            found["compare"] += compare(case, list(peers), batch=batch, rounds=sizes.rounds, tell=tell, **timed)
    if "activity" in parts:
        tell("activity")
        steps = sizes.steps["mlp"]
        found["activity"] = activity(rates=sizes.rates, steps=steps, batch=sizes.batch, **timed)
    if "roofline" in parts:
        tell("roofline")
        found["roofline"] = roofline(steps=sizes.steps["mlp"], **timed)
    if "cost" in parts:
        found["cost"] = cost(max_sops=sizes.max_sops, tell=tell, **timed)
    if "startup" in parts:
        tell("start-up")
        found["startup"] = start_up(max(1, sizes.repeats))
    if "scale" in parts:
        tell("scale")
        found["scale"] = scale(sizes.neurons, steps=8)
    found["machine"]["load after"] = _load()
    return found


def build(name: str, sizes: Sizes, program: Program | None = None, spikes: IntArray | None = None) -> Case:
    """A case; convolutions get a sixteenth of the batch."""
    if program is not None and spikes is not None:
        (x,) = check_inputs(program, spikes).values()
        return Case(name, program, x.reshape(spikes.shape))
    batch = max(1, sizes.batch // 16) if name == "pilotnet" else sizes.batch
    case = CASES[name](steps=sizes.steps[name], batch=batch)
    return with_program(case, program, name) if program else case


def machine() -> dict[str, str]:
    names = [line for line in _cpuinfo() if line.startswith("model name")]
    cpu = names[0].partition(":")[2].strip() if names else platform.processor()
    versions = {name: version(name) for name in ("numpy", "numba")}
    return {
        "cpu": cpu,
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        **versions,
        "load before": _load(),
    }


def _load() -> str:
    """Processes that wanted a core in the last minute; above the number of cores others have disturbed the times."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
