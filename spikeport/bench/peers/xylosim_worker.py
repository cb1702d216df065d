# /// script
# requires-python = ">=3.10,<3.13"
# dependencies = ["xylosim==0.1.3", "pybind11==2.13.6", "numpy==1.26.4"]
# ///
"""Times XyloSim on a chain of two dense layers; halved weights, since Xylo's have 8 bits with the sign."""

import importlib.metadata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from protocol import Job, Ran, padded, serve

NOTE = "other neurons (shift decay, several spikes a step, subtracting reset), so SOPs are of its own spikes; \
a Xylo chip itself ends at 16-1000-8"
DASH = 3  # decay by an eighth, as dv = 512
DASH_SYN = 1  # the shortest: with 0 the current is gone before the neuron sees it


@contextmanager
def prepare(job: Job) -> Iterator[Callable[[], Ran]]:
    from xylosim.v2 import XyloLayer, XyloSynapse

    if len(job.layers) != 2:
        raise SystemExit("XyloSim holds two layers")
    hidden, out = job.layers
    n_hidden, n_out = hidden.weight.shape[0], out.weight.shape[0]

    def synapses(weight: Any) -> list[list[Any]]:
        return [[XyloSynapse(i, 0, int(w)) for i, w in enumerate(column)] for column in (weight >> 1).T]

    kept = synapses(hidden.weight), synapses(out.weight)  # the simulator holds bare pointers to them
    layer = XyloLayer(
        synapses_in=kept[0],
        synapses_rec=[[] for _ in range(n_hidden)],
        synapses_out=kept[1],
        aliases=[[] for _ in range(n_hidden)],
        threshold=[hidden.vth >> 1] * n_hidden,
        threshold_out=[out.vth >> 1] * n_out,
        has_bias=False,
        bias=[0] * n_hidden,
        bias_out=[0] * n_out,
        weight_shift_inp=0,
        weight_shift_rec=0,
        weight_shift_out=0,
        dash_mem=[DASH] * n_hidden,
        dash_mem_out=[DASH] * n_out,
        dash_syns=[[DASH_SYN]] * n_hidden,
        dash_syns_out=[[DASH_SYN]] * n_out,
        name="net",
    )
    x = padded(job).astype(int).tolist()

    def run() -> Ran:
        layer.reset_all()
        spikes = np.array(layer.evolve(x), np.uint8)
        inner = np.array(layer.rec_recurrent_spikes, np.int64)
        return Ran(spikes[:, None], sops=int(job.x[:, 0].sum()) * n_hidden + int(inner.sum()) * n_out)

    yield run


if __name__ == "__main__":
    serve("xylosim", lambda: importlib.metadata.version("xylosim"), prepare, reusable=True, note=NOTE)
