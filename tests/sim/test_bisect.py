"""Planted differences are found where they were planted, with the operands of their step."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.errors import InputError
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim import simulate
from spikeport.sim.bisect import Finding, bisect, bisect_overflow, record
from spikeport.sim.compare import Difference
from spikeport.sim.random_programs import KINDS, random_program
from spikeport.trace import Trace

Traces = dict[str, Trace]


def network(vth: int = 40) -> Program:
    """Two layers; the second has a delay and a bias."""
    first = LIF("first", (3,), 1024, 512, 40, np.array([1, 2, 3]))
    second = LIF("second", (2, 2), 2048, 256, vth, np.arange(4).reshape(2, 2), bias_exp=2)
    links = (
        Dense("x", "first", 2 * np.arange(12).reshape(3, 4)),
        Dense("first", "second", np.array([[40, -20, 30], [8, 8, 8], [50, 60, -70], [2, 4, 6]]), delay=1),
    )
    return Program((first, second), links, (Input("x", (4,), "spike"),), (Output("y", "second"),), latency=3)


def traces(program: Program, x: Any) -> Traces:
    found = simulate(program, x, record=[g.name for g in program.groups], engine="reference").traces
    return {name: Trace({k: v.copy() for k, v in t.state.items()}, t.s.copy()) for name, t in found.items()}


@pytest.fixture
def x(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 2, (12, 3, 4))


def value(finding: Finding, name: str) -> tuple[int, int]:
    return next((o.a, o.b) for o in finding.operands if o.name == name)


def test_equal_runs_have_no_difference(x: np.ndarray) -> None:
    assert bisect(traces(network(), x), traces(network(), x), network(), x) is None


@pytest.mark.parametrize("variable", ["u", "v", "s"])
def test_one_flipped_bit_is_named_with_its_operands(x: np.ndarray, variable: str) -> None:
    a, b = traces(network(), x), traces(network(), x)
    flipped = b["second"].s if variable == "s" else b["second"].state[variable]
    flipped[6, 2, 1, 0] ^= 1
    b["second"].u[9, 0] += 7  # a later one hides nothing
    found = bisect(a, b, network(), x)
    assert found is not None and found.first_operand is not None
    good, bad = int(flipped[6, 2, 1, 0]) ^ 1, int(flipped[6, 2, 1, 0])
    assert found.where == Difference(7, "second", variable, 2, 2, good, bad)
    operand = found.first_operand
    assert operand.name == {"u": "u after", "v": "v after", "s": "spike"}[variable]
    assert (operand.a, operand.b, operand.rule) == (good, bad, good)


def test_operands_are_those_of_the_rule(x: np.ndarray) -> None:
    a, b = traces(network(), x), traces(network(), x)
    b["second"].v[6, 2, 1, 0] += 1
    found = bisect(a, b, network(), x)
    assert found is not None
    second = network().groups[1]
    weight = np.array([50, 60, -70])
    assert value(found, "a") == (int(weight @ a["first"].s[4, 2]),) * 2  # sent at step 5, one step and one delay ago
    assert value(found, "u before") == (int(a["second"].u[5, 2, 1, 0]),) * 2
    assert value(found, "v before") == (int(a["second"].v[5, 2, 1, 0]),) * 2
    assert value(found, "bias") == (2 << 2, 2 << 2)
    assert isinstance(second, LIF) and value(found, "vth << 6") == (second.vth << 6,) * 2
    total = value(found, "v decayed")[0] + value(found, "u after")[0] + 8
    assert value(found, "v sum") == (total, total)


def test_another_threshold_is_seen_at_the_spike(x: np.ndarray) -> None:
    a, b = traces(network(), x), traces(network(vth=80), x)
    found = bisect(a, b, network(), x)
    assert found is not None and found.first_operand is not None
    assert found.where.group == "second"
    assert found.first_operand.name == "spike"
    assert (found.first_operand.a, found.first_operand.b, found.first_operand.rule) == (1, 0, 1)
    total = value(found, "v sum")[0]
    assert 40 << 6 < total <= 80 << 6
    first = min(t for t in range(15) if (a["second"].s[t] != b["second"].s[t]).any())
    assert found.where.step == first + 1


def test_without_the_program_only_the_place_is_named(x: np.ndarray) -> None:
    a, b = traces(network(), x), traces(network(), x)
    b["first"].s[3, 1, 2] ^= 1
    found = bisect(a, b)
    assert found is not None and found.operands == ()
    assert (found.where.step, found.where.group, found.where.sample, found.where.neuron) == (4, "first", 1, 2)


def test_a_strict_run_that_stops_shows_what_lava_makes_of_the_value() -> None:
    x = np.ones((4, 1, 4), np.int64)
    strong = replace(network().connections[0], weight=np.full((3, 4), 255), weight_exp=7)  # type: ignore[arg-type]
    program = replace(network(), connections=(strong, network().connections[1]))
    strict, lava = (record(program, x, profile) for profile in ("strict", "lava"))
    found = bisect_overflow(program, x, strict, lava)
    assert strict.stopped is not None and found is not None and found.first_operand is not None
    assert strict.stopped.what == f"{found.where.variable} of neuron {found.where.neuron} at step {found.where.step}"
    assert (found.first_operand.a, found.first_operand.name) == (strict.stopped.got, "u after")
    assert found.first_operand.b == lava.traces["first"].u[found.where.step - 1, 0, 0] == found.first_operand.a - 2**24


def test_the_rule_of_loihi1_gives_what_it_recorded_and_lava_another(x: np.ndarray) -> None:
    weight = np.full((3, 4), 255)
    strong = replace(network().connections[0], weight=weight, weight_exp=7)  # type: ignore[arg-type]
    program = replace(network(), connections=(strong, network().connections[1]))
    a, b = (record(program, x, profile).traces for profile in ("loihi1", "lava"))
    found = bisect(a, b, program, x, "loihi1")
    assert found is not None and found.first_operand is not None
    assert (found.first_operand.name, found.first_operand.rule) == ("u after", found.first_operand.a)
    other = bisect(a, b, program, x, "lava")
    assert other is not None and other.first_operand is not None
    assert other.first_operand.rule == other.first_operand.b


def test_a_strict_run_that_stops_shows_what_loihi1_makes_of_the_value() -> None:
    """Five sums of 4 * 255 << 5 = 32640, each within 2^15, pass 2^23."""
    x = np.ones((6, 1, 4), np.int64)
    strong = replace(network().connections[0], weight=np.full((3, 4), 255), weight_exp=5)  # type: ignore[arg-type]
    first = replace(network().groups[0], du=-1)
    program = replace(network(), groups=(first, network().groups[1]), connections=(strong, network().connections[1]))
    strict, loihi1 = (record(program, x, profile) for profile in ("strict", "loihi1"))
    found = bisect_overflow(program, x, strict, loihi1)
    assert strict.stopped is not None and found is not None and found.where.step == strict.step == 6
    assert (found.where.variable, found.where.a, found.where.b) == ("u", 5 * 32640 * 64, 5 * 32640 * 64 - 2**24)


@given(st.integers(0, 2**32 - 1))
def test_the_rule_gives_what_the_simulator_recorded(seed: int) -> None:
    """Any one flipped value of a random Program: its place is found, and side a follows the rule."""
    rng = np.random.default_rng(seed)
    program, inputs = random_program(rng, kinds=tuple(KINDS))
    a, b = (record(program, inputs, "lava").traces for _ in range(2))
    group = program.groups[rng.integers(len(program.groups))].name
    state = b[group].state
    name = sorted(state)[rng.integers(len(state))]
    at = tuple(int(rng.integers(n)) for n in state[name].shape)
    state[name][at] ^= 1
    found = bisect(a, b, program, inputs)
    assert found is not None
    assert (found.where.group, found.where.step, found.where.variable) == (group, at[0] + 1, name)
    assert all(o.rule in (None, o.a) for o in found.operands)
    assert found.first_operand is not None and found.first_operand.name == f"{name} after"


def test_runs_of_another_program_or_input_are_refused(x: np.ndarray) -> None:
    a, b = traces(network(), x), traces(network(), x)
    b["first"].s[3, 1, 2] ^= 1
    with pytest.raises(InputError, match="samples of the runs"):
        bisect(a, b, network(), x[:, :2])
    alone = {"groups": network().groups[:1], "connections": network().connections[:1]}
    with pytest.raises(InputError, match="recorded group"):
        bisect(a, b, replace(network(), **alone, outputs=(Output("y", "first"),)), x)  # type: ignore[arg-type]
