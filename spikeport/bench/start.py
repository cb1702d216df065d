"""What it costs to start: the interpreter alone, numpy, spikeport and its help, in turn."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from spikeport.progress import counted

BARE, NUMPY = "python -c pass", "import numpy"
WAYS: Mapping[str, Sequence[str]] = {
    BARE: ("-c", "pass"),
    NUMPY: ("-c", "import numpy"),
    "import spikeport": ("-c", "import spikeport"),
    "spikeport.Program": ("-c", "from spikeport import Program"),
    "spikeport --help": ("-m", "spikeport", "--help"),
}
BUDGET_S: Mapping[str, float] = {"import spikeport": 0.3, "spikeport --help": 0.5}
"""Wall time that a start may take on a machine with nothing else to do."""


@dataclass(frozen=True)
class Start:
    """One process, from its start to its end: seconds on the clock, and on the processor (user and system)."""

    wall_s: float
    cpu_s: float


def bench_start(rounds: int) -> list[dict[str, Any]]:
    """One row for each of `WAYS`, which take turns; a first round, which fills the caches, does not count.

    Ratios are those of the least processor time, which other work on the machine disturbs less than the clock.
    """
    found: dict[str, list[Start]] = {way: [] for way in WAYS}
    for k in counted(range(rounds + 1), "starting", "rounds"):
        for way, arguments in WAYS.items():
            start = started(arguments)
            if k > 0:
                found[way].append(start)
    least = {way: min(start.cpu_s for start in starts) for way, starts in found.items()}
    return [
        {
            "start": way,
            "wall_s": min(start.wall_s for start in starts),
            "median_wall_s": median(start.wall_s for start in starts),
            "cpu_s": least[way],
            "to_python": least[way] / least[BARE],
            "to_numpy": least[way] / least[NUMPY],
            "budget_s": BUDGET_S.get(way),
        }
        for way, starts in found.items()
    ]


def started(arguments: Sequence[str]) -> Start:
    """Runs this interpreter with these arguments to its end.

    Raises:
        CalledProcessError: it ended with another status than 0.
    """
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return Start(wall_s, used.ru_utime + used.ru_stime)
