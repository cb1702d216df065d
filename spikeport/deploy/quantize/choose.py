"""The integers of every population of a network, one after the other as the data flow.

With data, a population is fitted to what the float network's does, on what it hears from the rounded ones before it;
so each makes up for what came before. In a loop, what comes back is the float network's until all of it is rounded.
"""

from collections.abc import Mapping

import numpy as np

from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.network_run import Activity, components, run_component, run_network
from spikeport.deploy.options import Options
from spikeport.deploy.quantize.integer_network import ALL, Hosted, IntegerNetwork
from spikeport.deploy.quantize.observe import rounded_with_data, see
from spikeport.deploy.quantize.on_grid import on_grid
from spikeport.deploy.quantize.revive import revived
from spikeport.deploy.quantize.rounded import Rounded, round_population
from spikeport.deploy.quantize.units import MARGIN, least_unit, unit_of_weights, v_bound, v_likely
from spikeport.progress import working

SAMPLES = 64
"""Of the data, looked at for each candidate."""


def rounded_network(
    network: Network, options: Options, known: Mapping[str, Rounded], hosted: Mapping[str, Hosted]
) -> dict[str, Rounded]:
    """All populations; the `known` ones, which the host computes, as they are."""
    if options.data is not None:
        return _with_data(network, options, known, hosted)
    found = dict(known)
    for p in network.populations:
        if p.name not in found:
            found[p.name] = rounded_without_data(p, network.into(p.name), options)
    return found


def rounded_without_data(p: Population, into: list[Projection], options: Options) -> Rounded:
    """By the largest weight and by the v that is likely; where v is read, by the largest that there can be."""
    v_most = 0.0 if p.helper and p.fires else (v_likely if p.fires else v_bound)(p, into, options.steps)
    found = on_grid(p, into, v_most)
    if found is not None:
        return found
    return round_population(p, into, max(unit_of_weights(p, into), least_unit(p, v_most)))


def _with_data(
    network: Network, options: Options, known: Mapping[str, Rounded], hosted: Mapping[str, Hosted]
) -> dict[str, Rounded]:
    assert options.data is not None
    inputs = options.data.part(SAMPLES).named(dict(network.inputs))
    if options.input == "bias":
        inputs = {name: x * options.scale for name, x in inputs.items()}
    wanted = run_network(network, inputs)
    heard: Activity = {name: wanted[name] for name in inputs}
    found = dict(known)
    so_far = IntegerNetwork(network, found, hosted)
    with working("calibrating", len(network.populations), "layers") as task:
        for part in components(network):
            for p in part:
                if p.name not in found:
                    found[p.name] = _fitted(p, network.into(p.name), options, wanted, {**wanted, **heard})
            rounded = [so_far.as_floats(p, ALL) for p in part]
            heard |= run_component([p for p, _ in rounded], {p.name: into for p, into in rounded}, heard)
            task.advance(len(part))
    return found


def _fitted(p: Population, into: list[Projection], options: Options, wanted: Activity, heard: Activity) -> Rounded:
    if p.helper:
        return rounded_without_data(p, into, options)
    seen = see(p, into, wanted, heard)
    likely = MARGIN * float(np.abs(seen.v).max(initial=0))
    v_most = 0.0 if p.fires else min(likely, v_bound(p, into, options.steps))
    found = on_grid(p, into, v_most) or rounded_with_data(p, into, seen, options.observer, options.correct)
    return revived(p, into, found, seen) if options.repair else found
