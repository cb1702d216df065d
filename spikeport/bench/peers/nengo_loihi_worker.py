# /// script
# requires-python = ">=3.10,<3.13"
# dependencies = ["nengo-loihi==1.1.0", "nengo==3.2.0", "numpy==1.26.4", "scipy==1.14.1"]
# ///
"""Times nengo-loihi's emulator; the integers are set as they are, without its own discretisation."""

import importlib.metadata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
from protocol import Job, Layer, Ran, padded, serve

V_MAX = 2**23 - 1


def block_of(layer: Layer) -> Any:
    from nengo_loihi.block import LoihiBlock, Synapse

    n_out, n_in = layer.weight.shape
    block = LoihiBlock(n_out)
    whole = {"decay_u": layer.du, "decay_v": layer.dv, "vth": layer.vth << 6, "bias": 0, "refract_delay": 1}
    for name, value in whole.items():
        setattr(block.compartment, name, np.full(n_out, value, np.int32))
    block.compartment.vmin, block.compartment.vmax = -V_MAX, V_MAX
    block.compartment.scale_u = block.compartment.scale_v = False
    synapse = Synapse(n_in)
    synapse.set_weights(layer.weight.T.astype(np.float32))
    synapse.weights = list((layer.weight.T << (6 + layer.weight_exp)).astype(np.int32)[:, None, :])
    block.add_synapse(synapse)
    return block


def axon_to(block: Any) -> Any:
    from nengo_loihi.block import Axon

    axon = Axon(block.synapses[0].n_axons)
    axon.target = block.synapses[0]
    return axon


@contextmanager
def prepare(job: Job) -> Iterator[Callable[[], Ran]]:
    from nengo_loihi.emulator import EmulatorInterface
    from nengo_loihi.inputs import SpikeInput
    from nengo_loihi.probe import LoihiProbe

    blocks = [block_of(layer) for layer in job.layers]
    for before, after in zip(blocks, blocks[1:], strict=False):
        before.add_axon(axon_to(after))
    entry = SpikeInput(job.x.shape[2])
    entry.add_axon(axon_to(blocks[0]))
    for t, spikes in enumerate(padded(job), 1):
        entry.add_spikes(t, np.flatnonzero(spikes))
    probe = LoihiProbe(target=blocks[-1], key="spiked")
    emulator = EmulatorInterface(SimpleNamespace(blocks=blocks, inputs=[entry], probes=[probe], dt=0.001), seed=0)

    def run() -> Ran:
        emulator.run_steps(job.steps)
        return Ran(np.array(emulator.collect_probe_output(probe))[:, None])

    yield run
    emulator.close()


if __name__ == "__main__":
    serve("nengo_loihi", lambda: importlib.metadata.version("nengo-loihi"), prepare, note="one sample at a time")
