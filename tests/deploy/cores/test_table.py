"""The utilization table against sums in plain loops, for blocks on any seats."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spikeport.chip import LOIHI2
from spikeport.deploy.cores import CoreMap, map_cores
from spikeport.deploy.cores.loads import limits_of
from spikeport.deploy.cores.table import GROUPS, core_table
from spikeport.program import LIF, Dense, Input, Output, Program
from tests.deploy.random_programs import random_chip, random_program


def seated(seed: int) -> tuple[Program, CoreMap]:
    """A random Program, its blocks on cores drawn at random."""
    rng = np.random.default_rng(seed)
    program, chip = random_program(rng), random_chip(rng)
    placements = map_cores(program, chip).placements
    blocks = sum(placement.cores for placement in placements)
    return program, CoreMap(chip, placements, rng.integers(0, 2 * blocks + 1, blocks))


@given(st.integers(0, 2**32 - 1))
def test_each_core_has_what_its_blocks_have(seed: int) -> None:
    program, core_map = seated(seed)
    table, seats = core_table(core_map), core_map.seats.tolist()
    numbers = sorted(set(seats))
    neurons: dict[tuple[int, str], int] = defaultdict(int)
    sums: dict[tuple[str, int], int] = defaultdict(int)
    block = 0
    for group, placement in zip(program.groups, core_map, strict=True):
        for core, n in enumerate(np.bincount(placement.cut.labels()).tolist()):
            neurons[seats[block], group.name] += n
            sums[GROUPS, seats[block]] += 1
            for resource in placement.loads:
                sums[resource, seats[block]] += int(placement.loads[resource][core])
            block += 1
    assert table.cores.numbers.tolist() == numbers
    for resource, needed in table.needs.items():
        assert needed.tolist() == [sums[resource, number] for number in numbers], resource
    names = [group.name for group in program.groups]
    held = zip(table.core.tolist(), table.group.tolist(), table.neurons.tolist(), strict=True)
    assert {(numbers[core], names[group]): n for core, group, n in held} == dict(neurons)
    on = [tuple(name for name in names if (number, name) in neurons) for number in numbers]
    assert table.groups == tuple(on)
    for name in names:
        assert [numbers[core] for core in table.of_group(name)] == sorted(n for n, group in neurons if group == name)
    limits = {resource: max(limit, 1) for resource, limit in limits_of(core_map.chip).items()}
    for core, number in enumerate(numbers):
        shares = {resource: sums[resource, number] / limit for resource, limit in limits.items()}
        assert table.used[core] == max(shares.values()) == shares[table.limited_by[core]]
    assert list(table.used[table.fullest(3)]) == sorted(table.used, reverse=True)[:3]


def test_a_dense_layer_by_hand() -> None:
    """Six neurons hear four inputs and are read, all on core 5."""
    group = LIF("a", (6,), 4095, 0, 10, np.zeros(6, int))
    program = Program((group,), (Dense("x", "a", np.ones((6, 4), int)),), (Input("x", (4,), "spike"),), (OUT,))
    (whole,) = map_cores(program, LOIHI2).placements
    table = core_table(CoreMap(LOIHI2, (whole,), np.array([5])))
    assert table.cores.numbers.tolist() == [5]
    assert list(table.needs)[:5] == ["axons in", GROUPS, "neurons", "synapses", "axons out"]
    assert [int(table.needs[name][0]) for name in ("axons in", GROUPS, "neurons", "axons out")] == [4, 1, 6, 6]
    assert (table.limits["axons in"], table.limits[GROUPS]) == (16_000, 8)
    more = replace(whole, loads={**whole.loads, "more": np.array([7])})  # a table without a limit of its own
    further = core_table(CoreMap(LOIHI2, (more,), np.array([5])))
    assert (further.needs["more"].tolist(), "more" in further.limits) == ([7], False)
    assert (further.used.tolist(), further.limited_by) == (table.used.tolist(), table.limited_by)


OUT = Output("y", "a")
