"""What blocks do and tell each other, against a walk of every synapse in plain loops."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.chip import LOIHI1
from spikeport.deploy.cores import map_cores
from spikeport.deploy.cores.activity import Activity, Times, assumed
from spikeport.deploy.cores.work import inward, outward, pairs_of, traffic_of
from spikeport.program import Dense, Input, Output, Program
from tests.deploy.cores.counting import synapses
from tests.deploy.random_programs import random_chip, random_program
from tests.deploy.small_programs import lif

SEEDS = st.integers(0, 2**32 - 1)
NONE = Times(update=0, active=0, sop=dict.fromkeys(("dense", "sparse", "conv"), 0.0))


def drawn(seed: int) -> tuple[Program, dict, dict]:
    """A Program, its cuts, and whole numbers of spikes."""
    rng = np.random.default_rng(seed)
    program = random_program(rng)
    cuts = dict(map_cores(program, random_chip(rng)).where.cuts)
    nodes = (*program.inputs, *program.groups)
    return program, cuts, {n.name: rng.integers(0, 5, int(np.prod(n.shape))).astype(float) for n in nodes}


def ways(program: Program, cuts: dict, rates: dict) -> tuple[Counter, Counter]:
    """Operations by kind and block, and messages by connection, block and block; inputs have block -1."""
    sops, messages = Counter(), Counter()
    for number, c in enumerate(program.connections):
        to, kind = cuts[c.target].labels(), type(c).__name__.lower()
        own = cuts[c.source].labels() if c.source in cuts else np.full(rates[c.source].size, -1)
        reached = set()
        for s in synapses(c, program.shape_of(c.source), program.shape_of(c.target)):
            sops[kind, c.target, int(to[s.target])] += rates[c.source][s.source]
            reached.add((s.source, int(to[s.target])))
        for source, block in reached:
            messages[number, int(own[source]), block] += rates[c.source][source]
    return sops, messages


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_work_and_traffic_equal_a_walk(seed: int) -> None:
    program, cuts, rates = drawn(seed)
    sops, messages = ways(program, cuts, rates)
    active = {g.name: 0.5 for g in program.groups}

    def each(name: str, **times: object) -> np.ndarray:
        return inward(program, Activity(rates, active, Times(**{**NONE.__dict__, **times})), name, cuts[name])

    for group in program.groups:
        name, cut = group.name, cuts[group.name]
        spikes = np.bincount(cut.labels(), rates[name], cut.cores)
        assert np.allclose(each(name, spike=2.0), [2 * spikes, 0 * spikes])
        assert np.allclose(each(name, update=3.0, active=4.0)[0], 5 * cut.neurons)
        for kind in ("dense", "sparse", "conv"):
            found = each(name, sop={**NONE.sop, kind: 1.0})[1]
            assert np.allclose(found, [sops[kind, name, b] for b in range(cut.cores)])
        into = [k for k, c in enumerate(program.connections) if c.target == name]
        heard = [sum(n for (k, _, to), n in messages.items() if k in into and to == b) for b in range(cut.cores)]
        assert np.allclose(each(name, message_in=1.0)[1], heard)
        out = [k for k, c in enumerate(program.connections) if c.source == name]
        told = [sum(n for (k, own, _), n in messages.items() if k in out and own == b) for b in range(cut.cores)]
        sending = Activity(rates, active, Times(message_out=1.0))
        assert np.allclose(outward(program, sending, name, cuts), told)
        found = Counter()
        for k, (target, traffic) in zip(out, traffic_of(program, sending, name, cuts), strict=True):
            assert target == program.connections[k].target
            for source, to, n in zip(*traffic, strict=True):
                found[k, int(source), int(to)] += n
        expected = {way: n for way, n in messages.items() if way[0] in out and n}
        assert {way: n for way, n in found.items() if n} == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_neurons_that_are_all_alike_are_those_with_the_same_rate(seed: int) -> None:
    program, cuts, rates = drawn(seed)
    one = assumed(program, 0.25)
    every = Activity({name: np.full(x.size, 0.25) for name, x in rates.items()}, one.active, one.times)
    for name in cuts:
        assert np.allclose(inward(program, one, name, cuts[name]), inward(program, every, name, cuts[name]))
        pairs = zip(traffic_of(program, one, name, cuts), traffic_of(program, every, name, cuts), strict=True)
        for (_, a), (_, b) in pairs:
            assert all(np.allclose(x, y) for x, y in zip(a, b, strict=True))
    found = sum(len(t.source) for name in cuts for _, t in traffic_of(program, one, name, cuts))
    assert found <= pairs_of(program, cuts)


def test_times_by_hand() -> None:
    """Two neurons hear three, one spike in two steps each: 5.3 + 3.1 ns a neuron, 3.5 ns for each of 3 operations."""
    dense = Dense("x", "a", np.ones((2, 3), int))
    program = Program((lif("a", (2,)),), (dense,), (Input("x", (3,), "spike"),), (Output("y", "a"),))
    cuts = map_cores(program, LOIHI1).where.cuts
    assert np.allclose(inward(program, assumed(program, 0.5), "a", cuts["a"]), [[2 * 8.4], [3 * 3.5]])
