"""Repeated timing: minimum and median of runs whose start-up is done."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

CAP = 2000  # repeats of one run; more add nothing


@dataclass(frozen=True)
class Timing:
    """Seconds of each repeat."""

    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return median(self.seconds)

    def to_json(self) -> dict[str, Any]:
        return {"min_s": self.best, "median_s": self.median, "repeats": len(self.seconds)}


def interleave(runs: Mapping[str, Callable[[], Any]], *, repeats: int = 5, seconds: float = 0.3) -> dict[str, Timing]:
    """Times all runs in turn, A B A B, after one round that does not count.

    Args:
        repeats: Rounds at least.
        seconds: Rounds go on until each run has been measured for so long.
    """
    for run in runs.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in runs}
    while len(next(iter(taken.values()))) < CAP:
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - start)
        if all(len(t) >= repeats and sum(t) >= seconds for t in taken.values()):
            break
    return {name: Timing(tuple(t)) for name, t in taken.items()}


def measure(run: Callable[[], Any], *, repeats: int = 5, seconds: float = 0.3) -> Timing:
    """As `interleave`, for one run."""
    return interleave({"": run}, repeats=repeats, seconds=seconds)[""]
