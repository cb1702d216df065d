"""One of two processes that share a batch; `test_sync.py` runs both, and holds what they write to the whole batch.

python -m tests.train.fused.halves RANK FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, distributed

from spikeport.train.dynamics import Dynamics, Surrogate
from spikeport.train.fused import Current, cpu, moments_of, reference

STEPS, BATCH, PARTS = 3, 5, (slice(0, 3), slice(3, 5))
DYNAMICS = Dynamics(Surrogate("atan"), "subtract", detach_reset=False)
WAYS = {"cpu": cpu.fire, "reference": reference.fire}


def gradients(way: str, part: slice, constant: bool, sync: bool) -> dict[str, Tensor]:
    """Moments, spikes and gradients of two currents, for a part of the batch."""
    torch.manual_seed(7)
    rows = 1 if constant else STEPS
    wholes = [torch.randn(rows, BATCH, 4, 3, 2, dtype=torch.float64) for _ in range(2)]
    weights = torch.randn(STEPS, BATCH, 4, 3, 2, dtype=torch.float64)[:, part].flatten(0, 1)
    leaves = [x[:, part].flatten(0, 1).requires_grad_() for x in wholes]
    leaves += [torch.rand(4, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    leaves += [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in (0.6, 0.2)]
    x, x_2, scale, scale_2, offset, keep, threshold = leaves
    moments, var, n = moments_of(x, 1e-3, sync)
    moments_2, _, _ = moments_of(x_2, 1e-3, sync)
    currents = [Current(x, scale, moments), Current(x_2, scale_2, moments_2)]
    spikes = WAYS[way](currents, offset, keep, threshold, STEPS, DYNAMICS, constant=constant)
    names = ["x", "x_2", "scale", "scale_2", "offset", "keep", "threshold"]
    grads = dict(zip(names, torch.autograd.grad(spikes, leaves, weights), strict=True))
    return {"mean": moments.mean, "var": var, "n": torch.tensor(n), "spikes": spikes.detach(), **grads}


def main(rank: int, folder: Path) -> None:
    """Writes the results of both ways, with and without a current constant in time, to one file."""
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    found = {
        f"{way} {constant} {name}": value.numpy()
        for way in WAYS
        for constant in (False, True)
        for name, value in gradients(way, PARTS[rank], constant, sync=True).items()
    }
    np.savez(folder / f"{rank}.npz", **found)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
