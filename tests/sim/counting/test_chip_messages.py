"""Messages between chips against a walk of every spike over every synapse."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.cores import Cores
from spikeport.program import Program
from spikeport.sim.counting import sample_windows
from spikeport.sim.counting.chip_messages import Crossing, chip_messages, events_of
from spikeport.sim.counting.cores import count_cores
from spikeport.sim.random_programs import random_program
from tests.sim.counting.test_cores import STEPS, core_numbers, made_up, random_cores, synapses

SEEDS = st.integers(0, 2**32 - 1)


def walked(program: Program, cores: Cores, times: dict[str, list[int]]) -> list[Counter]:
    """By connection between groups, how many messages go from which chip to which."""
    number, found = core_numbers(cores), []
    for c in program.connections:
        if c.source not in times:
            continue
        targets: dict[int, set[int]] = {}
        for j, i, _ in synapses(c, program.shape_of(c.source), program.shape_of(c.target)):
            targets.setdefault(j, set()).add(number[c.target, i])
        counts: Counter = Counter()
        for j, reached in targets.items():
            start = number[c.source, j] // cores.chip.cores_per_chip
            for core in reached:
                counts[start, core // cores.chip.cores_per_chip] += times[c.source][j]
        found.append(+counts)
    return found


def by_number(crossing: Crossing, cores: Cores) -> Counter:
    chips = sorted({core // cores.chip.cores_per_chip for core in core_numbers(cores).values()})
    dense = crossing.messages.toarray()
    assert dense.shape == (len(chips), len(chips))
    return +Counter({(a, b): int(dense[x, y]) for x, a in enumerate(chips) for y, b in enumerate(chips)})


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_what_a_run_sends_equals_a_walk(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng, steps=STEPS, batch=1)
    result, cores = made_up(program, rng, 2), random_cores(program, rng)
    windows, times = sample_windows(program, STEPS), {}
    for group in program.groups:
        rows = [step - 1 for step in windows[group.name]]
        times[group.name] = [int(np.count_nonzero(result.sent[group.name][rows, :, j])) for j in range(group.size)]
    events = events_of(program, result)
    assert {name: counts.tolist() for name, counts in events.items()} == times
    found = chip_messages(program, cores, events)
    assert [by_number(crossing, cores) for crossing in found] == walked(program, cores, times)
    activity = count_cores(program, result, cores)
    for group in program.groups:
        own = [crossing for crossing in found if crossing.source == group.name]
        if len(own) == 1:  # else connections may meet on a core, and share the message
            assert activity.off_chip[group.name] == own[0].across
            assert activity.messages[group.name] == own[0].across + own[0].inside


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_what_a_step_brings_at_most_is_one_spike_of_every_neuron(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng, steps=STEPS, batch=1)
    cores = random_cores(program, rng)
    once = {group.name: [1] * group.size for group in program.groups}
    found = chip_messages(program, cores)
    assert [by_number(crossing, cores) for crossing in found] == walked(program, cores, once)


def test_runs_are_added_connection_by_connection() -> None:
    rng = np.random.default_rng(7)
    program, _ = random_program(rng, steps=STEPS, batch=1)
    cores = random_cores(program, rng)
    ones = {group.name: np.ones(group.size, np.int64) for group in program.groups}
    once, thrice = chip_messages(program, cores), chip_messages(program, cores, {n: 3 * x for n, x in ones.items()})
    for a, b in zip(once, thrice, strict=True):
        assert ((a + a + a).across, (a + a + a).inside) == (b.across, b.inside)
        assert (a.source, a.target, a.place) == (b.source, b.target, b.place)
