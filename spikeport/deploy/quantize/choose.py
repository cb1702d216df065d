"""The integers of every population of a network."""

from collections.abc import Mapping

from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.options import Options
from spikeport.deploy.quantize.on_grid import on_grid
from spikeport.deploy.quantize.rounded import Rounded, round_population
from spikeport.deploy.quantize.units import least_unit, unit_of_weights, v_bound


def rounded_network(network: Network, options: Options, known: Mapping[str, Rounded]) -> dict[str, Rounded]:
    """All but the `known` ones."""
    return {
        p.name: rounded_without_data(p, network.into(p.name), options)
        for p in network.populations
        if p.name not in known
    }


def rounded_without_data(p: Population, into: list[Projection], options: Options) -> Rounded:
    """By the largest weight; where v is read, by the largest v that there can be."""
    found = on_grid(p, into)
    if found is not None:
        return found
    v_most = 0.0 if p.fires else v_bound(p, into, options.steps)
    return round_population(p, into, max(unit_of_weights(p, into), least_unit(p, v_most)))
