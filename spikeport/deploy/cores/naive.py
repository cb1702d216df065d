"""The mapping that others are held against: one layer after the other, each core filled before the next is begun.

Neurons come in row-major order: whole channels, where not even one fits a core its rows, and where not even one fits
their neurons. No core has neurons of two layers.
"""

from dataclasses import replace

import numpy as np

from spikeport.chip import Chip
from spikeport.cores import Cut
from spikeport.deploy.cores import core_map, greedy_cuts
from spikeport.deploy.cores.activity import Activity
from spikeport.deploy.cores.core_map import CoreMap
from spikeport.deploy.cores.filled import filled, fits
from spikeport.deploy.cores.loads import limits_of, loads
from spikeport.deploy.cores.work import inward
from spikeport.neurons import Group
from spikeport.program import Program


def naive_map(program: Program, chip: Chip) -> CoreMap:
    """A layer with a neuron that no core has room for is cut as in the greedy mapping; so are all where connections
    lead back and their sources then have too many axons out."""
    greedy = greedy_cuts(program, chip)
    cuts = dict(greedy)
    for name in reversed(list(cuts)):
        found = filled(program, chip, name, cuts)
        if fits(program, chip, name, {**cuts, name: found}):
            cuts[name] = found
    held = all(fits(program, chip, name, cuts) or not fits(program, chip, name, greedy) for name in cuts)
    return core_map(program, chip, cuts if held else greedy)


def least_cores(program: Program, chip: Chip) -> int:
    """No mapping of the resource model has fewer: what whole groups ask for, in full cores.

    A group in one piece asks for least, for kernels are stored once and words are rounded up once. On a Loihi 1, where
    a synapse has a longer index on a core with many neurons, words are left out.
    """
    cuts = {group.name: _whole(group) for group in program.groups}
    whole = [loads(program, chip, name, cuts) for name in cuts]
    counted = {r: limit for r, limit in limits_of(chip).items() if chip.generation > 1 or r != "synapses"}
    return max(-(-sum(int(one[r].sum()) for one in whole) // max(limit, 1)) for r, limit in counted.items())


def least_ns(program: Program, activity: Activity, cores: int) -> float:
    """No mapping on so many cores leaves less to the busiest: all there is to do but messages, in equal shares.

    What messages take depends on the mapping, and is left out.
    """
    quiet = replace(activity, times=replace(activity.times, message_in=0.0, message_out=0.0))
    work = [inward(program, quiet, group.name, _whole(group)).sum(axis=1) for group in program.groups]
    return float(np.sum(work, axis=0).max()) / cores


def _whole(group: Group) -> Cut:
    shape = group.shape if len(group.shape) == 3 else (group.size, 1, 1)
    channels, rows, columns = shape
    return Cut((channels, rows, columns), (channels, rows, columns))
