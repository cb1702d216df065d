"""Counts against an enumeration of every spike over every synapse, and the invariants that must hold."""

import gc
import json
import weakref
from dataclasses import replace
from fractions import Fraction
from itertools import product
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.errors import InputError
from spikeport.program import LIF, Connection, Conv, Dense, Encoder, Input, Output, Program, Shape, SigmaDelta, Sparse
from spikeport.sim import simulate
from spikeport.sim.counting import count, count_operations, sample_windows
from spikeport.sim.counting.plan import plan_of
from spikeport.sim.result import Result
from spikeport.sim.saved import fingerprint
from tests.sim.counting.enumeration import check_counts, synapses_of

STEPS, SAMPLES = 5, 3


def group(name: str, shape: Shape, interval: int = 0, offset: int = 0) -> LIF:
    return LIF(name, shape, 4095, 400, 1, np.zeros(shape, np.int64), reset_interval=interval, reset_offset=offset)


def mixed(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(-1, 3, shape) * 2


def small_program(seed: int, first: str = "spike") -> Program:
    """Input (2, 4, 4) -> conv -> dense with delay -> sparse, and a delayed shortcut from the conv."""
    rng = np.random.default_rng(seed)
    conv = Conv("x", "c", mixed(rng, 4, 1, 3, 3), stride=(2, 1), padding=(1, 1), groups=2)
    pairs = np.array([(r, c) for r, c in product(range(6), range(7)) if rng.random() < 0.4] or [(0, 0)])
    start = 1 if first == "spike" else 0
    groups = (group("c", (4, 2, 4)), group("d", (7,)), group("e", (6,), 16, 5 + start))
    connections: list[Connection] = [
        Dense("c", "d", mixed(rng, 7, 32), delay=2),
        Sparse("d", "e", pairs[:, 0], pairs[:, 1], mixed(rng, len(pairs))),
        Dense("c", "e", mixed(rng, 6, 32), delay=3),
    ]
    if first == "spike":
        return Program(groups, (conv, *connections), (Input("x", (2, 4, 4), "spike"),), (Output("o", "e"),), latency=5)
    encoder = Encoder(conv, np.zeros((4, 2, 4), np.int64))
    inputs = (Input("x", (2, 4, 4), "bias", -9, 9),)
    return Program(groups, tuple(connections), inputs, (Output("o", "e"),), (encoder,), latency=4)


def made_up(program: Program, sent: dict[str, np.ndarray]) -> Result:
    last = sent[program.outputs[0].source]
    return Result(last[program.latency :], program.latency, {}, sent)


def random_result(program: Program, seed: int, samples: int = SAMPLES, density: float = 0.4) -> Result:
    rng = np.random.default_rng(seed)
    nodes = [(i.name, i.size) for i in program.inputs] + [(g.name, g.size) for g in program.groups]
    shape = (STEPS + program.latency, samples)
    return made_up(program, {name: (rng.random((*shape, n)) < density).astype(np.uint8) for name, n in nodes})


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_counts_equal_enumeration(seed: int) -> None:
    program = small_program(seed)
    result = random_result(program, seed)
    counts = count_operations(program, result)
    windows = {name: range(first, first + STEPS) for name, first in {"x": 1, "c": 2, "d": 5, "e": 6}.items()}
    check_counts(program, result.sent, windows, counts)
    for layer in counts.layers:
        assert layer.rate == Fraction(layer.spikes_out, layer.updates)
        for c in layer.connections:
            assert c.slots == result.sent[c.source][:STEPS].size


def test_every_spike_costs_the_ann_without_padding_at_every_step() -> None:
    program = small_program(0)
    sent = {name: np.ones_like(x) for name, x in random_result(program, 0).sent.items()}
    counts = count_operations(program, made_up(program, sent))
    for layer in counts.layers:
        assert layer.sops == sum(c.synapses for c in layer.connections) * STEPS * SAMPLES
        assert layer.rate == layer.input_rate == 1
        assert (layer.active, layer.inactive) == (layer.updates, 0)
    assert counts.spikes_per_synapse == STEPS
    assert counts.synapses < counts.macs_dense  # the conv is padded


def test_silence_costs_nothing() -> None:
    program = small_program(0)
    sent = {name: np.zeros_like(x) for name, x in random_result(program, 0).sent.items()}
    counts = count_operations(program, made_up(program, sent))
    assert counts.sops == counts.sops_nz == counts.host_macs == counts.active == counts.spikes_out == 0
    assert counts.inactive == counts.updates == sum(layer.neurons for layer in counts.layers) * STEPS * SAMPLES
    assert counts.macs_dense > 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 3))
def test_batches_add_up(seed: int, cut: int) -> None:
    for first in ("spike", "bias"):
        program = small_program(seed, first)
        whole = random_result(program, seed, samples=4)
        parts = [
            made_up(program, {n: x[:, part] for n, x in whole.sent.items()}) for part in (slice(cut), slice(cut, 4))
        ]
        assert count_operations(program, whole) == count_operations(program, parts[0]) + count_operations(
            program, parts[1]
        )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, STEPS - 1))
def test_steps_add_up(seed: int, cut: int) -> None:
    """Silence outside [0, cut) of every window, then outside [cut, T): the two sum to the whole."""
    program = small_program(seed)
    whole = random_result(program, seed)
    early, late = ({n: np.zeros_like(x) for n, x in whole.sent.items()} for _ in range(2))
    for name, window in sample_windows(program, STEPS).items():
        middle = window.start - 1 + cut
        early[name][:middle] = whole.sent[name][:middle]
        late[name][middle:] = whole.sent[name][middle:]
    parts = [count_operations(program, made_up(program, sent)) for sent in (early, late)]
    assert count_operations(program, whole).sops == sum(part.sops for part in parts)


def test_spikes_outside_a_groups_window_belong_to_no_sample() -> None:
    program = small_program(1)
    result = random_result(program, 1)
    noisy = {n: np.ones_like(x) for n, x in result.sent.items()}
    for name, window in sample_windows(program, STEPS).items():
        inside = slice(window.start - 1, window.stop - 1)
        noisy[name][inside] = result.sent[name][inside]
    assert count_operations(program, made_up(program, noisy)) == count_operations(program, result)


def test_windows_follow_delays_and_a_reset_offset_wins() -> None:
    program = small_program(0)
    assert sample_windows(program, 5) == {"x": range(1, 6), "c": range(2, 7), "d": range(5, 10), "e": range(6, 11)}
    program = small_program(0, "bias")
    assert sample_windows(program, 5) == {"x": range(1, 6), "c": range(1, 6), "d": range(4, 9), "e": range(5, 10)}
    moved = replace(program, groups=(*program.groups[:2], group("e", (6,), 16, 7)))
    assert sample_windows(moved, 5)["e"] == range(7, 10)  # the run ends after step 9


def test_windows_with_a_loop_and_with_delays_per_synapse() -> None:
    ones = np.ones((2, 2), np.int64)
    loop = (Dense("x", "a", ones), Dense("b", "a", ones), Dense("a", "b", ones, delay=np.array([[4, 2], [3, 9]])))
    groups = (group("a", (2,)), group("b", (2,)), group("alone", (2,)))
    program = Program(groups, loop, (Input("x", (2,), "spike"),), (Output("o", "a"),), latency=1)
    assert sample_windows(program, 4) == {"x": range(1, 5), "a": range(2, 6), "b": range(5, 6), "alone": range(1, 5)}
    counts = count_operations(program, random_result(program, 0))
    assert [layer.steps for layer in counts.layers] == [5, 2, 5]
    assert counts.layers[1].updates == 2 * 2 * SAMPLES


def test_host_counts_a_still_image_once_and_a_moving_one_at_each_step() -> None:
    program = small_program(0, "bias")
    still = np.repeat(np.ones((1, 3, 2, 4, 4), np.int64), STEPS, axis=0)
    moving = still.copy()
    moving[-1, 1] = 2  # only the second sample changes
    for x, passes in ((still, 3), (moving, 2 + STEPS)):
        counts = count_operations(program, simulate(program, x))
        encoder = counts.layers[0].encoders[0]
        assert (encoder.passes, encoder.macs) == (passes, passes * encoder.macs_dense)
        assert counts.host_macs == encoder.macs
        assert counts.layers[0].sops == 0
    assert encoder.macs_dense == 4 * 2 * 4 * 9
    assert (encoder.weights, encoder.outputs) == (4 * 1 * 3 * 3, 4 * 2 * 4)
    assert encoder.macs_valid == len(synapses_of(program.encoders[0].synapses, (2, 4, 4)))


def test_simulated_run_is_counted() -> None:
    program = small_program(3)
    x = (np.random.default_rng(3).random((STEPS, SAMPLES, 2, 4, 4)) < 0.5).astype(np.int64)
    counts = count_operations(program, simulate(program, x))
    assert counts.layers[0].events_in == x.sum()
    assert counts.layers[0].sops > 0
    assert counts.per_inference(counts.sops) == Fraction(counts.sops, SAMPLES)


def test_json_is_plain_and_its_totals_are_sums() -> None:
    program = small_program(0, "bias")
    counts = count_operations(program, random_result(program, 0))
    document = json.loads(json.dumps(counts.to_json()))
    for name, total in document["totals"].items():
        assert total == sum(layer[name] for layer in document["layers"])
    for name in ("ops", "memory"):
        for part, total in document[name].items():
            assert total == sum(layer[name][part] for layer in document["layers"])
    assert document["schema"] == "spikeport-counts/2"
    assert document["program_sha256"] == fingerprint(program)
    assert document["layers"][0]["spikes_per_step"] == list(counts.layers[0].spikes_per_step)


def test_result_of_another_program_is_refused() -> None:
    program = small_program(0)
    result = random_result(program, 0)
    with pytest.raises(InputError, match="result of d"):
        count_operations(program, made_up(program, {**result.sent, "d": result.sent["e"]}))
    with pytest.raises(InputError, match="nothing"):
        count_operations(program, made_up(program, {n: x for n, x in result.sent.items() if n != "x"}))


def test_counts_of_different_networks_do_not_add() -> None:
    program = small_program(0)
    counts = count_operations(program, random_result(program, 0))
    with pytest.raises(InputError, match="steps"):
        counts + replace(counts, steps=9)
    with pytest.raises(InputError, match="layers"):
        counts + replace(counts, layers=counts.layers[:1])
    with pytest.raises(InputError, match="program_sha256"):
        counts + replace(counts, program_sha256="another")


def test_only_graded_connections_multiply_and_bits_of_payloads_are_counted() -> None:
    ones = np.ones((2, 3), np.int64)
    groups = (SigmaDelta("s", (2,), "sigma"), group("a", (2,)))
    connections = (
        Dense("p", "s", ones, graded=True),
        Dense("p", "a", ones),
        Dense("a", "s", ones[:, :2], graded=True),
    )
    program = Program(groups, connections, (Input("p", (3,), "graded", -9, 9),), (Output("y", "s"),))
    sent = {
        "p": np.array([[[0, 3, -9]], [[1, 0, 0]]]),
        "s": np.array([[[0, 0]], [[5, -8]]], np.int32),
        "a": np.array([[[0, 0]], [[1, 1]]], np.uint8),
    }
    counts = count_operations(program, Result(sent["s"], 0, {}, sent))
    sigma, plain = counts.layers
    assert [c.macs_eff for c in sigma.connections] == [3 * 2, 2 * 2]
    assert [c.macs_eff for c in plain.connections] == [0]
    assert counts.macs_eff == 10
    assert (sigma.graded, sigma.payload_bits) == (True, (3 + 1) + (4 + 1))  # 5 and -8, each with a sign
    assert (plain.graded, plain.payload_bits) == (True, 2)


def test_a_plan_lives_as_long_as_its_program() -> None:
    program = small_program(0)
    assert plan_of(program) is plan_of(program)
    assert plan_of(replace(program)) is not plan_of(program)
    kept = weakref.ref(plan_of(program))
    del program
    gc.collect()
    assert kept() is None


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), first=st.sampled_from(["spike", "bias"]))
def test_threads_that_share_the_steps_count_what_one_counts(seed: int, first: str) -> None:
    program = small_program(seed, first)
    result = random_result(program, seed)
    alone = count_operations(program, result)
    with mock.patch.object(count, "PART_BYTES", 1), mock.patch.object(count, "threads", lambda: 3):
        assert count_operations(program, result) == alone
