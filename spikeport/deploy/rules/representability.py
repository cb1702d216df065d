"""Whether the chip has a register, a word or a neuron for every number of a Program."""

from collections.abc import Iterator

import numpy as np

from spikeport import fixed
from spikeport.chip import CHIPS
from spikeport.deploy.rules.base import Design, Found, rule
from spikeport.program import LIF, Connection


def arrow(connection: Connection) -> str:
    return f"{connection.source} -> {connection.target}"


def lifs(design: Design) -> Iterator[LIF]:
    return (g for g in design.program.groups if isinstance(g, LIF))


@rule("programmable_neurons", unit="generation", remedy="compile for Loihi 2, or use LIF that resets to zero")
def neurons_exist_on_the_chip(design: Design) -> Iterator[Found]:
    """The first generation of Loihi that has a layer's neurons, against the chip's. A Loihi 1 has one kind of
    neuron in silicon, a LIF that resets to zero and sends spikes of 1; a Loihi 2 runs a neuron's rule as microcode,
    so it also has soft reset, spikes of both signs, sigma-delta neurons and resonators.
    """
    for group in design.program.groups:
        needed = CHIPS[group.needs]
        if needed.programmable_neurons and not design.chip.programmable_neurons:
            yield Found(group.name, needed.generation, limit=design.chip.generation)


@rule("graded_spikes", unit="bits of payload", remedy="compile for Loihi 2, or send spikes of 0 and 1")
def spikes_are_binary_on_loihi1(design: Design) -> Iterator[Found]:
    """The bits of payload that a connection or an input sends with a spike. A message on a Loihi 1 says which axon
    spiked and nothing else; a Loihi 2 sends up to 24 bits along.
    """
    graded = [arrow(c) for c in design.program.connections if c.graded]
    graded += [entry.name for entry in design.program.inputs if entry.kind == "graded"]
    for where in graded if not design.chip.graded_spikes else ():
        yield Found(where, fixed.STATE_BITS, limit=0)


@rule("max_decay", unit="1/4096", remedy="use a decay in [0, 4095]")
def decays_fit_12_bits(design: Design) -> Iterator[Found]:
    """Each layer's current decay du and voltage decay dv, in 1/4096 a step. The registers have 12 bits and no sign,
    so the current always leaks a little, and the voltage never forgets all of itself in one step.
    """
    for group in lifs(design):
        for what, value in (("du", group.du), ("dv", group.dv)):
            if not 0 <= value <= design.chip.max_decay:
                yield Found(f"{group.name}.{what}", value)


@rule("max_threshold", "min_threshold", unit="of 64 units of v", remedy="rescale the layer's weights and threshold")
def thresholds_fit_17_bits(design: Design) -> Iterator[Found]:
    """Each layer's threshold mantissa vth, which is compared with the voltage in steps of 64. The register has 17
    bits; the largest of them, 131071, is a legal way to write neurons that should only integrate. A Loihi 1 takes
    none below 1.
    """
    for group in lifs(design):
        if group.vth > design.chip.max_threshold:
            yield Found(group.name, group.vth)
        elif group.vth < design.chip.min_threshold:
            yield Found(group.name, group.vth, by="min_threshold")


@rule("max_bias", unit="mantissa", remedy="use a larger bias_exp, or rescale the layer")
def biases_fit_13_bits(design: Design) -> Iterator[Found]:
    """The bias mantissa of each layer that is furthest from zero. The register has 13 bits in two's complement, and
    the exponent that a layer shares has to do the rest.
    """
    for group in lifs(design):
        most = design.chip.max_bias
        low, high = int(group.bias_mant.min()), int(group.bias_mant.max())
        if high > most or low < -most - 1:
            yield Found(group.name, high if high > most else low, limit=most if high > most else -most - 1)


@rule("max_bias_exp", unit="bits of shift", remedy="use a smaller bias_exp, or rescale the layer")
def bias_exponents_fit(design: Design) -> Iterator[Found]:
    """Each layer's bias exponent, by which its mantissas are shifted to the left. The register has 3 bits."""
    for group in lifs(design):
        if group.bias_exp > design.chip.max_bias_exp:
            yield Found(group.name, group.bias_exp)


@rule("max_weight", unit="mantissa", remedy="halve the mantissas and raise weight_exp")
def weights_fit_8_bits(design: Design) -> Iterator[Found]:
    """The mantissa of each connection that is furthest from zero. A synapse stores 8 bits. Where all weights of a
    connection have one sign the sign is kept once, and all bits are magnitude; where signs mix one bit is the sign,
    so the last bit of a mantissa is lost: only even ones, from -256 to 254.
    """
    for c in design.program.connections:
        weight = c.weight.astype(np.int64)
        low, high = int(weight.min(initial=0)), int(weight.max(initial=0))
        mixed, most = low < 0 < high, design.chip.max_weight
        least, largest = (-most - 1, most - 1) if mixed else (-most, most)
        if high > largest:
            yield Found(arrow(c), high, limit=largest)
        if low < least:
            yield Found(arrow(c), low, limit=least)


@rule("max_weight_exp", "min_weight_exp", unit="bits of shift", remedy="rescale the layer")
def weight_exponents_fit(design: Design) -> Iterator[Found]:
    """Each connection's weight exponent, by which the sum of its weights is shifted. All synapses of a connection
    share it, and it has four bits with the sign; the two public emulators of Loihi 1 differ by one at its lower
    end.
    """
    for c in design.program.connections:
        if c.weight_exp > design.chip.max_weight_exp:
            yield Found(arrow(c), c.weight_exp)
        elif c.weight_exp < design.chip.min_weight_exp:
            yield Found(arrow(c), c.weight_exp, by="min_weight_exp")


@rule("max_delay", unit="steps", remedy="shorten the longer path")
def delays_fit(design: Design) -> Iterator[Found]:
    """The longest delay of each connection, in steps beyond the one that every connection takes. A synapse stores 6
    bits of delay; the public tools let 62 pass, lava-dl by cutting longer ones.
    """
    for c in design.program.connections:
        longest = c.delay if isinstance(c.delay, int) else int(np.max(c.delay, initial=0))
        if longest > design.chip.max_delay:
            yield Found(arrow(c), longest)


@rule("reset_interval_power_of_two", unit="steps", remedy="reset every power of two of steps")
def reset_intervals_are_powers_of_two(design: Design) -> Iterator[Found]:
    """How many steps lie between two clearings of a layer's state, against the next power of two. The only public
    word on it is a tutorial of lava-dl, which asks for a power of two on a Loihi 2 and gives no reason.
    """
    for group in design.program.groups if design.chip.reset_interval_power_of_two else ():
        interval = group.reset_interval
        if interval & (interval - 1):
            limit = 1 << interval.bit_length()
            yield Found(group.name, interval, limit=limit, remedy=f"reset every {limit} steps")


REPRESENTABILITY = (
    neurons_exist_on_the_chip,
    spikes_are_binary_on_loihi1,
    decays_fit_12_bits,
    thresholds_fit_17_bits,
    biases_fit_13_bits,
    bias_exponents_fit,
    weights_fit_8_bits,
    weight_exponents_fit,
    delays_fit,
    reset_intervals_are_powers_of_two,
)
