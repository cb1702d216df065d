"""Bounds of resonators, and inputs in time with their turns."""

from dataclasses import replace
from math import cos, pi, sin
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from spikeport.deploy.bounds import CEILING, GroupBounds, prove
from spikeport.deploy.witness import find_witness
from spikeport.errors import OverflowDetected, ProgramError
from spikeport.program import Dense, Input, Output, Program, Resonator
from spikeport.sim import simulate

EDGE = 2**23 - 1


def ring(re: Any = None, im: Any = None, high: int = 1, low: int = 0, **changes: Any) -> Program:
    """One input `x` into port re, another `z` into port im."""
    entries = [("x", "re", re), ("z", "im", im)]
    links = [Dense(name, "ring", np.array(w), port=port, graded=True) for name, port, w in entries if w is not None]  # type: ignore[arg-type]
    n = len(links[0].weight)
    values = {"kind": "rf", "vth": 100, "sin_decay": 1200, "cos_decay": 3800, **changes}
    inputs = [Input(c.source, c.weight.shape[1:], "graded", low, high) for c in links]
    return Program((Resonator("ring", (n,), **values),), tuple(links), tuple(inputs), (Output("y", "ring"),))


def bounds(program: Program) -> GroupBounds:
    (found,) = prove(program)
    return found


def walk(neurons: Resonator, arriving: Any) -> list[tuple[int, int]]:
    """(re', im') before clip and reset, in Python's integers: as `PyRFModelFixed` and `PyRF_IZModelFixed` say it."""

    def share(a: int, x: int) -> int:
        return (1 if a * x > 0 else -1) * (abs(a * x) // 2**neurons.decay_bits)

    re, im, vth, seen = 0, 0, neurons.vth * 2**neurons.state_exp, []
    for a_re, a_im in arriving:
        re, im = (
            share(neurons.cos_decay, re) - share(neurons.sin_decay, im) + a_re * 2**neurons.state_exp,
            share(neurons.sin_decay, re) + share(neurons.cos_decay, im) + a_im * 2**neurons.state_exp,
        )
        seen.append((re, im))
        if neurons.kind == "rf_izhikevich" and im >= vth:
            re, im = 0, vth - 1
    return seen


def reachable(neurons: Resonator, high: int) -> set[tuple[int, int]]:
    """Every (re', im') that any input of 0 or `high` at port re leads to, until there are no new ones."""
    vth = neurons.vth * 2**neurons.state_exp
    reached, states, fresh = set(), {(0, 0)}, {(0, 0)}
    still = replace(neurons, kind="rf")
    while fresh:
        new = {step_from(still, z, a) for z in fresh for a in (0, high)}
        reached |= new
        if neurons.kind == "rf_izhikevich":
            new = {(0, vth - 1) if im >= vth else (re, im) for re, im in new}
        fresh = new - states
        states |= new
        assert len(states) < 3 * 10**5
    return reached


def step_from(neurons: Resonator, z: tuple[int, int], a: int) -> tuple[int, int]:
    """One step of z, without a reset."""
    bits = 2**neurons.decay_bits
    (a1, a2), (b1, b2) = (
        [(1 if f * x > 0 else -1) * (abs(f * x) // bits) for f, x in zip(pair, z, strict=True)]
        for pair in ((neurons.cos_decay, -neurons.sin_decay), (neurons.sin_decay, neurons.cos_decay))
    )
    return a1 + a2 + a * 2**neurons.state_exp, b1 + b2


# ---------------------------------------------------------------- by hand


def test_without_memory_the_state_is_what_arrives() -> None:
    found = bounds(ring([[4, -6]], [[7, 0]], high=10, sin_decay=0, cos_decay=0, state_exp=2))
    assert (found["a_re"].interval, found["a_im"].interval) == ((-60, 40), (0, 70))
    (low, high), (im_low, im_high) = found["re"].interval, found["im"].interval
    assert -242 <= low <= -240 and 160 <= high <= 162  # shifted by 2; bounds are rounded outward
    assert -2 <= im_low <= 0 and 280 <= im_high <= 282


def test_a_quarter_turn_that_halves_by_hand() -> None:
    """8 comes in as (8, 0), then stands as (0, 4), (-2, 0), (0, -1): the worst sums are 8 + 8/16 + .., 2 + 2/16 + .."""
    found = bounds(ring([[8]], sin_decay=1, cos_decay=0, decay_bits=1))
    (re_low, re_high), (im_low, im_high) = found["re"].interval, found["im"].interval
    rounded = 2 * 5**0.5 + 2  # what roundings add up to, and the outward step
    assert 8 * 16 / 15 <= re_high <= 8 * 16 / 15 + rounded
    assert 2 * 16 / 15 <= -re_low <= 2 * 16 / 15 + rounded
    assert 4 * 16 / 15 <= im_high <= 4 * 16 / 15 + rounded
    assert 1 * 16 / 15 <= -im_low <= 1 * 16 / 15 + rounded


def test_nothing_arrives_at_a_neuron_that_stays_at_zero() -> None:
    found = bounds(ring([[0], [9]], cos_decay=4096, sin_decay=0))  # keeps all that it has
    assert (found["re"].low[0], found["re"].high[0]) == (0, 0)
    assert found["re"].high[1] == CEILING and not found.proven


def test_what_takes_a_loihi_2_has_no_proof_for_loihi1() -> None:
    with pytest.raises(ProgramError, match="ring: neurons under the profile loihi1"):
        prove(ring([[1]]), "loihi1")


# ---------------------------------------------------------------- sound, and tight


USUAL = [(3, 6, 3), (4, -9, 11), (5, 27, -12), (6, 40, 40), (2, 0, -3), (3, 7, 0)]  # (bits, cos_decay, sin_decay)
CLOSE = [  # with resets, beyond a bound that forgets the rounding, or what came since im was last below the threshold
    *[(4, 14, -4, 20, 1), (5, -30, 3, 5, 1), (4, 14, -2, 20, 1), (5, 30, 4, 3, 10)],
    *[(4, 15, -5, 20, 60), (5, -19, -25, 20, 300), (5, -6, -29, 20, 60)],
]


@pytest.mark.parametrize(
    ("kind", "bits", "c", "d", "high", "vth"),
    [
        *((kind, *z, high, 40) for kind in ("rf", "rf_izhikevich") for z in USUAL for high in (1, 30)),
        *(("rf_izhikevich", *z) for z in CLOSE),
    ],
)
def test_every_reachable_state_of_a_small_neuron_is_inside(
    kind: str, bits: int, c: int, d: int, high: int, vth: int
) -> None:
    program = ring([[high]], kind=kind, vth=vth, sin_decay=d, cos_decay=c, decay_bits=bits)
    found, (neurons,) = bounds(program), program.groups
    assert isinstance(neurons, Resonator)
    states = reachable(neurons, high)
    for k, what in enumerate(("re", "im")):
        low, high_ = min(z[k] for z in states), max(z[k] for z in states)
        assert found[what].low[0] <= low and high_ <= found[what].high[0]


def test_the_bound_of_a_small_neuron_is_within_a_tenth_of_the_worst_that_it_reaches() -> None:
    """All inputs of 0 or 2000 over 16 steps, by brute force."""
    program = ring([[200]], high=10, sin_decay=11, cos_decay=7, decay_bits=4)
    found, (neurons,) = bounds(program), program.groups
    assert isinstance(neurons, Resonator)
    states = {(0, 0)}
    for _ in range(16):
        states = {step_from(neurons, z, a) for z in states for a in (0, 2000)}
    for k, what in enumerate(("re", "im")):
        low, high = min(z[k] for z in states), max(z[k] for z in states)
        assert found[what].low[0] <= low and 10 * -found[what].low[0] <= 11 * -low
        assert high <= found[what].high[0] and 10 * found[what].high[0] <= 11 * high


def layer(rng: np.random.Generator, kind: str, state_exp: int, same: bool = False) -> Program:
    """alpha = .05, a period of 11 steps, and 200 spiking inputs with weights of 8 bits at each port."""
    c, d = (int(0.95 * f(2 * pi / 11) * 4096) for f in (cos, sin))
    re, im = (rng.integers(-128, 128, (50, 200)) * 2 for _ in range(2))
    links = (Dense("x", "ring", re, port="re"), Dense("x" if same else "z", "ring", im, port="im"))
    neurons = Resonator("ring", (50,), kind, 1000, d, c, state_exp=state_exp)  # type: ignore[arg-type]
    inputs = (Input("x", (200,), "spike"), Input("z", (200,), "spike"))
    return Program((neurons,), links, inputs, (Output("y", "ring"),))


@pytest.mark.parametrize("kind", ["rf", "rf_izhikevich"])
@pytest.mark.parametrize("same", [False, True])
def test_a_layer_of_usual_size_is_proven(rng: np.random.Generator, kind: str, same: bool) -> None:
    found = bounds(layer(rng, kind, 4, same))
    assert found.proven
    assert (
        kind == "rf_izhikevich" or found["re"].high.max() > 10 * 2**4 * found["a_re"].high.max() / pi
    )  # a turn of 20 inputs, half of it up


def test_starting_again_at_spikes_is_worth_two_bits(rng: np.random.Generator) -> None:
    assert bounds(layer(rng, "rf_izhikevich", 6)).proven
    assert not bounds(layer(rng, "rf", 6)).proven


def test_a_neuron_that_keeps_all_has_bounds_if_it_spikes() -> None:
    """What turns without a loss comes to the side of the threshold, and is forgotten there."""
    endless = ring([[9]], cos_decay=-4096, sin_decay=0)
    assert bounds(endless)["re"].interval == (-CEILING, CEILING)
    program = ring([[9]], kind="rf_izhikevich", cos_decay=2896, sin_decay=2897)  # longer than 4096
    assert 2896**2 + 2897**2 > 4096**2 and bounds(program).proven
    assert not bounds(replace(program, groups=(replace(program.groups[0], kind="rf"),))).proven


def test_one_bit_more_and_spikes_in_time_overflow_it(rng: np.random.Generator) -> None:
    program = layer(rng, "rf", 4)
    worst = bounds(program)["re"].high.max() / EDGE
    assert 0.5 < worst < 1  # so that one bit decides
    program = replace(program, groups=(replace(program.groups[0], state_exp=5),))
    witness = find_witness(program, bounds(program))
    assert witness is not None and witness.of_network
    with pytest.raises(OverflowDetected) as caught:
        simulate(program, witness.network_input(program))
    assert caught.value.what == f"{witness.what} of neuron {witness.neuron} at step {witness.step}"


@pytest.mark.parametrize("what", ["re", "im"])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_bound_of_a_usual_neuron_is_reached_within_a_hundredth(what: str, sign: int) -> None:
    """Inputs that follow the turn, written down from cos and sin; the state walked in Python's integers."""
    program = ring([[200]], [[150]], low=-3, high=90, sin_decay=2103, cos_decay=3273)  # period 11
    found, (neurons,) = bounds(program), program.groups
    assert isinstance(neurons, Resonator)
    angle = np.arctan2(2103, 3273)
    given = []
    for k in reversed(range(300)):
        of_re, of_im = (cos(k * angle), -sin(k * angle)) if what == "re" else (sin(k * angle), cos(k * angle))
        given.append((200 * (90 if sign * of_re > 0 else -3), 150 * (90 if sign * of_im > 0 else -3)))
    reached = sign * walk(neurons, given)[-1][0 if what == "re" else 1]
    bound = int(found[what].high[0] if sign > 0 else -found[what].low[0])
    assert reached <= bound and 100 * bound <= 101 * reached


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150)
def test_no_spikes_drive_a_neuron_out_of_its_bounds(seed: int) -> None:
    """Inputs that push with the turn go further than random ones; the state walked in Python's integers."""
    rng = np.random.default_rng(seed)
    bits = int(rng.choice([1, 2, 5, 12]))
    radius, angle = float(rng.choice([0.3, 0.9, 0.99, 1.0])) * 2**bits, rng.uniform(-pi, pi)
    program = ring(
        [[int(rng.integers(-255, 256))]],
        [[int(rng.integers(-255, 256))]],
        low=-int(rng.integers(1, 50)),
        high=int(rng.integers(1, 50)),
        kind=str(rng.choice(["rf", "rf_izhikevich"])),
        vth=int(rng.choice([0, 1, 50, 5000])),
        cos_decay=int(radius * cos(angle)),
        sin_decay=int(radius * sin(angle)),
        decay_bits=bits,
    )
    found, (neurons,) = bounds(program), program.groups
    assert isinstance(neurons, Resonator)
    ends = [(int(found[f"a_{p}"].low[0]), int(found[f"a_{p}"].high[0])) for p in ("re", "im")]
    turn, phase = angle + rng.normal(0, 0.05), rng.uniform(0, 2 * pi)
    given = [
        [low if f(k * turn + phase) < 0 else high for (low, high), f in zip(ends, (cos, sin), strict=True)]
        for k in range(200)
    ]
    event(f"{neurons.kind}, proven: {found.proven}")
    if found.proven:
        for re, im in walk(neurons, given):
            assert found["re"].low[0] <= re <= found["re"].high[0]
            assert found["im"].low[0] <= im <= found["im"].high[0]


def test_izhikeviches_threshold_is_all_that_im_keeps() -> None:
    """im' = rz(c im) + 255 << 7 at the most, for im below the threshold of 1000."""
    program = ring([[0]], [[255]], kind="rf_izhikevich", vth=1000, sin_decay=0, cos_decay=4000, state_exp=7)
    below = 1000 * 2**7 - 1
    assert bounds(program)["im"].high[0] == 4000 * below // 4096 + 255 * 2**7
    reached = max(im for _, im in walk(program.groups[0], [(0, 255)] * 10))  # type: ignore[arg-type]
    assert reached == 4000 * below // 4096 + 255 * 2**7
