"""A run in parts equals the run in one, whatever the engine, in memory and through a file."""

import io
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport import fixed
from spikeport.errors import FileError, InputError, OverflowDetected
from spikeport.fixed import Ints
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim import Result, RunState, count_operations, load_state, save_state, simulate
from spikeport.sim.random_programs import KINDS, random_program
from spikeport.sim.saved import fingerprint
from spikeport.sim.simulate import Engine

STEPS = 10


def drawn(seed: int, plain: bool) -> tuple[Program, dict[str, Ints]]:
    kinds = {"kinds": ["lif"], "graded": False} if plain else {"kinds": list(KINDS)}
    return random_program(np.random.default_rng(seed), steps=STEPS, **kinds)  # type: ignore[arg-type]


def part(inputs: dict[str, Ints], first: int, last: int | None) -> dict[str, Ints]:
    return {name: x[first:last] for name, x in inputs.items()}


def in_parts(program: Program, inputs: dict[str, Ints], cuts: list[int], engine: Engine, file: bool) -> list[Result]:
    parts: list[Result] = []
    edges = [0, *sorted(set(cuts)), STEPS]
    state: RunState | None = None
    for first, last in zip(edges, edges[1:], strict=False):
        parts.append(
            simulate(
                program,
                part(inputs, first, last),
                record=[g.name for g in program.groups],
                engine=engine,
                state=state,
                flush=last == STEPS,
            )
        )
        state = parts[-1].state
        if file and state is not None:
            with TemporaryDirectory() as folder:
                save_state(state, Path(folder) / "s.npz")
                state = load_state(Path(folder) / "s.npz", program)
    return parts


def equal(parts: list[Result], whole: Result) -> None:
    assert np.array_equal(np.concatenate([p.spikes for p in parts]), whole.spikes)
    for name, trace in whole.traces.items():
        assert np.array_equal(np.concatenate([p.traces[name].s for p in parts]), trace.s)
        for variable, x in trace.state.items():
            assert np.array_equal(np.concatenate([p.traces[name].state[variable] for p in parts]), x)
    for name, x in whole.sent.items():
        assert np.array_equal(np.concatenate([p.sent[name] for p in parts]), x)


@given(
    seed=st.integers(0, 2**32),
    cuts=st.lists(st.integers(1, STEPS - 1), max_size=3),
    engine=st.sampled_from(["reference", "events"]),
    plain=st.booleans(),
    file=st.booleans(),
)
def test_a_run_in_parts_equals_the_run_in_one(
    seed: int, cuts: list[int], engine: Engine, plain: bool, file: bool
) -> None:
    program, inputs = drawn(seed, plain)
    whole = simulate(program, inputs, record=[g.name for g in program.groups], engine=engine)
    parts = in_parts(program, inputs, cuts, engine, file)
    equal(parts, whole)
    assert parts[-1].state is None and whole.state is None


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), cut=st.integers(1, STEPS - 1), engines=st.permutations(["dense", "reference"]))
def test_the_dense_engine_and_the_specification_go_on_with_each_others_state(
    seed: int, cut: int, engines: list[Engine]
) -> None:
    pytest.importorskip("torch")
    program, inputs = drawn(seed, plain=True)
    groups = [g.name for g in program.groups]
    first = simulate(program, part(inputs, 0, cut), record=groups, engine=engines[0], flush=False)
    last = simulate(program, part(inputs, cut, None), record=groups, engine=engines[1], state=first.state)
    equal([first, last], simulate(program, inputs, record=groups))


@given(seed=st.integers(0, 2**32), cut=st.integers(1, STEPS - 1))
def test_the_engine_that_made_a_state_goes_on(seed: int, cut: int) -> None:
    program, inputs = drawn(seed, plain=False)
    whole = simulate(program, inputs, record=[g.name for g in program.groups])
    parts = in_parts(program, inputs, [cut], "auto", file=True)
    equal(parts, whole)
    first = simulate(program, part(inputs, 0, cut), flush=False)
    assert first.state is not None and first.state.t == cut
    assert first.state.engine == "events"


@pytest.mark.parametrize("engine", ["reference", "events"])
def test_a_state_can_be_used_twice(engine: Engine) -> None:
    program, inputs = drawn(3, plain=True)
    first = simulate(program, part(inputs, 0, 4), engine=engine, flush=False)
    once, again = (simulate(program, part(inputs, 4, None), engine=engine, state=first.state) for _ in range(2))
    assert np.array_equal(once.spikes, again.spikes)


def charged() -> Program:
    """Its bias leaves 24 bits at the 17th step after the clearing."""
    deep = LIF("deep", (1,), 4095, 0, fixed.VTH_MAX, np.array([4095]), bias_exp=7, reset_interval=32, reset_offset=2)
    last = LIF("last", (1,), 4095, 0, 1, np.zeros(1, int), reset_interval=32, reset_offset=4)
    links = (Dense("x", "deep", np.array([[2]])), Dense("deep", "last", np.array([[2]]), delay=1))
    return Program((deep, last), links, (Input("x", (1,), "spike"),), (Output("y", "last"),), latency=3)


@pytest.mark.parametrize("engine", ["reference", "events"])
def test_strict_looks_only_at_the_steps_of_a_sample_that_came_in_parts(engine: Engine) -> None:
    program = charged()
    first = simulate(program, np.zeros((15, 1, 1), int), engine=engine, flush=False)
    simulate(program, np.zeros((1, 1, 1), int), engine=engine, state=first.state)
    with pytest.raises(OverflowDetected, match="^deep: v of neuron 0 at step 18 "):
        simulate(program, np.zeros((2, 1, 1), int), engine=engine, state=first.state)


def test_a_run_that_was_cut_is_not_counted() -> None:
    program = charged()
    first = simulate(program, np.zeros((4, 1, 1), int), flush=False)
    last = simulate(program, np.zeros((4, 1, 1), int), state=first.state)
    for result in (first, last):
        with pytest.raises(InputError, match="result: run was cut; count a run in one"):
            count_operations(program, result)


def test_a_state_of_another_program_batch_or_engine_is_refused(tmp_path: Path) -> None:
    program, x = charged(), np.zeros((4, 1, 1), int)
    state = simulate(program, x, flush=False).state
    assert state is not None
    other = replace(program, latency=2)
    with pytest.raises(InputError, match="state: program is not the one that runs"):
        simulate(other, x, state=state)
    with pytest.raises(InputError, match=r"state: batch \(1\) is not the input's 2"):
        simulate(program, np.zeros((4, 2, 1), int), state=state)
    with pytest.raises(InputError, match=r"state: engine \(events\) is not reference"):
        simulate(program, x, state=state, engine="reference")
    save_state(state, tmp_path / "s.npz")
    with pytest.raises(FileError, match="s.npz: is a state of another Program; use the Program that it came from"):
        load_state(tmp_path / "s.npz", other)


def rewritten(path: Path, **changes: Any) -> None:
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    head = json.loads(str(arrays.pop("head"))) | {k: v for k, v in changes.items() if k not in arrays}
    arrays |= {k: v for k, v in changes.items() if k in arrays}
    np.savez(path, head=np.array(json.dumps(head)), **arrays)


@pytest.mark.parametrize("engine", ["reference", "events"])
def test_a_damaged_file_is_one_clear_line(engine: Engine, tmp_path: Path) -> None:
    program = charged()
    state = simulate(program, np.zeros((4, 1, 1), int), engine=engine, flush=False).state
    assert state is not None
    path = tmp_path / "s.npz"
    save_state(state, path)
    whole = path.read_bytes()
    with np.load(path) as file:
        some = next(name for name in file.files if name != "head")
        wide = np.zeros((7, *file[some].shape), file[some].dtype)

    for damage, words in (
        ({some: wide}, "is damaged"),
        ({"version": 9}, "of this version"),
        ({"t": "x"}, "not a state"),
    ):
        path.write_bytes(whole)
        rewritten(path, **damage)  # type: ignore[arg-type]
        with pytest.raises(FileError, match=words):
            load_state(path, program)
    buffer = io.BytesIO()
    np.savez(buffer, head=np.array([{}], dtype=object))
    for content in (b"", whole[: len(whole) // 2], b"text", buffer.getvalue()):
        path.write_bytes(content)
        with pytest.raises(FileError, match="is not a state"):
            load_state(path, program)
    with pytest.raises(FileError, match="no such file"):
        load_state(tmp_path / "none.npz", program)
    with pytest.raises(FileError, match="cannot be written"):
        save_state(state, tmp_path / "none" / "s.npz")


@given(seed=st.integers(0, 2**32))
def test_every_field_of_a_program_is_in_its_fingerprint(seed: int) -> None:
    program, _ = drawn(seed, plain=False)
    again, _ = drawn(seed, plain=False)
    assert fingerprint(program) == fingerprint(again)
    first = program.groups[0]
    others = [
        replace(program, latency=program.latency + 1),
        replace(program, groups=(replace(first, v_unit=2.0), *program.groups[1:])),
        replace(program, outputs=(replace(program.outputs[0], name="z"),)),
    ]
    others += [replace(program, connections=program.connections[:-1])] if program.connections else []
    assert len({fingerprint(p) for p in (program, *others)}) == 1 + len(others)
