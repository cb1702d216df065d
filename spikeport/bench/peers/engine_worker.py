"""Times spikeport's own engine as the competitors are timed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

import spikeport
from spikeport.bench import engine
from spikeport.bench.peers.protocol import Job, Ran, serve
from spikeport.program_file import load_program


@contextmanager
def prepare(job: Job) -> Iterator[Callable[[], Ran]]:
    program = load_program(job.folder / "program.h5")
    x = {program.inputs[0].name: job.x.astype(np.int64)}
    simulated = engine.prepare(program, threads=job.threads)
    yield lambda: Ran(simulated(x))


if __name__ == "__main__":
    serve("spikeport", lambda: spikeport.__version__, prepare, reusable=True, note=f"engine: {engine.engines()[0]}")
