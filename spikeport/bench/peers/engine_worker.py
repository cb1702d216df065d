"""Times spikeport's own engine as the competitors are timed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import spikeport
from spikeport.bench import engine
from spikeport.bench.peers.protocol import Job, Ran, serve
from spikeport.program_file import load_program
from spikeport.sim.simulate import check_inputs


@contextmanager
def prepare(job: Job) -> Iterator[Callable[[], Ran]]:
    program = load_program(job.folder / "program.h5")
    x = check_inputs(program, job.x.reshape(*job.x.shape[:2], *program.inputs[0].shape))
    simulated = engine.prepare(program, threads=job.threads)
    yield lambda: Ran(simulated(x))


if __name__ == "__main__":
    serve("spikeport", lambda: spikeport.__version__, prepare, reusable=True, note=f"engine: {engine.engines()[0]}")
