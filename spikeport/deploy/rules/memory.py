"""Whether the synapses find room: on a core, and all of them on one chip."""

from collections.abc import Iterator

from spikeport.deploy.rules.base import Design, Found, rule
from spikeport.deploy.rules.occupancy import CHIP


@rule("synapse_words_per_core", unit="words of 64 bits", remedy="use fewer channels or a smaller kernel")
def synapses_fit_one_core(design: Design) -> Iterator[Found]:
    """The words of synaptic memory that the fullest core of a layer needs. An axon owns a list of words with the
    weights of its synapses on the core, so a dense layer takes words for each source; a convolution stores its
    kernel once on every core that has some of its output. Layers are cut until this fits, so a violation means that
    one neuron alone has too many synapses.
    """
    for placement in design.cores:
        if (most := placement.most("synapses")) > design.chip.synapse_words_per_core:
            yield Found(placement.group, most)


@rule(
    "synapse_words_per_core",
    "cores_per_chip",
    unit="words of 64 bits",
    remedy="use fewer channels, smaller kernels, or several chips",
)
def synapses_fit_one_chip(design: Design) -> Iterator[Found]:
    """The words of synaptic memory on all cores together, against what the chip has. Kernels count once for each
    core that has a copy.
    """
    limit = design.chip.synapse_words_per_core * design.chip.cores_per_chip
    words = sum(int(p.loads["synapses"].sum()) for p in design.cores)
    if words > limit:
        yield Found(CHIP, words, limit=limit)


@rule("memory_words_per_core", unit="words", remedy="use fewer channels or a smaller kernel")
def memory_fits_one_core(design: Design) -> Iterator[Found]:
    """The words of all tables that the fullest core of a layer needs: neurons, axons in and out, and synapses. On a
    Loihi 2 they share one memory, which is full before each table is. Layers are cut until this fits, so a violation
    means that one neuron alone has too many axons and synapses.
    """
    for placement in design.cores:
        if (most := placement.most("memory")) > design.chip.memory_words_per_core:
            yield Found(placement.group, most)


MEMORY = (synapses_fit_one_core, synapses_fit_one_chip, memory_fits_one_core)
