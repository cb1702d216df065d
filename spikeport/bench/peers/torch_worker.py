"""Times the dense integers of `torch_dense.py` in spikeport's own environment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from spikeport.bench.peers.protocol import Job, Ran, serve
from spikeport.program_file import load_program


def version() -> str:
    import torch

    return str(torch.__version__)


@contextmanager
def prepare(job: Job) -> Iterator[Callable[[], Ran]]:
    from spikeport.bench.torch_dense import TorchDense

    program = load_program(job.folder / "program.h5")
    x = {program.inputs[0].name: job.x.astype(np.int64)}
    dense = TorchDense(program, job.threads)
    yield lambda: Ran(dense(x))


if __name__ == "__main__":
    serve("torch", version, prepare, reusable=True, note="dense float32 products, exact below 2^24")
