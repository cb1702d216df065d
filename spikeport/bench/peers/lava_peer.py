"""Times Lava's runtime (fixed_pt) on any Program, with the code and environment of `deploy/workers/lava_worker.py`.

Lava starts a process per layer and connection; with one thread they all share a core. The first step compiles
the network and starts the processes, so it is not timed.
"""

import importlib.metadata
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "deploy" / "workers"))
import lava_classes  # noqa: E402
from lava_runtime import run_runtime  # noqa: E402
from program_parts import read_program  # noqa: E402
from protocol import Job, Ran, serve  # noqa: E402


@contextmanager
def prepare(job: Job) -> Iterator[Callable[[], Ran]]:
    lava = lava_classes.LAVA
    if not vars(lava):
        lava_classes.load_lava()
    program = read_program(str(job.folder / "program.h5"))
    (entry,) = program.inputs
    x = {entry.name: job.x[:, 0].reshape(-1, *entry.shape)}
    whole_run = lava.AbstractProcess.run
    elapsed = []

    def timed_run(self: Any, condition: Any, run_cfg: Any) -> None:
        whole_run(self, lava.RunSteps(num_steps=1), run_cfg)
        start = time.perf_counter()
        whole_run(self, lava.RunSteps(num_steps=job.steps - 1), run_cfg)
        elapsed.append(time.perf_counter() - start)

    def run() -> Ran:
        trace = run_runtime(program, x, job.steps)
        spikes = np.asarray(trace[f"{program.groups[-1].name}/s"])
        return Ran(spikes.reshape(job.steps, 1, -1), share=(job.steps - 1) / job.steps, seconds=elapsed.pop())

    lava.AbstractProcess.run = timed_run
    try:
        yield run
    finally:
        lava.AbstractProcess.run = whole_run


if __name__ == "__main__":
    serve("lava", lambda: importlib.metadata.version("lava-nc"), prepare, note="one sample at a time")
