"""Whether what a core hears and tells fits its tables of axons."""

from collections.abc import Iterator

from spikeport.deploy.rules.base import Design, Found, rule


@rule("axons_in_per_core", unit="axons", remedy="use fewer channels or a smaller kernel")
def fan_in_fits_one_core(design: Design) -> Iterator[Found]:
    """The axons that come into the fullest core of a layer. A core looks a spike up in a table of its axons, and
    the sources of a single neuron have to be in one table. A dense layer takes one for each source; a convolution
    takes one for each pixel in its window on a Loihi 1, and one in all on a Loihi 2. Layers are cut until this
    fits, so a violation means that one neuron alone hears too many.
    """
    for placement in design.cores:
        if (most := placement.most("axons in")) > design.chip.axons_in_per_core:
            yield Found(placement.group, most)


@rule(
    "axons_out_per_core",
    unit="axons",
    remedy="send to fewer cores: fewer channels in the layers behind, or more stride",
)
def fan_out_fits_one_core(design: Design) -> Iterator[Found]:
    """The entries that the fullest core of a layer needs to send its spikes. A core has a table of the cores and
    axons to which each spike goes. On a Loihi 1 each neuron has one for every core that it reaches; on a Loihi 2 a
    neuron has one for a dense layer, and a pixel one for a convolution, however many cores they reach.
    Layers are cut until this fits, so a violation means that one neuron alone reaches too many cores.
    """
    for placement in design.cores:
        if (most := placement.most("axons out")) > design.chip.axons_out_per_core:
            yield Found(placement.group, most)


FAN = (fan_in_fits_one_core, fan_out_fits_one_core)
