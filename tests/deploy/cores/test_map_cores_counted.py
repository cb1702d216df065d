"""No core of a mapping is over a limit, and its figures are those of a count synapse by synapse."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spikeport.chip import Chip
from spikeport.deploy.cores import CoreMap, map_cores
from spikeport.deploy.cores.loads import limits_of
from spikeport.program import Program
from tests.deploy.cores.counting import Cores, needs
from tests.deploy.random_programs import random_chip, random_program

seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int) -> tuple[Program, Chip]:
    rng = np.random.default_rng(seed)
    return random_program(rng), random_chip(rng)


def core_of(core_map: CoreMap) -> Cores:
    return {p.group: p.cut.labels().tolist() for p in core_map}


def room_of(core_map: CoreMap) -> Cores:
    return {p.group: p.cut.room.tolist() for p in core_map}


@given(seeds)
def test_every_neuron_is_on_exactly_one_core(seed: int) -> None:
    program, chip = drawn(seed)
    for group, placement in zip(program.groups, map_cores(program, chip), strict=True):
        cores = placement.cut.labels()
        assert cores.shape == (group.size,)
        assert sorted(set(cores.tolist())) == list(range(placement.cores))  # and no core is empty
        assert np.bincount(cores).tolist() == placement.cut.neurons.tolist()


@given(seeds)
def test_the_figures_are_those_of_a_count_synapse_by_synapse(seed: int) -> None:
    program, chip = drawn(seed)
    core_map = map_cores(program, chip)
    counted = needs(program, chip, core_of(core_map), room_of(core_map))
    for placement in core_map:
        for what, each in counted[placement.group].items():
            assert placement.loads[what].tolist() == each, (placement.group, what)


@given(seeds)
def test_no_core_is_over_a_limit_that_one_neuron_alone_is_not(seed: int) -> None:
    """One neuron alone: the same mapping with that group a neuron a core."""
    program, chip = drawn(seed)
    core_map = map_cores(program, chip)
    for placement in core_map:
        alone = core_of(core_map) | {placement.group: list(range(placement.neurons))}
        room = room_of(core_map) | {placement.group: [1] * placement.neurons}
        counted = needs(program, chip, alone, room)[placement.group]
        for what, limit in limits_of(chip).items():
            if what == "neurons":
                assert placement.most(what) <= limit
            else:
                assert placement.most(what) <= max(limit, *counted[what]), (placement.group, what)
