"""Conventions against hand-computed cases, and what must hold of each for any network."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.errors import InputError
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program
from spikeport.sim import simulate
from spikeport.sim.counting import Counts, count_operations
from spikeport.sim.energy.conventions import CONVENTIONS, Amounts, convention_named, mean_rate, total
from spikeport.sim.energy.facts import LayerFacts, facts_of
from spikeport.sim.random_programs import random_program
from spikeport.sim.result import Result

STEPS, SAMPLES = 2, 2
F = Fraction


def layer(name: str, shape: tuple[int, ...]) -> LIF:
    return LIF(name, shape, 0, 0, 1, np.zeros(shape, np.int64))


def hand_counts() -> Counts:
    """Host: conv 3x3, padded, on 1x4x4 (144 MACs, 100 valid); then 16 -> 2 -> 4 dense. 7 and 3 spikes in 2 samples."""
    encoder = Encoder(Conv("x", "a", np.ones((1, 1, 3, 3), np.int64), padding=(1, 1)), np.zeros((1, 4, 4), np.int64))
    dense = Dense("a", "b", np.ones((2, 16), np.int64)), Dense("b", "c", np.ones((4, 2), np.int64))
    groups = layer("a", (1, 4, 4)), layer("b", (2,)), layer("c", (4,))
    program = Program(groups, dense, (Input("x", (1, 4, 4), "bias", 0, 9),), (Output("o", "c"),), (encoder,), 2)
    sent = {name: np.zeros((4, SAMPLES, size), np.uint8) for name, size in (("a", 16), ("b", 2), ("c", 4))}
    sent["a"][0, 0, :5] = sent["a"][1, 1, :2] = 1
    sent["b"][1, 0, :] = sent["b"][2, 1, 1] = 1
    sent["x"] = np.ones((4, SAMPLES, 16), np.int64)
    return count_operations(program, Result(sent["c"][2:], 2, {}, sent))


def by_name(name: str, facts: tuple[LayerFacts, ...], steps: int = STEPS) -> dict[tuple[str, str], Amounts]:
    amounts = CONVENTIONS[name].amounts(facts, steps)
    return {(f.name, f.kind): a for f, a in zip(facts, amounts, strict=True) if a != Amounts()}


def test_facts_of_a_run() -> None:
    conv, a, b_in, b, c_in, c = facts_of(hand_counts())
    assert (conv.name, conv.kind, conv.fed) == ("a", "conv", "analog")
    assert (conv.passes, conv.macs_dense, conv.macs_valid, conv.slots, conv.outputs) == (1, 144, 100, 0, 16)
    assert (a.kind, a.elements, a.rate) == ("neurons", 16, F(7, 64))
    assert (b_in.name, b_in.kind, b_in.fed) == ("b", "linear", "spikes")
    assert (b_in.slots, b_in.outputs, b_in.macs_dense, b_in.rate, b_in.sops) == (16, 2, 32, F(7, 64), 7)
    assert (c_in.slots, c_in.macs_dense, c_in.rate, c_in.sops) == (2, 8, F(3, 8), 6)
    assert (b.elements, c.elements) == (2, 4)


def test_a_run_by_hand() -> None:
    facts = facts_of(hand_counts())
    a, b, c = ("a", "conv"), ("b", "linear"), ("c", "linear")
    assert by_name("exact", facts) == {a: Amounts(F(144)), b: Amounts(ac=F(7)), c: Amounts(ac=F(6))}
    assert by_name("paper-spikformer", facts) == {a: Amounts(F(144)), b: Amounts(ac=F(7)), c: Amounts(ac=F(6))}
    # (7 + 3) events in 2 samples x 2 steps x 18 slots, 2 operations per MAC
    assert mean_rate(facts) == F(5, 36)
    assert by_name("paper-esvae", facts) == {
        a: Amounts(F(288)),
        b: Amounts(ac=F(2 * 2 * 32 * 5, 36)),
        c: Amounts(ac=F(2 * 2 * 8 * 5, 36)),
    }
    neurons = {(n, "neurons"): Amounts(ac=F(2 * size)) for n, size in (("a", 16), ("b", 2), ("c", 4))}
    assert by_name("paper-syops", facts) == {a: Amounts(F(288)), b: Amounts(ac=F(7)), c: Amounts(ac=F(6)), **neurons}


def test_what_only_shapes_have() -> None:
    """Batch norm, pools, biases, and what is fed by means of spikes; 3 steps."""
    linear = LayerFacts(name="fc", kind="linear", fed="spikes", bias=True)
    facts = (
        LayerFacts(name="bn", kind="batch_norm", fed="analog", elements=10),
        LayerFacts(name="pool", kind="pool", fed="spikes", elements=20, rate=F(1, 4)),
        LayerFacts(name="pool2", kind="pool", fed="graded", elements=5),
        replace(linear, slots=5, outputs=2, macs_dense=10, macs_by_output=10, rate=F(1, 2)),
        replace(linear, fed="graded", slots=2, outputs=3, macs_dense=6, macs_by_output=6, sops=F(4)),
    )
    bn, pool, pool2, fc, out = CONVENTIONS["paper-syops"].amounts(facts, 3)
    assert (bn, pool, pool2) == (Amounts(F(2 * 10 * 3)), Amounts(ac=F(20 * 3, 4)), Amounts(F(5 * 3)))
    assert (fc, out) == (Amounts(ac=F((10 + 2) * 3, 2)), Amounts(F((6 + 3) * 3)))
    nothing = [Amounts()] * 3
    assert [*CONVENTIONS["exact"].amounts(facts, 3)] == [*nothing, Amounts(ac=None), Amounts(F(4))]
    assert [*CONVENTIONS["paper-spikformer"].amounts(facts, 3)] == [*nothing, Amounts(ac=F(15)), Amounts(ac=None)]
    assert [*CONVENTIONS["paper-esvae"].amounts(facts, 3)] == [*nothing, Amounts(ac=None), Amounts(ac=None)]


def test_the_unknown_stays_unknown_in_a_sum() -> None:
    known = Amounts(F(2), F(3))
    assert known + Amounts(F(1), None) == Amounts(F(3), None)
    assert total([known, Amounts(None, F(1)), known]) == Amounts(None, F(7))
    assert total([]) == Amounts(F(0), F(0))


def test_names() -> None:
    assert {name: c.name for name, c in CONVENTIONS.items()} == {name: name for name in CONVENTIONS}
    assert convention_named("paper-syops") is CONVENTIONS["paper-syops"]
    with pytest.raises(InputError, match=r"convention \(papers\) is not one of exact, paper-spikformer"):
        convention_named("papers")
    assert any("factor of 2" in caveat for caveat in CONVENTIONS["paper-esvae"].caveats)
    assert any("folded" in caveat for caveat in CONVENTIONS["paper-syops"].program_caveats)


def uniform(spikes: int, kernel: int, stride: int, padding: int) -> tuple[Amounts, Amounts]:
    """A convolution 2 -> 3 channels on 5x5, each input in `spikes` of 4 steps: exact, and by Spikformer's formula."""
    weight = np.ones((3, 2, kernel, kernel), np.int64)
    conv = Conv("x", "a", weight, stride=(stride, stride), padding=(padding, padding))
    shape = conv.output_shape((2, 5, 5))
    program = Program((layer("a", shape),), (conv,), (Input("x", (2, 5, 5), "spike"),), (Output("o", "a"),), latency=1)
    x, a = np.zeros((5, 1, 50), np.uint8), np.zeros((5, 1, int(np.prod(shape))), np.uint8)
    x[:4, 0] = (np.arange(4)[:, None] + np.arange(50)) % 4 < spikes
    facts = facts_of(count_operations(program, Result(a[1:], 1, {}, {"x": x, "a": a})))
    exact, formula = (total(CONVENTIONS[name].amounts(facts, 4)) for name in ("exact", "paper-spikformer"))
    return exact, formula


@given(st.integers(0, 4), st.integers(1, 3), st.integers(1, 2))
def test_exact_is_the_formula_where_all_spike_alike_and_nothing_is_padded(
    spikes: int, kernel: int, stride: int
) -> None:
    exact, formula = uniform(spikes, kernel, stride, padding=0)
    assert exact == formula and bool(exact.ac) == bool(spikes)


def test_the_formula_charges_for_padding() -> None:
    """3 x 2 channels; 9 taps at 25 places, of which 13 x 13 fall inside."""
    exact, formula = uniform(spikes=3, kernel=3, stride=1, padding=1)
    assert (exact.ac, formula.ac) == (3 * 3 * 2 * 13 * 13, 3 * 3 * 2 * 9 * 25)


@pytest.mark.parametrize("seed", range(20))
def test_exact_adds_up_to_the_counts_of_a_run(seed: int) -> None:
    program, inputs = random_program(np.random.default_rng(seed), steps=6, batch=3)
    result = simulate(program, inputs)
    counts = count_operations(program, result)
    facts = facts_of(counts)
    amounts = total(CONVENTIONS["exact"].amounts(facts, counts.steps))
    into = [c for part in counts.layers for c in part.connections]
    graded = sum(c.sops for c in into if c.graded)
    assert amounts.ac == F(counts.sops - graded, 3)
    assert amounts.mac == F(counts.host_macs + graded, 3)
    assert sum(f.macs_dense for f in facts) == counts.macs_dense
    sizes = {node.name: node.size for node in (*program.groups, *program.inputs)}
    assert [f.slots for f in facts if f.synaptic and f.fed != "analog"] == [sizes[c.source] for c in into]


rates = st.fractions(0, 1, max_denominator=50)
synapses = st.builds(
    LayerFacts,
    name=st.just("l"),
    kind=st.sampled_from(["conv", "linear", "sparse"]),
    fed=st.sampled_from(["analog", "spikes", "graded"]),
    passes=st.fractions(0, 9, max_denominator=9),
    slots=st.integers(1, 99),
    outputs=st.integers(1, 99),
    bias=st.booleans(),
    macs_dense=st.integers(1, 999),
    macs_by_output=st.integers(1, 999),
    rate=rates,
    sops=st.fractions(0, 999, max_denominator=9),
)
others = st.builds(
    LayerFacts,
    name=st.just("o"),
    kind=st.sampled_from(["batch_norm", "neurons", "pool"]),
    fed=st.sampled_from(["spikes", "graded"]),
    elements=st.integers(1, 99),
    rate=rates,
)
networks = st.lists(st.one_of(synapses, others), max_size=5).map(tuple)


@given(networks, networks, st.integers(1, 9), st.sampled_from(sorted(CONVENTIONS)))
def test_layers_add_up(a: tuple[LayerFacts, ...], b: tuple[LayerFacts, ...], steps: int, name: str) -> None:
    """The mean rate of `paper-esvae` is that of the whole network, so its layers add up at equal rates alone."""
    if name == "paper-esvae":
        a, b = (tuple(replace(layer, rate=F(1, 3)) for layer in part) for part in (a, b))
    amounts = CONVENTIONS[name].amounts
    assert amounts(a + b, steps) == amounts(a, steps) + amounts(b, steps)
    assert total(amounts(a + b, steps)) == total(amounts(a, steps)) + total(amounts(b, steps))


@given(networks, st.integers(1, 9), st.integers(1, 9), st.sampled_from(sorted(CONVENTIONS)))
def test_linear_in_steps_but_for_what_is_charged_once(
    facts: tuple[LayerFacts, ...], steps: int, times: int, name: str
) -> None:
    once, often = (CONVENTIONS[name].amounts(facts, n) for n in (steps, steps * times))
    for layer_facts, a, b in zip(facts, once, often, strict=True):
        counted = name == "exact" or (name != "paper-syops" and layer_facts.fed == "analog")
        factor = 1 if counted else times
        assert (b.mac, b.ac) == (a.mac * factor, a.ac * factor)


@given(networks, st.integers(1, 9), st.integers(0, 9), st.sampled_from(sorted(set(CONVENTIONS) - {"exact"})))
def test_accumulates_are_linear_in_the_rate(facts: tuple[LayerFacts, ...], steps: int, tenths: int, name: str) -> None:
    facts = tuple(layer_facts for layer_facts in facts if layer_facts.kind != "neurons")
    scaled = tuple(replace(layer_facts, rate=layer_facts.rate * F(tenths, 10)) for layer_facts in facts)
    before, after = (total(CONVENTIONS[name].amounts(f, steps)) for f in (facts, scaled))
    assert (after.mac, after.ac) == (before.mac, before.ac * F(tenths, 10))
