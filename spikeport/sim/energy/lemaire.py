"""Memory traffic as an add-on: the accesses of Lemaire et al. (arXiv:2210.13107) on exact counts.

Every synaptic operation reads its weight, reads its target's potential and writes it; every neuron's potential is read
and written once a step; a spike is written to a queue and read from the next layer's. In an ANN every MAC reads a
weight and an input, and every output is written once. All words have 32 bits, one memory for each kind and layer, and
an access costs what the memory's size says: 10 pJ at 8 KiB, 20 at 32 KiB, 100 at 1 MiB, in between linear, beyond
that the same.

The paper's own formulas count K^2 weights for each input spike whatever the stride; here it is the synapses that the
spike really reaches, so that arithmetic and memory agree. Addressing is left out.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from spikeport.sim.counting.counts import Counts, LayerCounts

WORD_BYTES = 4
QUEUE_WORDS = 1000
SIZES_BYTES = (0, 8 * 2**10, 32 * 2**10, 2**20)
ACCESS_PJ = (0.0, 10.0, 20.0, 100.0)


@dataclass(frozen=True)
class Traffic:
    """Accesses of one layer in one inference, each to a memory of its own."""

    weights: Fraction
    potentials: Fraction
    values: Fraction
    """Spikes through queues, or an ANN's inputs and outputs."""
    energy_pj: float
    fixed_pj: float = 0.0
    """Of it, what does not grow with spikes; only an SNN's is told apart."""


def access_pj(words: int) -> float:
    """One access of 32 bits to a memory of that many words."""
    return float(np.interp(words * WORD_BYTES, SIZES_BYTES, ACCESS_PJ))


def snn_traffic(layer: LayerCounts, counts: Counts) -> Traffic:
    """Synapses, neurons and queues; what the host computes reads its weights and inputs as an ANN does."""
    each = counts.per_inference
    sops, host = each(layer.sops), _host(layer, counts)
    synapse_weights = sum(c.weights for c in layer.connections)
    weights_pj = float(sops) * access_pj(synapse_weights)
    potential_pj, updates = access_pj(layer.neurons), 2 * each(layer.updates)
    queued = each(layer.events_in + layer.spikes_out)
    by_spikes_pj = weights_pj + float(2 * sops) * potential_pj + float(queued) * access_pj(QUEUE_WORDS)
    fixed_pj = float(updates) * potential_pj + host.energy_pj
    return Traffic(
        sops + host.weights, 2 * sops + updates, queued + host.values, by_spikes_pj + fixed_pj, fixed_pj=fixed_pj
    )


def ann_traffic(layer: LayerCounts) -> Traffic:
    """One dense pass; the output is the neurons' values."""
    weights = values = Fraction(0)
    energy_pj = 0.0
    for macs, stored, inputs in _products(layer):
        weights += macs
        values += macs
        energy_pj += macs * (access_pj(stored) + access_pj(inputs))
    return Traffic(weights, Fraction(0), values + layer.neurons, energy_pj + layer.neurons * access_pj(layer.neurons))


def _products(layer: LayerCounts) -> list[tuple[int, int, int]]:
    """MACs, words of weights and inputs of everything that feeds a layer of the ANN."""
    encoders = [(e.macs_dense, e.weights, e.inputs) for e in layer.encoders]
    return encoders + [(c.macs_dense, c.weights, c.inputs) for c in layer.connections]


def _host(layer: LayerCounts, counts: Counts) -> Traffic:
    weights = values = Fraction(0)
    energy_pj = 0.0
    for encoder in layer.encoders:
        macs, written = counts.per_inference(encoder.macs), counts.per_inference(encoder.passes * encoder.outputs)
        weights += macs
        values += macs + written
        reads_pj = access_pj(encoder.weights) + access_pj(encoder.inputs)
        energy_pj += float(macs) * reads_pj + float(written) * access_pj(encoder.outputs)
    return Traffic(weights, Fraction(0), values, energy_pj)
