# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["thrindex==0.5.0", "torch==2.13.0", "numpy==2.4.6"]
# ///
"""Times thrindex's Rust simulator by its own clock, since each call also reads the network's file anew."""

import importlib.metadata
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from protocol import Job, Ran, serve

NOTE = "float32, no rounding of decays; the simulator's own clock"


@contextmanager
def prepare(job: Job) -> Iterator[Callable[[], Ran]]:
    warnings.simplefilter("ignore")
    import torch
    from thrindex import compile, snn
    from thrindex._core import run_sim

    parts = []
    for layer in job.layers:
        n_out, n_in = layer.weight.shape
        dense = snn.Dense(n_in, n_out, bias=False)
        dense.linear.weight.data = torch.tensor(layer.weight << layer.weight_exp, dtype=torch.float32)
        tau = -1 / math.log(1 - layer.dv / 4096)
        parts += [dense, snn.LIF(threshold=float(layer.vth), tau_mem=tau, reset="zero")]
    path = job.folder / "net.thx"
    compile(snn.Sequential(*parts), path)
    x = job.x.transpose(1, 0, 2).astype(float).tolist()

    def run() -> Ran:
        out, stats, _ = run_sim(str(path), x, job.threads, 0)
        spikes = np.zeros((job.steps, len(x), len(out[0][0])), np.uint8)
        spikes[job.latency :] = np.array(out).transpose(1, 0, 2)  # its layers take no step each
        return Ran(spikes, sops=int(stats["synaptic_ops"]), seconds=float(stats["wall_secs"]))

    yield run


if __name__ == "__main__":
    serve("thrindex", lambda: importlib.metadata.version("thrindex"), prepare, reusable=True, note=NOTE)
