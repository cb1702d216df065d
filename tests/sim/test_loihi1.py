"""The profile `loihi1`: as nengo-loihi's emulator was recorded, by hand, and beside the other profiles."""

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from spikeport import fixed
from spikeport.errors import OverflowDetected
from spikeport.neurons import LIF
from spikeport.profiles import PROFILES, Profile
from spikeport.sim import reference
from spikeport.sim.compare import compare
from tests.sim.loihi1 import SUM, driven1, loihi1_program, run
from tests.vectors.case import Case, case_from_json

FILES = sorted((Path(__file__).parents[1] / "vectors").glob("loihi1_*.json"))
CASES = [(path.stem, case) for path in FILES for case in json.loads(path.read_text())["cases"]]
SEEDS = st.integers(0, 2**32 - 1)
EDGE = 2**23


# ---------------------------------------------------------------- recorded


@pytest.mark.parametrize("engine", ["reference", "events"])
@pytest.mark.parametrize(("stem", "case"), CASES, ids=[f"{stem}: {case['name']}" for stem, case in CASES])
def test_every_value_equals_the_emulators(stem: str, case: dict[str, Any], engine: Any) -> None:
    recorded = case_from_json(case["name"], case["in"], "loihi1")
    result = run(recorded, None, engine=engine)
    assert set(result.traces) == set(case["out"])
    for group, states in case["out"].items():
        trace = result.traces[group]
        assert set(states) == {*trace.state, "s"}
        for name, values in states.items():
            assert np.array_equal(trace.s if name == "s" else trace.state[name], values), f"{group}/{name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recordings_are_small_and_say_where_they_come_from(path: Path) -> None:
    assert path.stat().st_size < 100_000
    head = json.loads(path.read_text())
    assert set(head) == {"about", "reference", "made_by", "versions", "seed", "cases"}
    assert head["versions"]["nengo-loihi"] == "1.1.0"


def test_recordings_leave_every_word_in_both_directions() -> None:
    """The emulator says itself which words were left: sum, current, current with bias. v stops at its lowest."""
    assert {word for _, case in CASES for word in case["left"]} == {"q0", "current", "u2"}
    for stem in ("loihi1_up", "loihi1_down"):
        assert {word for name, case in CASES if name == stem for word in case["left"]} == {"current", "u2"}
    outs = [case["out"]["g"] for stem, case in CASES if stem != "loihi1_network"]
    u = {value for out in outs for value in np.ravel(out["u"]).tolist()}
    v = {value for out in outs for value in np.ravel(out["v"]).tolist()}
    assert {-EDGE, EDGE - 64, -SUM << 6, (SUM - 1) << 6} <= u and EDGE not in u
    assert min(v) == -fixed.V_MAX


def test_the_published_test_tells_loihi1_from_lava() -> None:
    """1000 axons pass the sum's word four times, which 24 bits do not see; 200 pass it once."""
    cases = {case["name"]: case_from_json(case["name"], case["in"], "loihi1") for stem, case in CASES if "publ" in stem}
    differ = {n: compare(run(c).traces, run(c, "lava").traces).differing for n, c in cases.items()}
    assert differ["test_uv_overflow, 1000 axons"] == 0 < differ["test_uv_overflow, 200 axons"]


# ---------------------------------------------------------------- by hand


def test_a_sum_wraps_at_2_to_the_15_in_both_directions() -> None:
    sums = [SUM - 1, SUM, SUM + 1, 2 * SUM, 3 * SUM, -SUM, -SUM - 1, -2 * SUM, 4 * SUM + 5]
    want = [SUM - 1, -SUM, 1 - SUM, 0, -SUM, -SUM, SUM - 1, 0, 5]
    u = run(driven1(sums, du=4095)).traces["g"].u[1:, 0, 0]
    assert u.tolist() == [a << 6 for a in want]


def test_u_wraps_into_twos_complement_where_lava_keeps_plus_2_to_the_23() -> None:
    filling = [SUM - 1] * 4 + [4, -1, 2]
    u = {p: run(driven1(filling), p).traces["g"].u[5:8, 0, 0].tolist() for p in ("loihi1", "lava")}  # type: ignore[arg-type]
    assert u == {"loihi1": [-EDGE, EDGE - 64, 64 - EDGE], "lava": [EDGE, EDGE - 64, 64 - EDGE]}
    emptying = [-SUM] * 4
    u = {p: run(driven1(emptying), p).traces["g"].u[4:5, 0, 0].tolist() for p in ("loihi1", "lava")}  # type: ignore[arg-type]
    assert u == {"loihi1": [-EDGE], "lava": [EDGE]}


def test_u_and_bias_wrap_together_before_they_reach_v() -> None:
    """u = 2^23 - 256 fits; with a bias of 256 it is -2^23, and v stops one above that."""
    case = driven1([SUM - 1] * 4, bias_mant=np.array([256]))
    assert run(case).traces["g"].v[4, 0, 0] == -fixed.V_MAX
    assert run(case, "lava").traces["g"].s[4, 0, 0] == 1
    with pytest.raises(OverflowDetected, match="v of neuron 0 at step 5"):
        run(case, "strict")


def by_hand(lif: LIF, sums: list[int]) -> dict[str, list[int]]:
    """One neuron under `loihi1` in Python's integers: words by remainders, decays by division."""

    def word(x: int, bits: int) -> int:
        x %= 2**bits
        return x - 2**bits if x >= 2 ** (bits - 1) else x

    def kept(x: int, keep: int) -> int:
        return (1 if x > 0 else -1) * (abs(x) * keep // 4096)

    u = v = rest = 0
    told: dict[str, list[int]] = {"u": [], "v": [], "s": []}
    for a in [0, *sums]:
        u = word(kept(u, 4095 - lif.du) + word(64 * a, 22), 24)
        spikes = False
        if not rest:
            drive = word(u + int(lif.bias_mant[0]) * 2**lif.bias_exp, 24)
            v = max(1 - EDGE, min(EDGE - 1, kept(v, 4096 - lif.dv) + drive))
            spikes = v > 64 * lif.vth
            v = 0 if spikes else v
        rest = lif.refractory_steps if spikes else max(rest - 1, 0)
        for name, x in (("u", u), ("v", v), ("s", int(spikes))):
            told[name].append(x)
    return told


@given(
    a=st.lists(st.one_of(st.sampled_from([0, SUM - 1, SUM, -SUM, -SUM - 1, 2 * SUM]), st.integers(-150_000, 150_000))),
    du=st.sampled_from([-1, 0, 100, 4095]),
    dv=st.sampled_from([0, 5, 2048, 4096]),
    vth=st.sampled_from([0, 300, 60_000, fixed.VTH_MAX]),
    mant=st.integers(fixed.BIAS_MANT_MIN, fixed.BIAS_MANT_MAX),
    exp=st.sampled_from([0, 6, 7]),
    rest=st.sampled_from([0, 0, 1, 3]),
)
def test_one_neuron_equals_pythons_integers(
    a: list[int], du: int, dv: int, vth: int, mant: int, exp: int, rest: int
) -> None:
    values = {"bias_mant": np.array([mant]), "bias_exp": exp, "refractory_steps": rest}
    case = driven1([*a, 0], du=du, dv=dv, vth=vth, **values)
    trace = run(case).traces["g"]
    found = {"u": trace.u, "v": trace.v, "s": trace.s}
    assert {k: x[:, 0, 0].tolist() for k, x in found.items()} == by_hand(case.program.lifs[0], [*a, 0])


# ---------------------------------------------------------------- beside the other profiles


def leaves_a_word(case: Case) -> bool:
    """Whether a run leaves a word of `loihi1`, recomputed from Lava's trace; up to there the two are one run."""
    bad = False

    def observe(t: int, name: str, state: Any, s: Any) -> None:
        nonlocal bad
        seen[name] = state["u"]

    seen: dict[str, Any] = {}
    flat = {n: x.reshape(*x.shape[:2], -1) for n, x in case.inputs.items()}
    state = None
    steps = len(next(iter(flat.values()))) + case.program.latency
    for t in range(steps):
        part = {n: x[t : t + 1] for n, x in flat.items()}
        arriving = {} if state is None else {n: box.get(t + 1, np.zeros(1)) for (n, _), box in state.arriving.items()}
        state = reference.run(case.program, part, 1, observe, "lava", state, len(next(iter(flat.values()))))
        for g in case.program.lifs:
            a, u = arriving.get(g.name, np.zeros(1)), seen[g.name]
            bias = state.loaded.get(g.name, g.bias_mant.reshape(-1).astype(np.int64)) << g.bias_exp
            bad |= bool(((a < -SUM) | (a >= SUM)).any() or (u >= EDGE).any())
            bad |= bool(((u + bias >= EDGE) | (u + bias < -EDGE)).any())
    return bad


@given(SEEDS)
@settings(max_examples=150)
def test_within_its_words_the_profile_equals_all_others(seed: int) -> None:
    case = loihi1_program(seed)
    try:
        strict = run(case, "strict")
    except OverflowDetected:
        event("leaves Lava's words")
        return
    inside = not leaves_a_word(case)
    event(f"inside: {inside}")
    assert compare(run(case, "lava").traces, strict.traces).equal
    if inside:
        assert compare(run(case).traces, strict.traces).equal


def test_random_programs_do_both() -> None:
    """Otherwise the comparison says nothing."""
    differ = [not compare(run(c).traces, run(c, "lava").traces).equal for c in map(loihi1_program, range(60))]
    assert 10 < sum(differ) < 50


def test_the_profiles_are_those_of_the_type() -> None:
    assert get_args(Profile) == PROFILES == ("strict", "lava", "loihi1")
