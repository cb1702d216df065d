"""Bounds of sigma-delta neurons, alone and in chains, and constant inputs that overflow a sum without end."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from spikeport.deploy.bounds import CEILING, GroupBounds, prove
from spikeport.deploy.bounds.sources import of_proven
from spikeport.deploy.fan_in import INT32
from spikeport.deploy.witness import find_witness
from spikeport.errors import OverflowDetected
from spikeport.program import LIF, Dense, Group, Input, Output, Program, SigmaDelta
from spikeport.sim import simulate

EDGE = 2**23 - 1


def chain(*groups: Group, weights: Any, low: int = -100, high: int = 50, exps: Any = None, **values: Any) -> Program:
    """`x` into the first group and so on, each with payloads; one weight or matrix for each connection."""
    names = ["x", *(g.name for g in groups)]
    exps = exps or [0] * len(groups)
    links = [
        Dense(a, b, np.atleast_2d(w), exp, graded=True)
        for a, b, w, exp in zip(names[:-1], names[1:], weights, exps, strict=True)
    ]
    entry = Input("x", (links[0].weight.shape[1],), "graded", low, high)
    return Program(groups, tuple(links), (entry,), (Output("y", names[-1]),), **values)


def delta(name: str = "d", n: int = 1, **values: Any) -> SigmaDelta:
    return SigmaDelta(name, (n,), "delta", **values)


def layer(name: str = "s", n: int = 1, **values: Any) -> SigmaDelta:
    return SigmaDelta(name, (n,), "sigma_delta", **values)


def intervals(found: GroupBounds) -> dict[str, tuple[int, int]]:
    return {bound.what: bound.interval for bound in found.bounds}


def overflows(program: Program, inputs: Any, where: str, what: str) -> None:
    with pytest.raises(OverflowDetected) as caught:
        simulate(program, inputs)
    assert (caught.value.where, caught.value.what) == (where, what)


# ---------------------------------------------------------------- by hand


def test_a_delta_is_the_difference_of_two_inputs() -> None:
    """3 * -100 << 2 and 3 * 50 << 2."""
    (found,) = prove(chain(delta(vth=1, spike_exp=2), weights=[3]))
    assert intervals(found) == {"sum of graded spikes": (-300, 150), "a": (-1200, 600), "delta": (-1800, 1800)}
    assert found.proven


def test_a_threshold_that_no_input_reaches_leaves_nothing_to_be_a_difference_to() -> None:
    (found,) = prove(chain(delta(vth=301, spike_exp=2), weights=[3]))
    assert found["delta"].interval == (-1200, 600)
    sent = of_proven(delta(vth=301, spike_exp=2), found)
    assert (sent.low, sent.high, sent.total) == (0, 0, (0, 0))


def test_an_unsent_error_stays_below_the_threshold() -> None:
    (found,) = prove(chain(delta(vth=10, spike_exp=2, cum_error=True), weights=[3]))
    assert found["error"].interval == (-1800 - 39, 1800 + 39)


def test_changes_add_up_to_what_they_are_changes_of() -> None:
    """x in [-100, 50]; sigma = 2 x in [-200, 100]; relu(sigma + 5) in [0, 105]; the last adds up -3 times that."""
    groups = (delta(vth=7), layer(bias=5), SigmaDelta("e", (1,), "sigma"))
    d, s, e = prove(chain(*groups, weights=[1, 2, -3]))
    assert d["delta"].interval == (-150, 150)
    assert (s["a"].interval, s["sigma"].interval) == ((-300, 300), (-200, 100))
    assert (s["activation"].interval, s["delta"].interval) == ((-195, 105), (-105, 105))
    assert (e["a"].interval, e["sigma"].interval) == ((-315, 315), (-315, 0))
    assert d.proven and s.proven and e.proven


def test_a_spiking_layer_behind_a_delta_takes_its_range_and_not_32_bits() -> None:
    lif = LIF("lif", (1,), 4095, 4096, 40, np.zeros(1, int))
    _, found = prove(chain(delta(), lif, weights=[1, 2]))
    assert found["a"].interval == (-300, 300) and found.proven


def test_what_stands_after_its_target_counts_with_all_that_it_could_send() -> None:
    program = chain(delta(), layer(), weights=[1, 2])
    loop = Dense("s", "s", np.array([[1]]), graded=True)
    d, s = prove(Program(program.groups, (*program.connections, loop), program.inputs, program.outputs))
    assert d.proven and not s.proven
    assert s.bounds[1].interval == INT32 and s["sigma"].interval == (-CEILING, CEILING)
    turned = Program(program.groups[::-1], program.connections, program.inputs, program.outputs)
    assert [found.proven for found in prove(turned)] == [False, True]


def test_a_weight_that_loses_bits_drifts_downward() -> None:
    """+1 and -1 by turns, halved: 1 >> 1 = 0 and -1 >> 1 = -1."""
    program = chain(delta(), SigmaDelta("s", (1,), "sigma"), weights=[1, 1], exps=[0, -1], low=0, high=1)
    _, found = prove(program)
    assert found["sigma"].interval == (-CEILING, 0)
    x = np.arange(40).reshape(40, 1, 1) % 2
    sigma = simulate(program, {"x": x}, record=["s"]).traces["s"].state["sigma"].reshape(-1)
    assert sigma[-1] < -15
    even = chain(delta(), SigmaDelta("s", (1,), "sigma"), weights=[1, 2], exps=[0, -1], low=0, high=1)
    assert prove(even)[1]["sigma"].interval == (0, 1)


def test_what_a_sigma_delta_layer_sends_without_its_low_bits_drifts_too() -> None:
    groups = (delta(), layer(state_exp=1), SigmaDelta("e", (1,), "sigma"))
    found = prove(chain(*groups, weights=[1, 1, 1], low=0, high=7))[2]
    assert found["sigma"].interval == (-CEILING, CEILING)
    exact = chain(delta(state_exp=1), SigmaDelta("e", (1,), "sigma"), weights=[1, 1], low=0, high=7)
    assert prove(exact)[1]["sigma"].interval == (0, 7)  # x << 1 has no bit to lose


# ---------------------------------------------------------------- tight, and sound


@pytest.mark.parametrize("cum_error", [False, True])
@pytest.mark.parametrize("vth", [0, 3, 6, 20])
@pytest.mark.parametrize("activation", ["relu", "unit"])
def test_every_short_input_stays_inside_and_the_ends_are_reached(cum_error: bool, vth: int, activation: str) -> None:
    """All inputs of 5 steps, in Python's integers: sigma += 2 a, x = f(sigma + 1), and so on, from what is sent by a
    delta of threshold 0, which is every change."""
    s = layer(bias=1, vth=vth, cum_error=cum_error, activation=activation)
    _, found = prove(chain(delta(), s, weights=[1, 2], low=-3, high=2))
    ends: dict[str, tuple[int, int]] = {}
    for xs in product((-3, 0, 2), repeat=5):
        act = residue = error = 0
        for x_in in xs:
            sigma = 2 * x_in
            x = max(sigma + 1, 0) if activation == "relu" else sigma + 1
            d = x - act + residue
            error = error + d if cum_error else d
            for what, value in (("sigma", sigma), ("activation", sigma + 1), ("delta", d), ("error", error)):
                least, most = ends.get(what, (0, 0))
                ends[what] = min(least, value), max(most, value)
            sent = d if abs(error) >= vth else 0
            act, residue, error = x, d - sent, 0 if sent else error
    if not cum_error:
        del ends["error"]
    for what, (least, most) in ends.items():
        low, high = found[what].interval
        assert low <= least and most <= high
        assert what == "error" or (low, high) == (least, most) or vth == 20
    if cum_error:
        assert found["error"].high[0] - found["error"].low[0] <= 2 * vth + ends["error"][1] - ends["error"][0]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100)
def test_chains_of_any_numbers_stay_inside_and_send_what_is_said(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pick = lambda *values: int(rng.choice(values))  # noqa: E731
    groups: list[SigmaDelta] = [delta(n=3, vth=pick(0, 5, 50), state_exp=pick(0, 2), cum_error=bool(pick(0, 1)))]
    for name in ("a", "b"):
        bias = rng.integers(-20, 20, 3)
        activation, cum = str(rng.choice(["relu", "unit"])), bool(pick(0, 1))
        state_exp = pick(0, 0, 0, 1)
        groups.append(
            layer(name, 3, vth=pick(0, 5, 50), bias=bias, activation=activation, cum_error=cum, state_exp=state_exp)
        )
    weights = [rng.integers(-8, 8, (3, 3)) * 2 for _ in groups]
    program = chain(*groups, weights=weights, exps=[pick(-1, 0, 2) for _ in groups], low=-pick(1, 30), high=pick(1, 30))
    entry = program.inputs[0]
    x = rng.choice([entry.low, 0, entry.high], (60, 1, 3))
    traces = simulate(program, {"x": x}, record=[g.name for g in groups], profile="lava").traces
    for group, found in zip(groups, prove(program), strict=True):
        event(f"{group.stage} proven: {found.proven}")
        if not found.proven:
            continue
        for bound in found.bounds:
            if bound.what in (states := traces[group.name].state):
                values = states[bound.what].reshape(-1, 3)
                assert (values >= bound.low).all() and (values <= bound.high).all()
        sent, s = of_proven(group, found), traces[group.name].s.reshape(-1, 3).astype(np.int64)
        assert (s >= sent.low).all() and (s <= sent.high).all()
        if sent.total is not None:
            assert (s.cumsum(0) >= sent.total[0]).all() and (s.cumsum(0) <= sent.total[1]).all()


# ---------------------------------------------------------------- witnesses


@pytest.mark.parametrize("stage", ["sigma", "sigma_delta"])
@pytest.mark.parametrize(
    ("low", "high", "weight", "step"), [(0, 50, 200, 840), (-100, 0, 200, 421), (-100, 50, -7, 11985)]
)
def test_a_constant_input_overflows_a_sum_without_end(stage: Any, low: int, high: int, weight: int, step: int) -> None:
    """2^23 / (50 * 200) = 838.9: the 839th to arrive, and the first arrives at step 2."""
    group = SigmaDelta("s", (1,), stage, **({"bias": 0} if stage == "sigma_delta" else {}))
    program = chain(group, weights=[weight], low=low, high=high)
    (found,) = prove(program)
    witness = find_witness(program, found)
    assert witness is not None and witness.of_network
    assert (witness.what, witness.neuron, witness.step) == ("sigma", 0, step)
    assert len(np.unique(witness.inputs["x"][:-1])) == 1
    overflows(program, witness.network_input(program), "s", f"sigma of neuron 0 at step {step}")


def test_a_sum_that_takes_millions_of_steps_is_not_followed() -> None:
    program = chain(SigmaDelta("s", (1,), "sigma"), weights=[1], low=0, high=1)
    (found,) = prove(program)
    assert found["sigma"].interval == (0, CEILING) and find_witness(program, found) is None


def test_a_jump_from_one_end_to_the_other_overflows_the_difference() -> None:
    """4 * 127 << 14 fits and twice that does not."""
    program = chain(delta(n=2, vth=1, spike_exp=7, state_exp=7), weights=[[[4, 0], [0, 1]]], low=-127, high=127)
    (found,) = prove(program)
    assert found["a"].fits.all() and found["delta"].fits.tolist() == [False, True]
    witness = find_witness(program, found)
    assert witness is not None and (witness.what, witness.neuron, witness.step) == ("delta", 0, 3)
    overflows(program, witness.network_input(program), "d", "delta of neuron 0 at step 3")


def test_an_error_just_below_its_threshold_and_one_more_overflow_it() -> None:
    """The error comes to 8 000 000 - 1, in steps of 300 000 and a rest; 388 608 more leave the word."""
    program = chain(delta(vth=8_000_000, cum_error=True), weights=[100], low=-4000, high=4000)
    (found,) = prove(program)
    assert found["delta"].fits.all() and found["error"].interval == (-8_799_999, 8_799_999)
    witness = find_witness(program, found)
    assert witness is not None and witness.what == "error"
    overflows(program, witness.network_input(program), "d", f"error of neuron 0 at step {witness.step}")


def test_a_witness_is_within_what_its_sources_are_proven_to_send() -> None:
    """Changes of [0, 50] reach sigma as 200 << 7 times that; it takes a whole input range, and no more, to overflow."""
    program = chain(delta(n=8), layer(), weights=[np.eye(8, dtype=int), [[200] * 8]], exps=[0, 7], low=0, high=50)
    d, s = prove(program)
    assert d.proven and s["sigma"].interval == (0, 8 * 50 * 200 * 2**7)
    witness = find_witness(program, s)
    assert witness is not None and not witness.of_network and witness.what == "sigma"
    assert witness.inputs["d"].min() >= 0 and witness.inputs["d"].sum(0).max() <= 50
    overflows(witness.program, witness.inputs, "s", f"sigma of neuron 0 at step {witness.step}")


def test_an_exact_edge_is_proven_and_one_more_is_not() -> None:
    """EDGE = 47 * 178481."""
    proven = chain(delta(), SigmaDelta("s", (1,), "sigma"), weights=[1, 47], low=0, high=EDGE // 47)
    assert EDGE % 47 == 0 and prove(proven)[1]["sigma"].interval == (0, EDGE) and prove(proven)[1].proven
    program = chain(delta(), SigmaDelta("s", (1,), "sigma"), weights=[1, 47], low=0, high=EDGE // 47 + 1)
    (_, found) = prove(program)
    witness = find_witness(program, found)
    assert witness is not None and witness.inputs["d"].max() == EDGE // 47 + 1
    overflows(witness.program, witness.inputs, "s", "sigma of neuron 0 at step 2")
