"""Each kind of neuron against values by hand, and against a second derivation in Python's own integers.

Lava has no fixed-point model of soft reset and of a refractory period; for these the second derivation is the
oracle, and `test_refractory_live.py` compares the refractory period with Lava's float model.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.errors import OverflowDetected
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta
from spikeport.sim import rules
from spikeport.sim.guard import Guard
from spikeport.sim.state import cleared_group

EDGE = 2**23


def follow(group: Group, arriving: Sequence[int], strict: bool = False, **ports: Sequence[int]) -> dict[str, list[int]]:
    """One neuron that receives these sums, step by step: its state and what it sent."""
    state = cleared_group(group, 1)
    told: dict[str, list[int]] = {name: [] for name in (*group.variables, "s")}
    for t in range(len(arriving)):
        inputs = {name: np.array([[values[t]]]) for name, values in {group.ports[0]: arriving, **ports}.items()}
        if isinstance(group, LIF):
            inputs["bias"] = group.bias_mant.astype(np.int64)[None] << group.bias_exp
        state, s = rules.step(group, state, inputs, Guard("g", t + 1, "strict" if strict else "lava"))
        for name, x in {**state, "s": s}.items():
            told[name].append(int(x[0, 0]))
    return told


def lif(**changes: object) -> LIF:
    """Forgets u each step and keeps v."""
    values = {"du": 4095, "dv": 0, "vth": 5, "bias_mant": np.zeros(1, int), **changes}
    return LIF("g", (1,), **values)  # type: ignore[arg-type]


# ---------------------------------------------------------------- by hand


def test_a_soft_reset_takes_the_threshold_off() -> None:
    """13 << 6 = 832; the threshold is 320, so 512 and then 192 are left."""
    assert follow(lif(reset="subtract"), [13, 0, 0, 0]) == {
        "u": [832, 0, 0, 0],
        "v": [512, 192, 192, 192],
        "s": [1, 1, 0, 0],
    }


def test_a_neuron_that_rests_lets_u_run_and_leaves_v_alone() -> None:
    """It spikes at step 1 and rests at steps 2 and 3, when 6 << 6 arrives in vain; u shows it all the same."""
    assert follow(lif(refractory_steps=2), [6, 6, 1, 6, 1, 0, 1]) == {
        "u": [384, 384, 64, 384, 64, 0, 64],
        "v": [0, 0, 0, 0, 0, 0, 64],
        "rest": [2, 1, 0, 2, 1, 0, 0],
        "s": [1, 0, 0, 1, 0, 0, 0],
    }


def test_what_is_left_of_a_current_enters_v_after_the_rest() -> None:
    g = lif(refractory_steps=1, du=2047, vth=9)
    assert follow(g, [10, 0, 0])["u"] == [640, 320, 160]
    assert follow(g, [10, 0, 0])["v"] == [0, 0, 160]


def test_a_neuron_that_rests_sends_nothing_though_a_soft_reset_left_it_above_its_threshold() -> None:
    g = lif(refractory_steps=2, reset="subtract")
    assert follow(g, [13, 0, 0, 0]) == {
        "u": [832, 0, 0, 0],
        "v": [512, 512, 512, 192],
        "rest": [2, 1, 0, 2],
        "s": [1, 0, 0, 1],
    }


def test_overflow_of_v_does_not_count_while_it_is_not_taken() -> None:
    g = lif(refractory_steps=1, bias_mant=np.array([4095]), bias_exp=7, du=-1, vth=0)
    assert follow(g, [131064, 0], strict=False)["v"] == [0, 0]
    with pytest.raises(OverflowDetected, match="v of neuron 0 at step 1"):
        follow(g, [131064, 0], strict=True)
    assert follow(g, [100_000, 31_071], strict=True)["s"] == [1, 0]


def test_two_thresholds_give_spikes_of_both_signs_strictly_beyond_them() -> None:
    g = lif(vth_low=-3, dv=4096)
    assert follow(g, [5, 6, 0, -3, -4]) == {
        "u": [320, 384, 0, -192, -256],
        "v": [320, 0, 0, -192, 0],
        "s": [0, 1, 0, 0, -1],
    }


def test_a_delta_stage_sends_changes_and_keeps_what_is_too_small() -> None:
    """Threshold 5 << 1; 3 and then 6 are 6 and 12 in state; the second step sends the sum of both changes."""
    g = SigmaDelta("g", (1,), "delta", vth=5, spike_exp=1)
    assert follow(g, [3, 6, 6, 1]) == {"act": [6, 12, 12, 2], "residue": [6, 0, 0, 0], "s": [0, 12, 0, -10]}


def test_the_low_bits_of_a_delta_are_lost() -> None:
    """5 << 3 = 40 goes out as 40 >> 3; as does a bias of odd low bits, rounded down."""
    g = SigmaDelta("g", (1,), "sigma_delta", vth=0, state_exp=3, activation="unit")
    assert follow(g, [47, 0, -94])["s"] == [5, 0, -12]


def test_sigma_adds_up_and_relu_cuts() -> None:
    assert follow(SigmaDelta("g", (1,), "sigma"), [4, -9, 2]) == {"sigma": [4, -5, -3], "s": [4, -5, -3]}
    g = SigmaDelta("g", (1,), "sigma_delta", bias=1)
    assert follow(g, [4, -9, 2, 5])["act"] == [5, 0, 0, 3]
    assert follow(g, [4, -9, 2, 5])["s"] == [5, -5, 0, 3]


def test_each_neuron_adds_its_own_bias() -> None:
    """1 << 2 and -3 << 2 are 4 and -12."""
    g = SigmaDelta("g", (1, 2), "sigma_delta", bias=np.array([[1, -3]]), spike_exp=2, activation="unit")
    state, s = rules.step(g, cleared_group(g, 1), {"a": np.array([[10, 10]])}, Guard("g", 1, "lava"))
    assert state["act"].tolist() == s.tolist() == [[14, -2]]


def test_the_error_adds_up_until_it_meets_the_threshold() -> None:
    """Deltas with their residue: 2, 4, 6; errors 2, 6 (sent: 4), then 2 again."""
    g = SigmaDelta("g", (1,), "delta", vth=5, cum_error=True)
    assert follow(g, [2, 4, 6]) == {"act": [2, 4, 6], "residue": [2, 0, 2], "error": [2, 0, 2], "s": [0, 4, 0]}


def test_a_resonator_turns_and_spikes_where_im_rises_through_zero() -> None:
    """A quarter turn a step: re -> im -> -re -> -im."""
    g = Resonator("g", (1,), "rf", vth=60, sin_decay=4096, cos_decay=0, state_exp=3)
    assert follow(g, [10, 0, 0, 0, 0], im=[0] * 5) == {
        "re": [80, 0, -80, 0, 80],
        "im": [0, 80, 0, -80, 0],
        "s": [0, 0, 0, 0, 0],
    }
    assert follow(replace(g, vth=10), [10, 0, 0, 0, 0], im=[0] * 5)["s"] == [0, 0, 0, 0, 1]


def test_a_resonator_of_izhikevich_is_put_just_below_its_threshold() -> None:
    g = Resonator("g", (1,), "rf_izhikevich", vth=10, sin_decay=4096, cos_decay=0)
    assert follow(g, [9, 0, 3], im=[0, 2, 10]) == {"re": [9, 0, 0], "im": [0, 9, 10 - 1], "s": [0, 1, 1]}


def test_each_product_of_a_resonator_is_rounded_toward_zero_by_itself() -> None:
    """-1 * 2048 >> 12 would be -1; rounded toward zero it is 0."""
    g = Resonator("g", (1,), "rf", vth=9, sin_decay=2048, cos_decay=2048)
    assert follow(g, [-1, 0], im=[-1, 0])["re"] == [-1, 0]
    assert follow(g, [-3, 0], im=[5, 0])["re"] == [-3, -1 - 2]


@pytest.mark.parametrize(
    ("group", "arriving", "message"),
    [
        (SigmaDelta("g", (1,), "sigma"), [EDGE - 1, 1], "g: sigma of neuron 0 at step 2 (8388608) leaves 24 bits"),
        (SigmaDelta("g", (1,), "delta", state_exp=7), [-(2**16)], "g: a of neuron 0 at step 1 (-8388608) leaves 24"),
        (SigmaDelta("g", (1,), "delta"), [EDGE - 1, -1], "g: delta of neuron 0 at step 2 (-8388608) leaves 24 bits"),
        (
            SigmaDelta("g", (1,), "sigma_delta", bias=1),
            [EDGE - 1],
            "g: activation of neuron 0 at step 1 (8388608) leaves",
        ),
        (
            Resonator("g", (1,), "rf", 0, 0, 4096, state_exp=7),
            [65535, 1],
            "g: re of neuron 0 at step 2 (8388608) leaves",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_strict_names_the_variable_that_leaves_its_word(group: Group, arriving: list[int], message: str) -> None:
    ports = {"im": [0] * len(arriving)} if isinstance(group, Resonator) else {}
    with pytest.raises(OverflowDetected) as caught:
        follow(group, arriving, strict=True, **ports)
    assert str(caught.value).startswith(message)
    follow(group, arriving, strict=False, **ports)


# ---------------------------------------------------------------- a second derivation


def divided(product: int, by: int) -> int:
    """Toward zero, by division and not by shift."""
    return abs(product) // by * (1 if product >= 0 else -1)


def second_derivation(g: LIF, arriving: Sequence[int]) -> dict[str, list[int]]:
    """Lava's float LIFRefractory, with the integers of its LIF: the rest is an end time, not a count."""
    u = v = end = 0
    bias = int(g.bias_mant[0]) * 2**g.bias_exp
    told: dict[str, list[int]] = {"u": [], "v": [], "rest": [], "s": []}
    for t, a in enumerate(arriving, 1):
        u = divided(u * (4095 - g.du), 4096) + 64 * a
        u = (u + 2**31) % 2**32 - 2**31
        if u > EDGE:
            u -= 2 * EDGE
        elif u <= -EDGE:
            u += 2 * EDGE
        spike = False
        if end < t:
            v = min(max(divided(v * (4096 - g.dv), 4096) + u + bias, 1 - EDGE), EDGE - 1)
            spike = v > 64 * g.vth
        if spike:
            end = t + g.refractory_steps
            v = v - 64 * g.vth if g.reset == "subtract" else 0
        for name, value in {"u": u, "v": v, "rest": max(end - t, 0), "s": int(spike)}.items():
            told[name].append(value)
    return told if g.refractory_steps else {name: told[name] for name in ("u", "v", "s")}


@given(
    du=st.integers(-1, 4095),
    dv=st.integers(0, 4096),
    vth=st.sampled_from([0, 1, 80, 3000, 131071]) | st.integers(0, 131071),
    bias=st.integers(-4096, 4095),
    bias_exp=st.integers(0, 7),
    soft=st.booleans(),
    rest=st.integers(0, 6) | st.just(63),
    arriving=st.lists(st.integers(-300, 300) | st.integers(-(2**26), 2**26), min_size=1, max_size=40),
)
def test_soft_reset_and_rest_equal_a_second_derivation(
    du: int, dv: int, vth: int, bias: int, bias_exp: int, soft: bool, rest: int, arriving: list[int]
) -> None:
    reset = "subtract" if soft else "zero"
    g = LIF("g", (1,), du, dv, vth, np.array([bias]), bias_exp, reset=reset, refractory_steps=rest)  # type: ignore[arg-type]

    assert follow(g, arriving) == second_derivation(g, arriving)
