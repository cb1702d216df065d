"""The event engine equals the reference interpreter in u, v and spikes: every node, connection, length and batch."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.errors import OverflowDetected
from spikeport.fixed import Ints
from spikeport.program import LIF, Conv, Dense, Input, Output, Program
from spikeport.sim import reference
from spikeport.sim.engine.run import EventEngine, State
from spikeport.sim.fanout import fan_out
from spikeport.sim.random_programs import random_program

Traces = dict[str, tuple[Ints, Ints, Ints]]


def flat(inputs: dict[str, Ints]) -> dict[str, Ints]:
    return {name: x.reshape(*x.shape[:2], -1).astype(np.int64) for name, x in inputs.items()}


def by_reference(program: Program, inputs: dict[str, Ints], steps: int) -> Traces:
    kept: dict[str, list[list[Ints]]] = {g.name: [[], [], []] for g in program.groups}

    def observe(t: int, name: str, state: Mapping[str, Ints], sent: Ints) -> None:
        for store, value in zip(kept[name], (state["u"], state["v"], sent), strict=True):
            store.append(value)

    reference.run(program, inputs, steps, observe, "lava")
    return {name: tuple(np.array(x) for x in values) for name, values in kept.items()}  # type: ignore[misc]


def by_engine(engine: EventEngine, state: State, inputs: dict[str, Ints], steps: int) -> Traces:
    names = [g.name for g in engine.program.groups]
    ran = engine.run(state, inputs, steps, strict=False, spikes=names, states=names)
    return {n: tuple(x[n].reshape(steps, len(state.u), -1) for x in (ran.u, ran.v, ran.sent)) for n in names}  # type: ignore[misc]


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 20), batch=st.integers(1, 5), threads=st.integers(1, 3))
def test_equals_the_reference(seed: int, steps: int, batch: int, threads: int) -> None:
    program, inputs = random_program(np.random.default_rng(seed), kinds=["lif"], graded=False, steps=steps, batch=batch)
    x = flat(inputs)
    hardware_steps = steps + program.latency
    engine = EventEngine(program, threads)

    found = by_engine(engine, engine.start(batch), x, hardware_steps)

    for name, want in by_reference(program, x, hardware_steps).items():
        for got, expected in zip(found[name], want, strict=True):
            assert np.array_equal(got, expected)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(1, 11))
def test_a_run_cut_in_two_equals_the_run_in_one(seed: int, cut: int) -> None:
    program, inputs = random_program(np.random.default_rng(seed), kinds=["lif"], graded=False, steps=12, batch=2)
    x = flat(inputs)
    engine = EventEngine(program, 1)

    whole = by_engine(engine, engine.start(2), x, 12)
    state = engine.start(2)
    later = {name: values[cut:] for name, values in x.items()}
    first, second = by_engine(engine, state, x, cut), by_engine(engine, state, later, 12 - cut)

    assert state.t == 12
    for name, values in whole.items():
        for k, value in enumerate(values):
            assert np.array_equal(np.concatenate([first[name][k], second[name][k]]), value)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_counts_each_synapse_that_a_spike_reaches(seed: int) -> None:
    program, inputs = random_program(np.random.default_rng(seed), kinds=["lif"], graded=False, steps=8, batch=2)
    x = flat(inputs)
    engine = EventEngine(program, 1)
    names = [g.name for g in program.groups]

    ran = engine.run(engine.start(2), x, 8, strict=False, spikes=names)

    sent = {**{name: values for name, values in x.items()}, **{n: ran.sent[n].reshape(8, 2, -1) for n in names}}
    for k, connection in enumerate(program.connections):
        reached = fan_out(connection, program.shape_of(connection.source))
        assert np.array_equal(ran.sops[:, k], ((sent[connection.source] != 0) * reached).sum((0, 2)))


def one_layer(weight: int, vth: int = 100) -> Program:
    group = LIF("lif1", (3,), 4095, 0, vth, np.zeros(3, np.int16))
    dense = Dense("x", "lif1", np.full((3, 2), weight), weight_exp=7)
    return Program((group,), (dense,), (Input("x", (2,), "spike"),), (Output("y", "lif1"),))


@pytest.mark.parametrize("strict", [True, False])
def test_an_overflow_is_an_error_only_where_it_is_strict(strict: bool) -> None:
    program = one_layer(254, vth=131071)
    x = {"x": np.ones((9, 2, 2), np.int64)}
    engine = EventEngine(program, 1)

    if not strict:
        assert engine.run(engine.start(2), x, 9, strict=False).sops.sum() == 9 * 2 * 6
        return

    with pytest.raises(OverflowDetected) as by_engine:
        engine.run(engine.start(2), x, 9, strict=True)
    with pytest.raises(OverflowDetected) as by_reference:
        reference.run(program, x, 9, lambda *_: None, "strict")
    assert str(by_engine.value) == str(by_reference.value)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_overflows_are_reported_as_the_reference_does(seed: int) -> None:
    program, inputs = random_program(np.random.default_rng(seed), kinds=["lif"], graded=False, steps=8, batch=3)
    x = flat(inputs)
    engine = EventEngine(replace(program, profile="strict"), 1)

    def outcome(run: object) -> str:
        try:
            run()  # type: ignore[operator]
        except OverflowDetected as error:
            return str(error)
        return "none"

    want = outcome(lambda: reference.run(program, x, 8, lambda *_: None, "strict"))
    assert outcome(lambda: engine.run(engine.start(3), x, 8, strict=True)) == want


def test_wide_convolutions_run_in_little_memory(rng: np.random.Generator) -> None:
    conv = Conv("x", "h", 2 * rng.integers(-50, 50, (32, 3, 5, 5)), padding=(2, 2))
    group = LIF("h", (32, 128, 128), 4095, 1024, 400, np.zeros((32, 128, 128), np.int16))
    program = Program((group,), (conv,), (Input("x", (3, 128, 128), "spike"),), (Output("y", "h"),))
    engine = EventEngine(program, 1)

    assert engine.layout.bytes_.nbytes < 3000
    assert engine.layout.runs.nbytes < 128 * 128 * 5 * 12 + 100
