"""Times against hand arithmetic, plain loops, and the timing that SANA-FE prints for its own accounting."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.chip import LOIHI1
from spikeport.cores import Cores, flat
from spikeport.sim.counting.core_activity import CoreActivity
from spikeport.sim.energy.latency import Latency, estimate_latency
from spikeport.sim.energy.mesh_times import MESSAGE_BITS, barrier_ns
from spikeport.sim.energy.profile import Profile, parse_profile, profile_named

CHIP = replace(LOIHI1, cores_per_chip=8, cores_per_tile=1, mesh=(4, 2))
SANAFE = {
    "neuron_access": 6.0, "neuron_update": 3.7, "spike_out": 30.0, "message_out": 5.1, "message_in": 16.0,
    "sop_dense": 3.8, "sop_sparse": 4.7, "sop_conv": 3.1, "hop_x": 4.1, "hop_y": 6.5,
}  # fmt: skip
Price = float | tuple[float | None, float, float | None]


def priced(price: Price) -> str:
    low, nominal, high = price if isinstance(price, tuple) else (price, price, price)
    bounds = [("low", low), ("nominal", nominal), ("high", high)]
    return "".join(f"{n} = {x!r}\n" for n, x in bounds if x is not None) + 'evidence = "assumed"\nsource = "a test"\n'


def profile(
    latency: dict[str, Price],
    model: str = "additive",
    between: str = "step",
    link: Price | None = None,
    **barrier: Price,
) -> Profile:
    """The barrier: t1 = ... for one tile, and so on."""
    text = f'[profile]\nname = "test"\ntitle = "test"\nscope = "per_term"\nlatency_model = "{model}"\n'
    text += f'barrier_between = "{between}"\n' if barrier else ""
    text += "[energy_pj.sop]\n" + priced(1.0)
    text += "".join(f"[latency_ns.{key}]\n{priced(price)}" for key, price in latency.items())
    text += "".join(f"[[barrier_ns]]\ntiles = {key[1:]}\n{priced(price)}" for key, price in barrier.items())
    text += "" if link is None else "[link_bits_per_ns]\n" + priced(link)
    return parse_profile("test.toml", text.encode())


def activity(rows: int = 2, **arrays: object) -> CoreActivity:
    """Two cores of group a (10 neurons each but for the last, 16 in all) on two tiles; nothing happens unless said."""
    zeros = np.zeros((rows, 2), np.int64)
    values: dict[str, object] = {name: zeros for name in ("active", "spikes", "messages_in", "messages_out")}
    values |= {"busiest_link": np.zeros(rows, np.int64), "routes": np.zeros((rows, 4, 2), np.int64)}
    values |= {name: {"a": 0} for name in ("messages", "hops_x", "hops_y", "off_chip")}
    sops = {kind: zeros for kind in ("dense", "sparse", "conv")}
    for name, value in arrays.items():
        if name in sops:
            sops[name] = np.array(value)
        else:
            values[name] = value if isinstance(value, dict) else np.array(value)
    cores = Cores(CHIP, {"a": flat(16, 10)})
    return CoreActivity(cores=cores, samples=1, steps=rows, sops=sops, neurons=np.array([10, 6]), **values)  # type: ignore[arg-type]


def times(latency: Latency | None) -> dict[str, tuple[float | None, float, float | None]]:
    assert latency is not None
    return {name: (b.low, b.nominal, b.high) for name, b in latency.step_ns.items()}


def test_additive_by_hand() -> None:
    did = activity(
        active=[[4, 5], [0, 6]], spikes=[[2, 1], [0, 3]], messages_out=[[3, 1], [0, 3]], messages_in=[[5, 7], [0, 0]],
        conv=[[100, 0], [0, 0]], dense=[[0, 30], [0, 0]], hops_x={"a": 4}, hops_y={"a": 1},
        routes=[[[0, 0], [2, 0], [1, 1], [0, 0]], np.zeros((4, 2), int)],
    )  # fmt: skip
    found = estimate_latency(did, profile(SANAFE, t1=600.0, t2=1000.0, t4=1400.0), pipeline_steps=3)
    assert found is not None
    # row 0. core 0: 60 + 14.8 + 60 + 15.3 = 150.1 and 80 + 310 = 390. core 1: 36 + 18.5 + 30 + 5.1 = 89.6 and
    # 112 + 114 = 226. The longest route is two hops in x and one in y: 14.7.
    # row 1. core 0: 60. core 1: 36 + 22.2 + 90 + 15.3 = 163.5
    assert found.per_step == pytest.approx([390 + 14.7 + 1000, 163.5 + 1000])
    mean = (1404.7 + 1163.5) / 2
    assert times(found) == {
        "min": pytest.approx((1163.5, 1163.5, 1163.5)),
        "mean": pytest.approx((mean, mean, (1554.8 + 1163.5) / 2)),
        "max": pytest.approx((1404.7, 1404.7, 390 + 150.1 + 1014.7)),  # high: the phases do not overlap
    }
    assert found.inference_ns.nominal == pytest.approx(2 * mean)
    assert found.latency_ns.nominal == pytest.approx((2 + 3) * mean)
    assert found.unpriced == ()
    assert [(load.core, load.neurons, load.sops_max) for load in found.loads] == [(0, 10, 100), (1, 6, 30)]
    assert found.loads[0].ns_mean == pytest.approx((390 + 60) / 2)
    assert found.loads[0].sops_mean == 50
    assert (found.slowest.core, found.slowest.term) == (0, "barrier")  # 1000 ns, and no core takes as long


def test_the_term_that_a_step_waits_for() -> None:
    did = activity(
        4, messages_in=[[5, 0], [5, 0], [0, 0], [0, 0]], conv=[[100, 0], [10, 0], [0, 0], [0, 0]],
        spikes=[[0, 0], [0, 0], [0, 9], [0, 9]], messages_out=[[0, 0], [0, 0], [0, 1], [0, 1]],
    )  # fmt: skip
    found = estimate_latency(did, profile(SANAFE, t1=1.0), 0)
    assert found is not None
    assert (found.slowest.core, found.slowest.group, found.slowest.term, found.slowest.steps) == (0, "a", "synapses", 1)
    assert (found.usual.core, found.usual.term, found.usual.steps) == (1, "spikes", 2)
    assert [(load.core, load.steps) for load in found.loads] == [(1, 2), (0, 2)]
    of_second = estimate_latency(activity(1, messages_in=[[5, 0]], conv=[[10, 0]]), profile(SANAFE, t1=1.0), 0)
    assert of_second is not None
    assert (of_second.slowest.core, of_second.slowest.term) == (0, "messages_in")


def test_the_paper_on_loihi_1_has_neurons_synapses_and_a_barrier() -> None:
    """8.4 ns active, 5.3 inactive, 3.5 an operation; 113 to 465 ns on a straight line from 1 to 32 tiles."""
    did = activity(1, active=[[4, 6]], spikes=[[1, 0]], messages_out=[[1, 0]], messages_in=[[0, 1]], dense=[[0, 20]])
    davies = profile_named("loihi1-davies2018")
    found = estimate_latency(did, davies, 0)
    assert found is not None
    barrier = 113 + 352 / 31
    # core 0: 4 * 8.4 + 6 * 5.3 = 65.4; core 1: 6 * 8.4 = 50.4 and 70
    assert found.per_step == pytest.approx([70 + barrier])
    assert found.unpriced == ("spike_out", "message_out", "message_in")
    assert (found.step_ns["max"].low, found.step_ns["max"].high) == (None, None)  # no limits of the barrier
    assert barrier_ns(davies, 1, "nominal") == 113
    assert barrier_ns(davies, 32, "nominal") == barrier_ns(davies, 40, "nominal") == 465
    assert barrier_ns(davies, 63 // 2, "nominal") == pytest.approx(113 + 352 * 30 / 31)


@pytest.mark.parametrize(
    ("tiles", "ns"), [(1, 600), (2, 1000), (3, 1000), (4, 1400), (28, 1400), (29, 1800), (32, 1800), (99, 1800)]
)
def test_sanafes_barrier_is_a_step_function_of_tiles(tiles: int, ns: float) -> None:
    """SANA-FE 2.2.9, examples/loihi.yaml: 0.6, 1.0, 1.4 and 1.8 us from 1, 2, 4 and 29 mapped tiles on."""
    assert barrier_ns(profile_named("loihi1-sanafe"), tiles, "nominal") == ns


def test_a_limit_is_missing_only_if_it_matters() -> None:
    prices = profile({"neuron_access": 6.0, "sop": (None, 3.5, 4.0), "hop_x": (1.0, 2.0, None)}, t1=(1.0, 2.0, 3.0))
    assert times(estimate_latency(activity(1), prices, 0))["max"] == (61.0, 62.0, 63.0)
    assert times(estimate_latency(activity(1, dense=[[0, 40]]), prices, 0))["max"] == (None, 142.0, 36 + 160 + 3)
    crossed = activity(1, routes=[[[1, 0], [1, 0], [0, 0], [0, 0]]], hops_x={"a": 1})
    assert times(estimate_latency(crossed, prices, 0))["max"] == (62.0, 64.0, None)


def test_what_has_no_time_is_named() -> None:
    did = activity(
        1, active=[[1, 0]], spikes=[[1, 0]], messages_out=[[1, 0]], messages_in=[[0, 1]], conv=[[0, 9]], dense=[[0, 9]],
        hops_x={"a": 1}, busiest_link=[1],
    )  # fmt: skip
    found = estimate_latency(did, profile({"sop_dense": 1.0}), 0)
    assert found is not None
    assert found.unpriced == ("neuron_access", "spike_out", "message_out", "message_in", "sop", "hop_x", "barrier")
    assert found.per_step.tolist() == [9.0]
    found = estimate_latency(did, profile({"neuron_active": 2.0}, "max_affine", t1=1.0), 0)
    assert found is not None
    assert found.unpriced == ("neuron_inactive", "sop", "read", "link")
    far = replace(did, cores=Cores(replace(CHIP, cores_per_chip=1), did.cores.cuts))
    found = estimate_latency(far, profile(SANAFE, t1=1.0), 0)
    assert found is not None
    assert found.unpriced == ("messages and barrier between chips",)


def test_max_affine_by_hand() -> None:
    """The largest of five; each of them in one row. 17 operations read three words or more."""
    did = activity(
        5, sparse=[[0, 0], [0, 90], [0, 17], [0, 0], [0, 0]], busiest_link=[0, 0, 0, 9, 0],
        active=[[10, 0], [0, 0], [0, 0], [0, 0], [0, 0]], spikes=np.full((5, 2), 99),
    )  # fmt: skip
    latency: dict[str, Price] = {"neuron_access": 0.5, "neuron_update": 9.5, "sop": (1.0, 2.0, 3.0), "read": 20.0}
    prices = profile({**latency, "read": (0.0, 20.0, 25.0)}, "max_affine", link=(1.0, 2.0, 4.0), t1=7.0, t2=8.0)
    found = estimate_latency(did, prices, 0)
    assert found is not None
    # neurons 5 + 95; operations 180, reads 12 * 20 = 240; 34 against 60; the link 9 * 32 / 2; the barrier
    assert found.per_step.tolist() == [100.0, 240.0, 60.0, 144.0, 8.0]
    assert MESSAGE_BITS == 32
    link = replace(did, busiest_link=np.array([0, 0, 0, 9, 0]))
    assert times(estimate_latency(link, prices, 0))["max"] == (100.0, 240.0, 300.0)
    assert times(estimate_latency(link, prices, 0))["min"] == (8.0, 8.0, 8.0)
    assert (found.slowest.core, found.slowest.term) == (1, "reads")
    assert "spike_out" not in found.unpriced
    slow = estimate_latency(activity(1, busiest_link=[9]), prices, 0)
    assert slow is not None
    assert (slow.step_ns["max"].low, slow.step_ns["max"].high) == (72.0, 288.0)  # a high rate is a short time
    assert (slow.slowest.term, slow.slowest.steps) == ("link", 1)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), model=st.sampled_from(["additive", "max_affine"]))
def test_times_equal_plain_loops(seed: int, model: str) -> None:
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(1, 5))
    neurons = [10, 6]

    def some(high: int = 50) -> np.ndarray:
        return rng.integers(0, high, (rows, 2)) * (rng.random((rows, 2)) < 0.7)

    did = activity(
        rows, active=np.minimum(some(), neurons), spikes=some(), messages_in=some(), messages_out=some(),
        conv=some(), dense=some(), sparse=some(), busiest_link=some()[:, 0],
        routes=rng.integers(0, 2, (rows, 4, 2)), hops_x={"a": 1}, hops_y={"a": 1},
    )  # fmt: skip
    states = ("neuron_active", "neuron_inactive") if rng.random() < 0.5 else ("neuron_access", "neuron_update")
    keys = (*states, "spike_out", "message_out", "message_in", "sop", "sop_conv", "hop_x", "hop_y", "read")
    ns: dict[str, float] = {key: float(rng.integers(1, 40)) / 4 for key in keys}
    barrier, rate = float(rng.integers(1, 300)), float(rng.integers(1, 30))
    found = estimate_latency(did, profile(dict(ns), model, link=rate, t1=barrier), 2)
    assert found is not None
    lowest, highest = [], []
    for row in range(rows):
        phases = []
        for core in range(2):
            active = int(did.active[row, core])
            if "neuron_active" in ns:
                neuron = active * ns["neuron_active"] + (neurons[core] - active) * ns["neuron_inactive"]
            else:
                neuron = neurons[core] * ns["neuron_access"] + active * ns["neuron_update"]
            kinds = {kind: int(did.sops[kind][row, core]) for kind in did.sops}
            synapse = kinds["conv"] * ns["sop_conv"] + (kinds["dense"] + kinds["sparse"]) * ns["sop"]
            if model == "additive":
                neuron += did.spikes[row, core] * ns["spike_out"] + did.messages_out[row, core] * ns["message_out"]
                synapse += did.messages_in[row, core] * ns["message_in"]
            reads = -(-sum(kinds.values()) // 8) * ns["read"]
            phases.append((neuron, synapse, reads))
        if model == "additive":
            routes = [x * ns["hop_x"] + y * ns["hop_y"] for x in range(4) for y in range(2) if did.routes[row, x, y]]
            beside = max(routes, default=0.0) + barrier
            lowest.append(max(max(n, s) for n, s, _ in phases) + beside)
            highest.append(max(n + s for n, s, _ in phases) + beside)
        else:
            link = int(did.busiest_link[row]) * 32 / rate
            lowest.append(max(*(max(phase) for phase in phases), link, barrier))
            highest.append(lowest[-1])
    assert found.per_step == pytest.approx(lowest, rel=1e-12)
    expected = {"min": min, "max": max, "mean": lambda x: sum(x) / len(x)}
    for name, of in expected.items():
        bounds = found.step_ns[name]
        assert (bounds.low, bounds.nominal) == pytest.approx((of(lowest), of(lowest)), rel=1e-12)
        assert bounds.high == pytest.approx(of(highest), rel=1e-12)
    assert found.latency_ns.nominal == pytest.approx((rows + 2) * sum(lowest) / rows, rel=1e-12)


def test_no_times_no_latency_and_json_is_plain() -> None:
    assert estimate_latency(activity(), profile_named("cmos45-fp32"), 0) is None
    found = estimate_latency(activity(), profile_named("loihi2-estimate"), 1)
    assert found is not None
    document = found.to_json()
    assert json.loads(json.dumps(document)) == document
    assert document["model"] == "additive"
    assert document["slowest"] == {"core": 0, "group": "a", "term": "barrier", "steps": 2}
    assert document["step_ns"]["max"]["nominal"] == pytest.approx(226.5)  # 10 inactive neurons of 2.65 ns, and 200 ns
