"""Times the dense integers of `torch_dense.py` in spikeport's own environment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from spikeport.bench.peers.protocol import Job, Ran, serve
from spikeport.program_file import load_program
from spikeport.sim.simulate import check_inputs


def version() -> str:
    import torch

    return str(torch.__version__)


@contextmanager
def prepare(job: Job) -> Iterator[Callable[[], Ran]]:
    from spikeport.bench.torch_dense import TorchDense

    program = load_program(job.folder / "program.h5")
    x = check_inputs(program, job.x.reshape(*job.x.shape[:2], *program.inputs[0].shape))
    dense = TorchDense(program, job.threads)
    yield lambda: Ran(dense(x))


if __name__ == "__main__":
    serve("torch", version, prepare, reusable=True, note="dense float32 products, exact below 2^24")
