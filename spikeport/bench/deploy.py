"""What it costs to compile and to check a network: `spikeport compile` and `check` on a ResNet-19 of growing width.

Each run is a process of its own, from the NIR file to the Program's file, start of the interpreter included, without
calibration; time and peak memory are those that the system has counted for it and for the child that reads the file.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

import nir
import numpy as np

import spikeport
from spikeport.bench.resnet19 import resnet19
from spikeport.bench.sim import machine
from spikeport.errors import WorkerError
from spikeport.program_file import load_program
from spikeport.progress import counted
from spikeport.sim.counting.fanout import synapses

SCHEMA = "spikeport-bench-deploy/1"
OPTIONS = ("--steps", "4", "--input-kind", "bias")
COMMANDS = ("compile", "check")
ABOVE = 0.2
"""A point counts for an exponent if it costs so much more than the smallest network, relative to that."""


@dataclass(frozen=True)
class Sizes:
    """Which networks, how often; the first is the overhead of having a network at all."""

    widths: Sequence[float] = (1 / 64, 2**-2, 2**-1.5, 2**-1, 2**-0.5, 1.0, 2**0.5)
    side: int = 32
    repeats: int = 3


FULL = Sizes()
QUICK = Sizes(widths=(1 / 64, 1 / 16, 1 / 8), side=8, repeats=1)


def bench_deploy(sizes: Sizes = FULL, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """The points, and for each command the exponents of CPU time and of peak memory against synapses."""
    points = []
    with tempfile.TemporaryDirectory() as folder:
        for width in counted(sizes.widths, "compiling and checking", "networks"):
            tell(f"ResNet-19 of width {width:.3g}")
            points.append(_point(Path(folder), width, sizes))
    exponents = {
        command: {what: exponent(points, command, what) for what in ("cpu_s", "peak_bytes")} for command in COMMANDS
    }
    found = {"schema": SCHEMA, "machine": machine(), "options": list(OPTIONS)}
    return {**found, "side": sizes.side, "points": points, "exponents": exponents}


def exponent(points: Sequence[Mapping[str, Any]], command: str, what: str) -> float | None:
    """Slope of log(cost - overhead) over log(synapses); None if fewer than three points are above the overhead."""
    overhead = points[0][command][what]
    above = [p for p in points[1:] if p[command][what] >= (1 + ABOVE) * overhead]
    if len(above) < 3:
        return None
    work, costs = [log(p["synapses"]) for p in above], [log(p[command][what] - overhead) for p in above]
    return float(np.polyfit(work, costs, 1)[0])


def _point(folder: Path, width: float, sizes: Sizes) -> dict[str, Any]:
    """Sizes of one network, and the least cost of each command."""
    net, program = folder / "net.nir", folder / "net.h5"
    nir.write(net, resnet19(width, sizes.side))
    arguments = {"compile": [str(net), "-o", str(program), "--anyway"], "check": [str(net)]}
    runs: dict[str, list[dict[str, float]]] = {command: [] for command in COMMANDS}
    for _ in range(sizes.repeats):
        for command in COMMANDS:
            runs[command].append(run([command, *arguments[command], *OPTIONS]))
    costs = {c: {what: min(r[what] for r in found) for what in found[0]} for c, found in runs.items()}
    return {"width": width, "file_bytes": net.stat().st_size, **_size(program), **costs}


def run(arguments: Sequence[str]) -> dict[str, float]:
    """Runs a command of spikeport in a process of its own: seconds of wall and CPU, and peak memory.

    Raises:
        WorkerError: it ended in an error; a network that does not fit is none.
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(spikeport.__file__).parents[1])}
    command = [sys.executable, "-m", "spikeport", *arguments, "--json"]
    with tempfile.TemporaryFile() as said:
        clock = os.times().elapsed
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        seconds = os.times().elapsed - clock
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        errors = said.read().decode(errors="replace").strip()
        code = process.returncode
        if code not in (0, 1) or code and errors:
            raise WorkerError(
                f"spikeport {arguments[0]}", "failed", got=errors[-300:], relation="with exit code", limit=code
            )
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"seconds": seconds, "cpu_s": used.ru_utime + used.ru_stime, "peak_bytes": peak}


def _size(path: Path) -> dict[str, int]:
    program = load_program(path)
    layers = [*program.connections, *(e.synapses for e in program.encoders)]
    return {
        "neurons": sum(group.size for group in program.groups),
        "weights": sum(c.weight.size for c in layers),
        "synapses": sum(synapses(c, program.shape_of(c.source)) for c in layers),
    }
