"""Whether the neurons find room: on a core, and all of them on one chip."""

from collections.abc import Iterator

import numpy as np

from spikeport.deploy.rules.base import Design, Found, rule

CHIP = "the chip"
FEWER = "use fewer channels, more stride, or several chips"


@rule("neurons_per_core", unit="neurons", remedy=FEWER)
def neurons_fit_one_core(design: Design) -> Iterator[Found]:
    """The neurons for which the fullest core of a layer needs room. A core keeps the state of each neuron in memory
    of its own. On a Loihi 2 a convolution's neurons come in whole blocks of a power of two of columns. Layers are
    cut until this fits.
    """
    for placement in design.cores:
        if (most := placement.most("neurons")) > design.chip.neurons_per_core:
            yield Found(placement.group, most)


@rule("neuron_settings_per_core", unit="sets", remedy="give the neurons of a core the same decays and threshold")
def neuron_settings_fit_one_core(design: Design) -> Iterator[Found]:
    """The sets of decays and thresholds that the neurons of a core have between them. A core stores few of them,
    and each neuron names one: 16 thresholds and 32 sets of decays on a Loihi 1, and 8 groups of neurons on a Loihi
    2. A layer has one set, and each part of a layer on a core counts as one.
    """
    where = design.cores.where
    parts = where.on_cores(np.ones(where.blocks, np.int64))
    for core in np.flatnonzero(parts > design.chip.neuron_settings_per_core):
        yield Found(where.groups[core], int(parts[core]))


@rule("neurons_per_core", "cores_per_chip", unit="neurons", remedy=FEWER)
def neurons_fit_one_chip(design: Design) -> Iterator[Found]:
    """All neurons of the network, against what the chip's cores hold when each is full."""
    limit = design.chip.neurons_per_core * design.chip.cores_per_chip
    neurons = sum(g.size for g in design.program.groups)
    if neurons > limit:
        yield Found(CHIP, neurons, limit=limit)


@rule("cores_per_chip", unit="cores", remedy=FEWER)
def cores_fit_one_chip(design: Design) -> Iterator[Found]:
    """The cores that all layers take together. The parts of layers that `spikeport check` shows share a core where
    their neurons, axons and words fit it together, and it is then not busier than the busiest part is alone.
    """
    cores = design.cores.cores
    if cores > design.chip.cores_per_chip:
        yield Found(CHIP, cores)


OCCUPANCY = (neurons_fit_one_chip, neurons_fit_one_core, neuron_settings_fit_one_core, cores_fit_one_chip)
