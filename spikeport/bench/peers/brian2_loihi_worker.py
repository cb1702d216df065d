# /// script
# requires-python = ">=3.10,<3.13"
# dependencies = [
#     "brian2-loihi==0.5.2",
#     "brian2==2.7.1",
#     "cython==3.0.11",
#     "numpy==1.26.4",
#     "setuptools==75.6.0",
#     "sympy==1.13.3",
# ]
# ///
"""Times brian2-loihi with Brian's compiled runtime (Cython)."""

import importlib.metadata
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from protocol import Job, Ran, serve


@contextmanager
def prepare(job: Job) -> Iterator[Callable[[], Ran]]:
    from brian2_loihi import (
        LoihiNetwork,
        LoihiNeuronGroup,
        LoihiSpikeGeneratorGroup,
        LoihiSpikeMonitor,
        LoihiSynapses,
        synapse_sign_mode,
    )

    # A generator's spike arrives in its own step, Loihi's one step later; and the first step compiles.
    times, indices = np.nonzero(job.x[:, 0])
    source = LoihiSpikeGeneratorGroup(job.x.shape[2], indices, times + 1)
    parts = [source]
    for layer in job.layers:
        n_out, n_in = layer.weight.shape
        group = LoihiNeuronGroup(n_out, threshold_v_mant=layer.vth, decay_v=layer.dv, decay_I=layer.du + 1)
        link = LoihiSynapses(source, group, w_exp=layer.weight_exp, sign_mode=synapse_sign_mode.MIXED)
        link.connect()
        link.w = layer.weight.T.reshape(-1)  # sorted by source, then target
        parts += [group, link]
        source = group
    monitor = LoihiSpikeMonitor(source)
    net = LoihiNetwork(*parts, monitor)
    net.run(1)

    def run() -> Ran:
        net.run(job.steps - 1)
        spikes = np.zeros((job.steps, 1, job.layers[-1].weight.shape[0]), np.uint8)
        spikes[np.rint(np.asarray(monitor.t_) * 1000).astype(int), 0, np.asarray(monitor.i)] = 1
        return Ran(spikes, share=(job.steps - 1) / job.steps)

    yield run


if __name__ == "__main__":
    serve("brian2_loihi", lambda: importlib.metadata.version("brian2-loihi"), prepare, note="one sample at a time")
