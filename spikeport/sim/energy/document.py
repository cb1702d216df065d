"""An `Energy` as one JSON document: keys sorted by whoever writes it, integers exact, every estimate with bounds."""

from fractions import Fraction
from typing import Any

import spikeport
from spikeport.program import Program
from spikeport.sim.counting.counts import Counts
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.estimated import Energy, LayerEnergy, Sensitivity

SCHEMA = "spikeport-energy/2"


def document(energy: Energy, program: Program | None = None) -> dict[str, Any]:
    """Everything that the tables and the page show; energies in pJ, times in ns."""
    counts = energy.counts
    return {
        "schema": SCHEMA,
        "tool": f"spikeport {spikeport.__version__}",
        "convention": energy.convention,
        "profile": energy.profile.to_json(),
        "arithmetic_profile": energy.arithmetic.name,
        "model": _model(counts, program),
        "layers": [_layer(layer, energy) for layer in energy.layers],
        "totals": _totals(energy),
        "neurobench": neurobench(counts),
        "baselines": [baseline.to_json() for baseline in energy.baselines],
        "thresholds": [threshold.to_json() for threshold in energy.thresholds],
        "break_even": None if energy.break_even is None else energy.break_even.to_json(),
        "convention_sensitivity": [_sensitivity(found) for found in energy.sensitivity],
        "latency": None if energy.latency is None else energy.latency.to_json(),
        "cores": None if energy.activity is None else energy.activity.to_json(),
        "unpriced_terms": [
            {"name": left.name, "amount": None if left.amount is None else float(left.amount)}
            for left in energy.unpriced
        ],
        "caveats": list(energy.caveats),
    }


def neurobench(counts: Counts) -> dict[str, Any]:
    """The figures of NeuroBench 2.3's workload metrics under its names, per inference.

    Its effective operations leave out weights of 0, and so do these. Operations with a payload are MACs.
    """
    each, connections = counts.per_inference, [c for layer in counts.layers for c in layer.connections]
    acs = sum(c.sops_nz for c in connections if not c.graded)
    macs = sum(c.sops_nz for c in connections if c.graded)
    slots, events = sum(c.slots for c in connections), sum(c.events for c in connections)
    synapses, nonzero = sum(c.synapses for c in connections), sum(c.synapses_nz for c in connections)
    return {
        "SynapticOperations": {
            "Effective_ACs": float(each(acs)),
            "Effective_MACs": float(each(macs)),
            "Dense": counts.macs_dense,
        },
        "MembraneUpdates": float(each(sum(layer.updates for layer in counts.layers))),
        "ActivationSparsity": 1 - float(Fraction(events, slots)) if slots else None,
        "ConnectionSparsity": 1 - float(Fraction(nonzero, synapses)) if synapses else None,
    }


def _model(counts: Counts, program: Program | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "program_sha256": counts.program_sha256,
        "T": counts.steps,
        "samples": counts.samples,
    }
    if program is not None:
        found |= {"nir_sha256": program.nir_sha256, "chip": program.chip, "dt_s": program.dt_s}
    return found


def _layer(layer: LayerEnergy, energy: Energy) -> dict[str, Any]:
    counts = next(found for found in energy.counts.layers if found.name == layer.name)
    return {
        "name": layer.name,
        "counts": counts.to_json(),
        "amounts": {name: float(amount) for name, amount in layer.amounts.items()},
        "energy_pj": {name: part.to_json() for name, part in layer.parts.items()},
        "snn_pj": layer.total.to_json(),
        "ann_pj": layer.ann.to_json(),
    }


def _totals(energy: Energy) -> dict[str, Any]:
    def shown(bounds: Bounds | None) -> dict[str, Any] | None:
        return None if bounds is None else bounds.to_json()

    return {
        "energy_pj": {name: part.to_json() for name, part in energy.parts.items()},
        "snn_pj": energy.snn.to_json(),
        "chip_pj": energy.chip.to_json(),
        "ann_pj": energy.ann.to_json(),
        "ratio": shown(energy.ratio),
        "ratio_within_published_bounds": shown(energy.published_ratio),
        "static_pj": shown(energy.static_pj),
        "delay_product_pj_s": shown(energy.delay_product_pj_s),
        "spikes_per_synapse": float(energy.counts.spikes_per_synapse),
        "input_rate": float(energy.counts.input_rate),
        "counts": energy.counts.to_json()["totals"],
    }


def _sensitivity(found: Sensitivity) -> dict[str, Any]:
    return {
        "convention": found.convention,
        "macs": None if found.macs is None else float(found.macs),
        "acs": None if found.acs is None else float(found.acs),
        "energy_pj": None if found.energy_pj is None else found.energy_pj.to_json(),
    }
