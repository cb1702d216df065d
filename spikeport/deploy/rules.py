"""Design rules: what would stop a Program on a chip, every violation at once.

A rule is a function named by its limit; it yields what violates it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from spikeport import fixed
from spikeport.chip import CHIPS, Chip, chip_named
from spikeport.program import LIF, Conv, Program


@dataclass(frozen=True)
class Violation:
    """One broken rule at one place, with the remedy."""

    rule: str
    where: str
    got: int
    limit: int
    source: str
    remedy: str


Rule = Callable[[Program, Chip], Iterator[Violation]]


def check(program: Program, chip: Chip | str | None = None) -> list[Violation]:
    """Everything about the Program that the chip cannot hold; empty if it fits.

    Args:
        chip: The one that it was compiled for if None.
    """
    chosen = chip if isinstance(chip, Chip) else chip_named(chip or program.chip)
    return [violation for rule in RULES for violation in rule(program, chosen)]


def neurons_exist_on_the_chip(program: Program, chip: Chip) -> Iterator[Violation]:
    """Got and limit are generations of the chip."""
    for group in program.groups:
        needed = CHIPS[group.needs]
        if needed.programmable_neurons and not chip.programmable_neurons:
            source, remedy = chip.sources["programmable_neurons"], "compile for Loihi 2, or use LIF that resets to zero"
            yield Violation("neurons_exist_on_the_chip", group.name, needed.generation, chip.generation, source, remedy)


def spikes_are_binary_on_loihi1(program: Program, chip: Chip) -> Iterator[Violation]:
    """Got and limit are bits of payload."""
    graded = [f"{c.source} -> {c.target}" for c in program.connections if c.graded]
    graded += [entry.name for entry in program.inputs if entry.kind == "graded"]
    for where in graded if not chip.graded_spikes else ():
        source, remedy = chip.sources["graded_spikes"], "compile for Loihi 2, or send spikes of 0 and 1"
        yield Violation("spikes_are_binary_on_loihi1", where, fixed.STATE_BITS, 0, source, remedy)


def decays_fit_12_bits(program: Program, chip: Chip) -> Iterator[Violation]:
    limit, source = fixed.DECAY_ONE - 1, "12-bit registers; lava-nc 0.10.0, proc/lif/process.py"
    for group in program.groups:
        if not isinstance(group, LIF):
            continue
        for what, value in (("du", group.du), ("dv", group.dv)):
            if not 0 <= value <= limit:
                yield Violation(
                    "decays_fit_12_bits", f"{group.name}.{what}", value, limit, source, "use a decay in [0, 4095]"
                )


def delays_fit(program: Program, chip: Chip) -> Iterator[Violation]:
    for c in program.connections:
        longest = c.delay if isinstance(c.delay, int) else int(np.max(c.delay, initial=0))
        if longest > chip.max_delay:
            where, source = f"{c.source} -> {c.target}", chip.sources["max_delay"]
            yield Violation("delays_fit", where, longest, chip.max_delay, source, "shorten the longer path")


def weight_exponents_fit(program: Program, chip: Chip) -> Iterator[Violation]:
    for c in program.connections:
        where, remedy = f"{c.source} -> {c.target}", "rescale the layer"
        for limit, key, bad in (
            (chip.max_weight_exp, "max_weight_exp", c.weight_exp > chip.max_weight_exp),
            (chip.min_weight_exp, "min_weight_exp", c.weight_exp < chip.min_weight_exp),
        ):
            if bad:
                yield Violation("weight_exponents_fit", where, c.weight_exp, limit, chip.sources[key], remedy)


def reset_intervals_are_powers_of_two(program: Program, chip: Chip) -> Iterator[Violation]:
    if not chip.reset_interval_power_of_two:
        return
    for group in program.groups:
        interval = group.reset_interval
        if interval & (interval - 1):
            limit, source = 1 << interval.bit_length(), chip.sources["reset_interval_power_of_two"]
            remedy = f"reset every {limit} steps"
            yield Violation("reset_intervals_are_powers_of_two", group.name, interval, limit, source, remedy)


def neurons_fit_one_chip(program: Program, chip: Chip) -> Iterator[Violation]:
    """A core holds neurons of one group only, as the public compilers place them."""
    cores = sum(-(-g.size // chip.neurons_per_core) for g in program.groups)
    if cores > chip.cores_per_chip:
        source, remedy = chip.sources["neurons_per_core"], "use fewer channels, more stride, or several chips"
        yield Violation("neurons_fit_one_chip", "cores for neurons", cores, chip.cores_per_chip, source, remedy)


def fan_in_fits_one_core(program: Program, chip: Chip) -> Iterator[Violation]:
    """The sources of a single neuron must fit the axons of the core that it is on."""
    fan_in = {g.name: 0 for g in program.groups}
    for c in program.connections:
        shape = program.shape_of(c.source)
        fan_in[c.target] += min(prod(c.weight.shape[1:]), prod(shape)) if isinstance(c, Conv) else prod(shape)
    for name, got in fan_in.items():
        if got > chip.axons_in_per_core:
            source, remedy = chip.sources["axons_in_per_core"], "use fewer channels or a smaller kernel"
            yield Violation("fan_in_fits_one_core", name, got, chip.axons_in_per_core, source, remedy)


RULES: tuple[Rule, ...] = (
    neurons_exist_on_the_chip,
    spikes_are_binary_on_loihi1,
    decays_fit_12_bits,
    delays_fit,
    weight_exponents_fit,
    reset_intervals_are_powers_of_two,
    neurons_fit_one_chip,
    fan_in_fits_one_core,
)
