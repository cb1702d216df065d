"""A run that is cut in two equals the run in one."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.errors import InputError
from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim import reference
from spikeport.sim.random_programs import KINDS, random_program
from spikeport.sim.state import State, cleared

Seen = list[tuple[int, str, dict[str, list[list[int]]]]]


def run(program: Program, inputs: Mapping[str, Ints], steps: int, start: State | None = None) -> tuple[State, Seen]:
    """The state at the end, and what each group did at each step, as plain lists."""
    seen: Seen = []

    def observe(t: int, group: str, state: Mapping[str, Ints], s: Ints) -> None:
        seen.append((t, group, {name: x.tolist() for name, x in {**state, "s": s}.items()}))

    return reference.run(program, inputs, steps, observe, "lava", start), seen


def plain(state: State) -> tuple[object, ...]:
    """Everything in it, for `==`. Steps at which nothing but zeros arrive may be there or not."""
    groups = {n: {k: x.tolist() for k, x in values.items()} for n, values in state.groups.items()}
    arriving = {d: {t: a.tolist() for t, a in box.items() if a.any()} for d, box in state.arriving.items()}
    return state.t, groups, arriving, {n: x.tolist() for n, x in state.loaded.items()}


def drawn(seed: int) -> tuple[Program, dict[str, Ints], int]:
    """A random Program, its inputs `(T, B, n)`, and how many steps to run: more than there are inputs."""
    program, inputs = random_program(np.random.default_rng(seed), steps=10, kinds=KINDS)
    return program, {name: x.reshape(*x.shape[:2], -1) for name, x in inputs.items()}, 10 + program.latency


@given(seed=st.integers(0, 10_000), data=st.data())
def test_a_run_cut_in_two_equals_the_run_in_one(seed: int, data: st.DataObject) -> None:
    program, inputs, steps = drawn(seed)
    cut = data.draw(st.integers(0, steps), "cut")
    end, seen = run(program, inputs, steps)

    middle, first = run(program, {name: x[:cut] for name, x in inputs.items()}, cut)
    last, second = run(program, {name: x[cut:] for name, x in inputs.items()}, steps - cut, middle)

    assert first + second == seen
    assert plain(last) == plain(end)


@pytest.mark.parametrize("seed", range(5))
def test_a_state_can_be_used_twice(seed: int) -> None:
    program, inputs, steps = drawn(seed)
    start, _ = run(program, inputs, steps)
    before = plain(start)
    once, again = run(program, inputs, steps, start), run(program, inputs, steps, start)
    assert plain(start) == before
    assert once[1] == again[1]
    assert plain(once[0]) == plain(again[0])


def test_the_cleared_state_is_where_a_run_starts() -> None:
    program, inputs, steps = drawn(1)
    assert run(program, inputs, steps)[1] == run(program, inputs, steps, cleared(program, 2))[1]


def test_a_state_of_another_program_or_batch_is_refused() -> None:
    program, inputs, steps = drawn(1)
    state, _ = run(program, inputs, steps)
    group = program.groups[0].name
    other = replace(state, groups={**state.groups, group: {"other": np.zeros((2, 1), np.int64)}})
    for wrong in (other, cleared(program, 3), replace(state, arriving={})):
        with pytest.raises(InputError, match="state: groups, variables or sizes are not those of the program"):
            run(program, inputs, steps, wrong)
