"""Shared cores and the search: never over a limit, never worse than the start, the same every time."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.chip import LOIHI1, LOIHI2, Chip
from spikeport.deploy.cores import CoreMap, map_cores
from spikeport.deploy.cores.activity import Activity, Times, assumed
from spikeport.deploy.cores.loads import limits_of
from spikeport.deploy.cores.naive import least_cores, least_ns, naive_map
from spikeport.deploy.cores.options import GROWTH, NEAR, options
from spikeport.deploy.cores.problem import Problem, Seated
from spikeport.deploy.cores.search import improved, messages_between
from spikeport.program import LIF, Program
from tests.deploy.random_programs import random_chip, random_program
from tests.deploy.small_programs import row, stack

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int) -> tuple[Program, Chip, Activity]:
    rng = np.random.default_rng(seed)
    program = random_program(rng)
    rates = {n.name: rng.random(int(np.prod(n.shape))) for n in (*program.inputs, *program.groups)}
    times = Times(spike=1.0, message_out=float(rng.integers(0, 3)), message_in=float(rng.integers(0, 3)))
    chip = replace(random_chip(rng), cores_per_chip=int(rng.integers(2, 9)), neuron_settings_per_core=3)
    return program, chip, Activity(rates, {g.name: float(rng.random()) for g in program.groups}, times)


def seated(found: CoreMap) -> Seated:
    return Seated(found.where.cuts, found.where.of_block)


def hold(program: Program, chip: Chip, found: CoreMap) -> None:
    """Every neuron has a core; what blocks ask for adds up to no more than a core has, or one has a core alone."""
    blocks = found.where.on_cores(np.ones(len(found.seats), int))
    shared = blocks > 1
    assert blocks.max() <= max(chip.neuron_settings_per_core, 1)
    assert all((found.loads[name][shared] <= limit).all() for name, limit in limits_of(chip).items())
    for group, placement in zip(program.groups, found, strict=True):
        assert placement.cut.neurons.sum() == group.size
        cores = found.where.labels(group.name)
        assert cores.shape == (group.size,)
        assert cores.max() < found.cores
    assert found.where.neurons.sum() == sum(group.size for group in program.groups)


def over(chip: Chip, found: CoreMap) -> set[str]:
    """Groups with a block that is over a limit by itself."""
    return {p.group for p in found if any(p.most(name) > limit for name, limit in limits_of(chip).items())}


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_greedy_cores_are_shared_within_the_limits(seed: int) -> None:
    program, chip, _ = drawn(seed)
    found = map_cores(program, chip)
    hold(program, chip, found)
    problem = Problem(program, chip, assumed(program))
    alone = Seated(found.where.cuts, np.arange(len(found.seats)))
    assert problem.busiest(seated(found)) <= problem.busiest(alone) * (1 + 1e-9)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from([None, 1, 1000]))
def test_the_search_is_never_worse_and_always_the_same(seed: int, cores: int | None) -> None:
    program, chip, activity = drawn(seed)
    start = map_cores(program, chip)
    found, again = (improved(program, chip, start, activity, cores=cores) for _ in range(2))
    hold(program, chip, found)
    assert over(chip, found) <= over(chip, start)
    assert (found.where.cuts, found.seats.tolist()) == (again.where.cuts, again.seats.tolist())
    problem = Problem(program, chip, activity)
    if cores != 1:
        assert problem.busiest(seated(found)) <= problem.busiest(seated(start))
        assert found.cores <= max(start.cores, cores or 0)
    else:
        assert found.cores <= start.cores


def test_blocks_find_the_hole_that_the_greedy_mapping_leaves() -> None:
    """Layers of 6 and 6 neurons on cores of 4: 3 + 3 + 3 + 3 alone, and on 3 cores 4 + 4 + 4."""
    chip = replace(LOIHI1, neurons_per_core=4)
    net = row(6, 6)
    start = map_cores(net, chip)
    assert start.cores == 4
    found = improved(net, chip, start, cores=3)
    assert found.cores == 3
    assert found.where.neurons.tolist() == [4, 4, 4]


def test_what_a_busy_neuron_leaves_undone_others_do() -> None:
    """Of 8 neurons the first two do not rest; on two cores, each has one of them or they have a core alone."""
    net = row(8, n_in=1)
    rates = {"x": np.zeros(1), "g0": np.array([1.0, 1.0, 0, 0, 0, 0, 0, 0])}
    activity = Activity(rates, {"g0": 0.0}, Times(update=1.0, spike=10.0))
    chip = replace(LOIHI2, neurons_per_core=4)
    start = map_cores(net, chip)
    problem = Problem(net, chip, activity)
    assert problem.busiest(seated(start)) == 24
    found = improved(net, chip, start, activity, cores=3)
    assert problem.busiest(seated(found)) < 24


def test_neurons_of_different_microcode_or_reset_share_no_core() -> None:
    pair = row(2, 2, 4)
    a, b, c = pair.groups
    soft = replace(pair, groups=(a, replace(b, reset="subtract"), c))
    late = replace(pair, groups=(a, replace(b, reset_interval=4, reset_offset=1), c))
    assert isinstance(soft.groups[1], LIF)
    assert [map_cores(net, LOIHI2).cores for net in (pair, soft, late)] == [2, 3, 2]
    assert [map_cores(net, LOIHI1).cores for net in (pair, late)] == [2, 3]


def test_so_many_groups_share_a_core_as_it_tells_apart() -> None:
    """Sixteen, and eight; the layer of 20 neurons is alone, for it is the busiest."""
    assert [map_cores(row(*[1] * 9, 20), chip).cores for chip in (LOIHI1, LOIHI2)] == [2, 3]


def test_cores_that_tell_each_other_much_are_on_one_chip() -> None:
    """Four layers of two chips of two cores: the first pair of a chip is the pair that exchanges most."""
    chip = replace(
        LOIHI2, cores_per_chip=2, cores_per_tile=1, mesh=(2, 1), neurons_per_core=9, neuron_settings_per_core=1
    )
    net = row(9, 9, 9, 9, n_in=1)
    rates = {"x": 0.0, "g0": 0.0, "g1": 1.0, "g2": 0.0, "g3": 0.0}
    activity = Activity(rates, {g.name: 1.0 for g in net.groups})
    found = improved(net, chip, map_cores(net, chip), activity)
    at = {name: int(found.where.chips()[found.where.labels(name)[0]]) for name in ("g1", "g2")}
    assert at["g1"] == at["g2"]
    assert sorted(found.seats.tolist()) == [0, 1, 2, 3]


def test_messages_between_cores_by_hand() -> None:
    net = row(4, 2, n_in=1)
    chip = replace(LOIHI1, neurons_per_core=2, neuron_settings_per_core=1)
    rates = {"x": 0.0, "g0": np.array([1.0, 2.0, 3.0, 4.0]), "g1": 0.0}
    problem = Problem(net, chip, Activity(rates, {"g0": 1.0, "g1": 1.0}))
    found = messages_between(problem, seated(map_cores(net, chip)))
    assert found.toarray().tolist() == [[0, 0, 3], [0, 0, 7], [0, 0, 0]]


def test_the_naive_mapping_fills_cores_in_row_major_order() -> None:
    chip = replace(LOIHI1, neurons_per_core=10)
    found = naive_map(row(25, 3), chip)
    assert [p.cut.neurons.tolist() for p in found] == [[10, 10, 5], [3]]
    assert found.cores == 4
    images = naive_map(stack((1, 3, 3), (5, 3, 1, 1), (5, 1, 1, 0)), chip)
    assert [p.cut.block for p in images] == [(1, 3, 3)] * 2  # 9 of 10 neurons: no second channel
    assert naive_map(stack((1, 3, 3), (5, 3, 1, 1)), replace(chip, neurons_per_core=7)).placements[0].cut.block == (
        1,
        2,
        3,
    )


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_the_naive_mapping_keeps_the_limits_and_no_mapping_is_below_the_bound(seed: int) -> None:
    program, chip, activity = drawn(seed)
    naive = naive_map(program, chip)
    hold(program, chip, naive)
    greedy = map_cores(program, chip)
    assert over(chip, naive) <= over(chip, greedy)
    least = least_cores(program, chip)
    problem = Problem(program, chip, activity)
    for m in (naive, greedy, improved(program, chip, greedy, activity, cores=naive.cores)):
        assert problem.busiest(seated(m)) >= least_ns(program, activity, m.cores) * (1 - 1e-9)
    if not over(chip, greedy):
        assert all(m.cores >= least for m in (naive, greedy, improved(program, chip, greedy, activity, cores=1)))


@pytest.mark.parametrize("chip", [LOIHI1, LOIHI2])
def test_fewer_cores_and_a_lower_busiest_core_than_the_naive_mapping(chip: Chip) -> None:
    net = stack((2, 24, 24), (16, 3, 1, 1), (24, 3, 2, 1), 200, 10)
    naive = naive_map(net, chip)
    found = improved(net, chip, map_cores(net, chip), cores=naive.cores - 1)
    problem = Problem(net, chip, assumed(net))
    assert found.cores < naive.cores
    assert problem.busiest(seated(found)) < problem.busiest(seated(naive))


def test_near_the_greedy_mapping_every_number_of_blocks_is_tried() -> None:
    """A core has room for 128 of these neurons: 18 blocks are a tenth and less above 17, and of fewer each."""
    net = stack((1, 1, 1), 400, 2100)
    problem, cuts = Problem(net, LOIHI2, assumed(net)), dict(map_cores(net, LOIHI2).where.cuts)
    name = list(cuts)[-1]
    first = cuts[name].cores
    counts = [option.cut.cores for option in options(problem, name, cuts)]
    near = {-(-2100 // -(-2100 // (first + k))) for k in range(NEAR + 1)}
    assert first > 1 / (GROWTH - 1)
    assert {first, first + 1} <= near <= set(counts)
