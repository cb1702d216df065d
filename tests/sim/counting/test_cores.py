"""Cores against a walk of every spike over every synapse and of every message over its route, in plain loops."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.chip import LOIHI1, LOIHI2, Chip
from spikeport.cores import Cores, Cut, flat
from spikeport.deploy.cores import cores_of, map_cores
from spikeport.errors import InputError
from spikeport.program import LIF, Connection, Conv, Dense, Input, Output, Program, Shape, Sparse
from spikeport.sim import simulate
from spikeport.sim.counting import count_operations, sample_windows
from spikeport.sim.counting.cores import CoreActivity, count_cores
from spikeport.sim.random_programs import random_program
from spikeport.sim.result import Result

STEPS = 5
SEEDS = st.integers(0, 2**32 - 1)


def synapses(c: Connection, source: Shape, target: Shape) -> Iterator[tuple[int, int, int]]:
    """Source neuron, target neuron and delay of every synapse."""
    delay = np.broadcast_to(c.delay, c.weight.shape)
    match c:
        case Dense():
            yield from ((j, i, int(delay[i, j])) for i, j in np.ndindex(*c.weight.shape))
        case Sparse():
            yield from ((int(c.col[k]), int(c.row[k]), int(delay[k])) for k in range(len(c.row)))
        case Conv():
            _, c_in, *kernel = c.weight.shape
            for o, y, x, i, ky, kx in product(*map(range, (*target, c_in, *kernel))):
                channel = o // (target[0] // c.groups) * c_in + i
                row = y * c.stride[0] - c.padding[0] + ky * c.dilation[0]
                col = x * c.stride[1] - c.padding[1] + kx * c.dilation[1]
                if 0 <= row < source[1] and 0 <= col < source[2]:
                    at = (channel * source[1] + row) * source[2] + col
                    yield at, (o * target[1] + y) * target[2] + x, int(c.delay)


def core_numbers(cores: Cores) -> dict[tuple[str, int], int]:
    """The number of each neuron's core."""
    found, before = {}, 0
    for name, cut in cores.cuts.items():
        blocks = [range(-(-n // b)) for n, b in zip(cut.shape, cut.block, strict=True)]
        number = {block: before + k for k, block in enumerate(product(*blocks))}
        if cores.seats is not None:
            number = {block: int(cores.seats[k]) for block, k in number.items()}
        for neuron, place in enumerate(product(*map(range, cut.shape))):
            found[name, neuron] = number[tuple(p // b for p, b in zip(place, cut.block, strict=True))]
        before += len(number)
    return found


def in_use(cores: Cores) -> list[int]:
    return sorted(set(core_numbers(cores).values()))


def place_of(core: int, chip: Chip) -> tuple[int, int, int]:
    """Chip, x and y."""
    number, rest = divmod(core, chip.cores_per_chip)
    y, x = divmod(rest // chip.cores_per_tile, chip.mesh[0])
    return number, x, y


def walk(a: tuple[int, int], b: tuple[int, int]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The links from tile to tile: x first."""
    while a != b:
        x, y = a
        after = (x + (1 if b[0] > x else -1), y) if x != b[0] else (x, y + (1 if b[1] > y else -1))
        yield a, after
        a = after


def brute(program: Program, result: Result, cores: Cores) -> dict[str, object]:
    """Every array as a Counter by its indices."""
    steps = len(result.spikes)
    windows, number = sample_windows(program, steps), core_numbers(cores)
    behind: dict[tuple[str, int], list[tuple[Connection, int, int]]] = defaultdict(list)
    for c in program.connections:
        for j, i, delay in synapses(c, program.shape_of(c.source), program.shape_of(c.target)):
            behind[c.source, j].append((c, i, delay))
    count: dict[str, Counter] = defaultdict(Counter)
    active = set()
    for node in (*program.inputs, *program.groups):
        if isinstance(node, Input) and node.kind == "bias":
            continue
        for s, b, j in zip(*np.nonzero(result.sent[node.name]), strict=True):
            hardware, b, j = int(s) + 1, int(b), int(j)
            for c, i, delay in behind[node.name, j]:
                arrival = hardware + 1 + delay
                if arrival in windows[c.target]:
                    active.add((b * steps + (arrival - 1) % steps, c.target, i))
            if hardware not in windows[node.name]:
                continue
            row = b * steps + (hardware - 1) % steps
            for c, i, _ in behind[node.name, j]:
                count[type(c).__name__.lower()][row, number[c.target, i]] += 1
            targets = {number[c.target, i] for c, i, _ in behind[node.name, j]}
            for target in targets:
                count["messages_in"][row, target] += 1
            if isinstance(node, Input):
                continue
            active.add((row, node.name, j))
            own = number[node.name, j]
            count["spikes"][row, own] += 1
            for target in targets:
                count["messages_out"][row, own] += 1
                count["messages"][node.name] += 1
                (chip, *start), (other, *end) = place_of(own, cores.chip), place_of(target, cores.chip)
                if chip != other:
                    count["off_chip"][node.name] += 1
                    continue
                way = list(walk((start[0], start[1]), (end[0], end[1])))
                for link in way:
                    count["links"][row, chip, link] += 1
                hops_x = sum(a[0] != b[0] for a, b in way)
                count["hops_x"][node.name] += hops_x
                count["hops_y"][node.name] += len(way) - hops_x
                count["routes"][row, hops_x, len(way) - hops_x] += 1
    for row, name, i in active:
        count["active"][row, number[name, i]] += 1
    for (row, *_), n in count["links"].items():
        count["busiest_link"][(row,)] = max(n, count["busiest_link"][(row,)])
    return count


def same(found: CoreActivity, expected: dict[str, object]) -> None:
    number = found.cores.numbers.tolist()
    by_core = (*found.sops, "active", "spikes", "messages_in", "messages_out")
    arrays = {**found.sops, "routes": found.routes, "busiest_link": found.busiest_link}
    arrays |= {name: getattr(found, name) for name in ("active", "spikes", "messages_in", "messages_out")}
    for name, array in arrays.items():
        assert array.dtype == np.int64
        values = {tuple(map(int, at)): int(array[tuple(at)]) for at in np.argwhere(array)}
        if name in by_core:
            values = {(row, number[core]): n for (row, core), n in values.items()}
        assert values == dict(expected[name]), name
    for name in ("messages", "hops_x", "hops_y", "off_chip"):
        assert +Counter(getattr(found, name)) == +expected[name], name


def made_up(program: Program, rng: np.random.Generator, samples: int) -> Result:
    """Random events; where there may be payloads, of both signs."""
    sent = {}
    for node in (*program.inputs, *program.groups):
        shape = (STEPS + program.latency, samples, node.size)
        sent[node.name] = (rng.random(shape) < rng.choice([0.1, 0.4, 1.0])).astype(np.uint8)
        if rng.random() < 0.3:
            sent[node.name] = sent[node.name] * rng.integers(-300, 300, shape, dtype=np.int32)
    return Result(sent[program.outputs[0].source][program.latency :], program.latency, {}, sent)


def random_cores(program: Program, rng: np.random.Generator) -> Cores:
    """Half of them with seats: blocks that share cores, on tiles and chips in any order, and cores without any."""
    tile, mesh = int(rng.integers(1, 4)), (int(rng.integers(1, 5)), int(rng.integers(1, 4)))
    most = tile * mesh[0] * mesh[1]
    chip = replace(LOIHI1, cores_per_tile=tile, mesh=mesh, cores_per_chip=int(rng.integers(1, most + 1)))
    cuts = {}
    for group in program.groups:
        image = len(group.shape) == 3
        box = group.shape if image else (group.size, 1, 1)
        block = tuple(int(rng.integers(1, n + 1)) for n in box)
        loose = image and not any(isinstance(c, Conv) and c.target == group.name for c in program.connections)
        cuts[group.name] = flat(group.size, int(rng.integers(1, group.size + 1))) if loose else Cut(box, block)
    if rng.random() < 0.5:
        return Cores(chip, cuts)
    blocks = sum(cut.cores for cut in cuts.values())
    return Cores(chip, cuts, rng.integers(0, rng.integers(1, 3 * blocks + 1), blocks))


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, samples=st.integers(1, 3))
def test_cores_equal_a_walk(seed: int, samples: int) -> None:
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng, steps=STEPS, batch=1)
    result, cores = made_up(program, rng, samples), random_cores(program, rng)
    found = count_cores(program, result, cores)
    same(found, brute(program, result, cores))
    counts = count_operations(program, result)
    assert found.cores.numbers.tolist() == in_use(cores)
    assert (found.all_sops.sum(), found.neurons.sum()) == (counts.sops, sum(g.size for g in program.groups))
    assert (found.active.sum(), found.spikes.sum()) == (counts.active, counts.spikes_out)
    for layer in counts.layers if cores.seats is None else ():
        own = slice(first := cores.first[layer.name], first + cores.cuts[layer.name].cores)
        assert found.all_sops[:, own].sum() == layer.sops
        assert found.active[:, own].sum() == layer.active
        assert found.spikes[:, own].sum() == layer.spikes_out
        assert found.neurons[own].sum() == layer.neurons


def alike(a: CoreActivity, b: CoreActivity) -> None:
    assert (a.samples, a.steps, a.tiles) == (b.samples, b.steps, b.tiles)
    for name in ("all_sops", "active", "spikes", "messages_in", "messages_out", "neurons", "busiest_link", "routes"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    for name in ("messages", "hops_x", "hops_y", "off_chip"):
        assert getattr(a, name) == getattr(b, name), name
    assert all(np.array_equal(sops, b.sops[kind]) for kind, sops in a.sops.items())


def part(result: Result, first: int, last: int) -> Result:
    """Some samples of a run."""
    sent = {name: x[:, first:last] for name, x in result.sent.items()}
    return Result(result.spikes[:, first:last], result.latency, {}, sent)


@pytest.mark.parametrize("more", ["", "dense", "sparse"])
def test_channels_that_several_convolutions_reach_together_or_apart(more: str) -> None:
    """Of eight channels, one convolution reaches all alike, another each four, and others each by itself."""
    rng = np.random.default_rng(3)
    shape, onto = (4, 5, 6), (8, 5, 6)
    ways: list[Connection] = [
        Conv("a", "b", np.ones((8, 4, 3, 2), int), padding=(1, 1), dilation=(1, 2)),
        Conv("a", "b", np.ones((8, 2, 1, 1), int), groups=2, delay=1),
    ]
    if more == "dense":
        ways.append(Dense("x", "b", np.ones((240, 3), int)))
    if more == "sparse":
        ways.append(Sparse("x", "b", np.arange(0, 240, 7), np.arange(35) % 3, np.ones(35, int)))
    ways.append(Dense("x", "a", np.ones((120, 3), int)))
    groups = (lif("a", shape), lif("b", onto))
    program = Program(groups, tuple(ways), (Input("x", (3,), "spike"),), (Output("o", "b"),), latency=2)
    result, cores = made_up(program, rng, 3), Cores(LOIHI1, {"a": Cut(shape, (4, 2, 6)), "b": Cut(onto, (3, 2, 4))})
    for name, x in result.sent.items():
        x[:] = rng.random(x.shape) < (0.004 if name == "a" else 0.1)
    found = count_cores(program, result, cores)
    same(found, brute(program, result, cores))
    assert found.active[:, cores.first["b"] :].sum() == count_operations(program, result).layers[1].active


def lif(name: str, shape: Shape) -> LIF:
    return LIF(name, shape, 4095, 400, 1, np.zeros(shape, np.int64))


def hand_program() -> Program:
    """Input x (4) -> a (4) -> b (6), a -> c (2), b -> c: all dense."""
    ones = [Dense(s, t, np.ones((m, n), int)) for s, t, m, n in (("x", "a", 4, 4), ("a", "b", 6, 4), ("a", "c", 2, 4))]
    groups = (lif("a", (4,)), lif("b", (6,)), lif("c", (2,)))
    connections = (*ones, Dense("b", "c", np.ones((2, 6), int)))
    return Program(groups, connections, (Input("x", (4,), "spike"),), (Output("o", "c"),), latency=2)


def hand_result(**spikes: list[tuple[int, int, int]]) -> Result:
    """Of two samples and three steps: (hardware step from 1, sample, neuron) of each spike."""
    sent = {name: np.zeros((5, 2, n), np.uint8) for name, n in (("x", 4), ("a", 4), ("b", 6), ("c", 2))}
    for name, events in spikes.items():
        for step, sample, neuron in events:
            sent[name][step - 1, sample, neuron] = 1
    return Result(sent["c"][2:], 2, {}, sent)


HAND_CHIP = replace(LOIHI1, cores_per_chip=8, cores_per_tile=1, mesh=(4, 2))
HAND_CORES = Cores(HAND_CHIP, {"a": flat(4, 2), "b": flat(6, 2), "c": flat(2, 1)})
"""a on cores 0 and 1 (tiles 0,0 and 1,0), b on 2, 3, 4 (2,0; 3,0; 0,1), c on 5 and 6 (1,1; 2,1)."""


def test_one_spike_by_hand() -> None:
    found = count_cores(hand_program(), hand_result(a=[(2, 0, 3)]), HAND_CORES)
    # a's window begins at step 2: step 0 of sample 0 is row 1. From tile (1, 0) to b and c, x first:
    # (2,0): 1 east; (3,0): 2 east; (0,1): 1 west, 1 south; (1,1): 1 south; (2,1): 1 east, 1 south
    assert found.all_sops[1].tolist() == [0, 0, 2, 2, 2, 1, 1]
    assert found.messages_in[1].tolist() == [0, 0, 1, 1, 1, 1, 1]
    assert found.messages_out[1].tolist() == [0, 5, 0, 0, 0, 0, 0]
    assert (found.messages["a"], found.hops_x["a"], found.hops_y["a"], found.off_chip["a"]) == (5, 5, 3, 0)
    assert found.busiest_link.tolist() == [0, 3, 0, 0, 0, 0]  # (1,0) -> (2,0)
    assert found.active.sum(axis=1).tolist() == [0, 1, 8, 0, 0, 0]  # the spike; then all of b and c
    assert found.neurons.tolist() == [2, 2, 2, 2, 2, 1, 1]
    assert found.tiles == 7
    assert {name: n for name, n in found.messages.items() if n} == {"a": 5}


def test_the_time_of_each_sample_is_a_circle() -> None:
    """c's window is steps 3 to 5; the last two of each sample are its rows 3 and 4 of 3."""
    found = count_cores(hand_program(), hand_result(c=[(3, 0, 0), (4, 0, 0), (5, 1, 1)]), HAND_CORES)
    assert [tuple(at) for at in np.argwhere(found.spikes)] == [(0, 5), (2, 5), (4, 6)]
    assert found.messages_in.sum() == found.messages["c"] == 0


def test_what_inputs_send_is_received_and_nothing_else() -> None:
    found = count_cores(hand_program(), hand_result(x=[(1, 0, 0), (1, 0, 1)]), HAND_CORES)
    assert found.messages_in[0].tolist() == [2, 2, 0, 0, 0, 0, 0]
    assert found.all_sops[0].tolist() == [4, 4, 0, 0, 0, 0, 0]
    assert found.messages_out.sum() == found.routes.sum() == sum(found.messages.values()) == 0


def test_messages_to_another_chip_have_no_hops() -> None:
    cores = Cores(replace(HAND_CHIP, cores_per_chip=2), HAND_CORES.cuts)
    found = count_cores(hand_program(), hand_result(b=[(3, 0, 0), (3, 0, 4)]), cores)
    # chips: a | b0 b1 | b2 c0 | c1. b's core 0 sends to c0 and c1, both elsewhere; core 2 shares its chip with c0
    assert (found.messages["b"], found.off_chip["b"], found.hops_x["b"], found.hops_y["b"]) == (4, 3, 1, 0)
    assert found.routes[2].sum() == 1


SEATS = np.array([9, 1, 1, 9, 30, 3, 9])
"""a on cores 9 and 1, b on 1, 9 and 30, c on 3 and 9: chips of 8 cores, tile 1 of chips 0 and 1, and so on."""


def test_blocks_that_share_a_core_by_hand() -> None:
    cores = Cores(HAND_CHIP, HAND_CORES.cuts, SEATS)
    found = count_cores(hand_program(), hand_result(a=[(2, 0, 3)]), cores)
    assert (cores.numbers.tolist(), cores.chips().tolist()) == ([1, 3, 9, 30], [0, 0, 1, 3])
    assert cores.groups == ("a+b", "c", "a+b+c", "b")
    assert cores.tiles().tolist() == [[1, 0], [3, 0], [1, 0], [2, 1]]
    # from core 1 to all of b (cores 1, 9, 30) and c (3, 9): four cores, one of them its own, two on other chips
    assert found.all_sops[1].tolist() == [2, 1, 3, 2]
    assert found.messages_in[1].tolist() == [1, 1, 1, 1]
    assert found.messages_out[1].tolist() == [4, 0, 0, 0]
    assert (found.messages["a"], found.hops_x["a"], found.hops_y["a"], found.off_chip["a"]) == (4, 2, 0, 2)
    assert found.active[1:3].tolist() == [[1, 0, 0, 0], [2, 1, 3, 2]]  # the spike; then all of b and c
    assert found.neurons.tolist() == [4, 1, 5, 2]
    assert [core["core"] for core in found.to_json()["cores"]] == [1, 3, 9, 30]


def test_other_seats_of_the_same_blocks_move_work_and_make_none() -> None:
    rng = np.random.default_rng(4)
    program = hand_program()
    result = made_up(program, rng, 2)
    alone, shared = (count_cores(program, result, Cores(HAND_CHIP, HAND_CORES.cuts, s)) for s in (None, SEATS))
    for name in ("all_sops", "active", "spikes"):
        blocks = getattr(alone, name)
        expected = np.stack([blocks[:, SEATS == number].sum(axis=1) for number in (1, 3, 9, 30)], axis=1)
        assert np.array_equal(getattr(shared, name), expected), name
    assert shared.messages_in.sum() < alone.messages_in.sum()
    far = count_cores(program, result, Cores(HAND_CHIP, HAND_CORES.cuts, SEATS + 8 * 10**6))
    assert np.array_equal(far.all_sops, shared.all_sops)  # a million chips without neurons cost nothing


@pytest.mark.parametrize("seats", [np.zeros(6, int), np.full(7, 0.5), np.array([0, 0, 0, 0, 0, 0, -1])])
def test_seats_are_a_number_for_each_block(seats: np.ndarray) -> None:
    with pytest.raises(InputError, match="cores: seat"):
        Cores(HAND_CHIP, HAND_CORES.cuts, seats)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_samples_of_a_simulation_stand_for_themselves(seed: int) -> None:
    """A run of several samples does what runs of one do, row by row, on the cores of the map."""
    program, inputs = random_program(np.random.default_rng(seed), steps=STEPS, batch=3)
    for chip in (LOIHI1, LOIHI2):
        cores = cores_of(map_cores(program, chip), chip)
        whole = count_cores(program, simulate(program, inputs), cores)
        a, b, c = (
            count_cores(program, simulate(program, {n: x[:, b : b + 1] for n, x in inputs.items()}), cores)
            for b in range(3)
        )
        alike(whole, a + b + c)


def test_one_core_for_each_group_receives_each_spike_once() -> None:
    rng = np.random.default_rng(1)
    program = hand_program()
    result = made_up(program, rng, 2)
    found = count_cores(program, result, Cores(LOIHI2, {g.name: flat(g.size, g.size) for g in program.groups}))
    spikes = found.spikes.sum(axis=0)
    assert found.messages_in.sum(axis=0)[1:].tolist() == [spikes[0], spikes[0] + spikes[1]]
    assert found.messages == {"a": 2 * spikes[0], "b": spikes[1], "c": 0}
    assert found.hops_x == found.hops_y == {"a": 0, "b": 0, "c": 0}  # three cores of one tile


def test_json_has_intels_names_and_sums_over_the_run() -> None:
    rng = np.random.default_rng(2)
    program = hand_program()
    found = count_cores(program, made_up(program, rng, 2), HAND_CORES)
    document = found.to_json()
    assert json.loads(json.dumps(document)) == document
    assert list(document["cores"][0]) == [
        "core", "group", "tile", "chip", "neurons", "syn_ops", "dendrite_updates", "spikes_in", "axon_out",
    ]  # fmt: skip
    core = document["cores"][4]
    assert (core["group"], core["tile"], core["dendrite_updates"]) == ("b", [0, 1], 2 * found.rows)
    assert core["syn_ops"] == found.all_sops[:, 4].sum()
    assert sum(c["axon_out"] for c in document["cores"]) == sum(g["messages"] for g in document["groups"].values())


def test_cores_of_another_program_are_refused() -> None:
    program, result = hand_program(), hand_result()
    with pytest.raises(InputError, match="neurons of the groups"):
        count_cores(program, result, Cores(LOIHI1, {**HAND_CORES.cuts, "c": flat(3, 1)}))
    with pytest.raises(InputError, match="neurons of the groups"):
        count_cores(program, result, Cores(LOIHI1, dict(reversed(HAND_CORES.cuts.items()))))


def test_an_image_that_is_cut_into_runs_is_refused_before_a_convolution_only() -> None:
    groups = (lif("a", (2, 3, 3)), lif("b", (2, 3, 3)))
    ways = (Dense("x", "a", np.ones((18, 2), int)), Conv("a", "b", np.ones((2, 2, 1, 1), int)))
    program = Program(groups, ways, (Input("x", (2,), "spike"),), (Output("o", "b"),))
    result = made_up(program, np.random.default_rng(0), 1)
    runs, image = flat(18, 5), Cut((2, 3, 3), (1, 2, 2))
    assert count_cores(program, result, Cores(LOIHI1, {"a": runs, "b": image})).neurons.sum() == 36
    with pytest.raises(InputError, match="cores of b: the shape that is cut"):
        count_cores(program, result, Cores(LOIHI1, {"a": image, "b": runs}))


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_runs_add_up(seed: int) -> None:
    """A batch is counted as the sum of its parts, wherever it is cut."""
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng, steps=STEPS, batch=1)
    cores = random_cores(program, rng)
    result = made_up(program, rng, 4)
    whole = count_cores(program, result, cores)
    assert whole.rows == 4 * STEPS
    for cut in range(1, 4):
        alike(
            count_cores(program, part(result, 0, cut), cores) + count_cores(program, part(result, cut, 4), cores), whole
        )


def test_runs_on_other_cores_do_not_add() -> None:
    a = count_cores(hand_program(), hand_result(), HAND_CORES)
    elsewhere = Cores(HAND_CHIP, {**HAND_CORES.cuts, "b": flat(6, 6)})
    with pytest.raises(InputError, match="activity: cuts"):
        a + count_cores(hand_program(), hand_result(), elsewhere)
    with pytest.raises(InputError, match="activity: seats"):
        a + count_cores(hand_program(), hand_result(), Cores(HAND_CHIP, HAND_CORES.cuts, SEATS))
    with pytest.raises(InputError, match="activity: steps"):
        a + replace(a, steps=9)
