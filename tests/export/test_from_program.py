"""The way back: a Program's modules spike as it does, learn, and become the same Program again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from spikeport.deploy import compile_graph
from spikeport.errors import ExportError, OverflowDetected
from spikeport.export import from_program, to_nir
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program, SigmaDelta, Sparse, identical
from spikeport.sim import simulate
from spikeport.train import SpikingGroup, SpikingNetwork
from tests.export.programs import trainable_program
from tests.nets import random_net

seeds = st.integers(0, 2**32 - 1)


def tensors(inputs: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in inputs.items()}


def start_of(program: Program, name: str) -> int:
    """The hardware step at which a group sees its first input, from 0: along any path, because all are as long."""
    feeds = {c.target: c for c in program.connections if c.source != c.target}
    if name not in feeds:
        return 0
    c = feeds[name]
    delay = c.delay if isinstance(c.delay, int) else int(c.delay.flat[0]) if c.delay.size else 0
    spike_input = any(entry.name == c.source for entry in program.inputs)
    return delay + (1 if spike_input else start_of(program, c.source) + 1)


def assert_same_spikes(program: Program, net: SpikingNetwork, inputs: Mapping[str, np.ndarray]) -> int:
    """Every group against the reference; gives the number of spikes."""
    length = len(next(iter(inputs.values())))
    starts = {g.name: start_of(program, g.name) for g in program.groups}
    program = replace(program, latency=max(starts.values()))  # the run goes on until the latest group is done
    run = simulate(program, inputs, record=list(starts), engine="reference")
    found = net.spikes(tensors(inputs))
    for name, start in starts.items():
        expected = run.traces[name].s[start : start + length]
        assert np.array_equal(found[name].numpy().reshape(expected.shape), expected), name
    return sum(int(s.sum()) for s in found.values())


def overflows(program: Program, inputs: Mapping[str, np.ndarray]) -> bool:
    try:
        simulate(replace(program, latency=program.latency + 3), inputs)
    except OverflowDetected:
        return True
    return False


def same_but_units(a: Program, b: Program) -> bool:
    """Whether all is the same but the float worth of a step, the file's hash, and the order of groups side by side."""

    def bare(program: Program) -> Program:
        groups = sorted((replace(g, v_unit=1.0) for g in program.lifs), key=lambda g: g.name)
        connections = sorted(program.connections, key=lambda c: c.target)
        return replace(program, nir_sha256="", groups=tuple(groups), connections=tuple(connections))

    return identical(bare(a), bare(b))


def normal(program: Program) -> Program:
    """With the least exponents, as the compiler writes them; every value stays."""
    from spikeport import fixed

    groups, connections = [], []
    for g in program.lifs:
        whole = g.bias_mant.astype(np.int64) << g.bias_exp
        exp = g.bias_exp if any(e.synapses.target == g.name for e in program.encoders) else 0
        exp = exp or fixed.bias_exponent(int(np.abs(whole).max()))
        groups.append(replace(g, bias_mant=whole >> exp, bias_exp=exp))
    for c in program.connections:
        whole = c.weight.astype(np.int64) << c.weight_exp
        exp = fixed.weight_exponent(whole)
        connections.append(replace(c, weight=whole >> exp, weight_exp=exp))
    return replace(program, groups=tuple(groups), connections=tuple(connections))


# ---------------------------------------------------------------- the same spikes, the same Program


@given(seeds)
def test_every_group_spikes_as_in_the_simulator(seed: int) -> None:
    program, inputs = trainable_program(np.random.default_rng(seed))
    assume(not overflows(program, inputs))
    assert_same_spikes(program, from_program(program), inputs)


@given(seeds)
def test_samples_longer_than_the_reset_interval_are_cleared_in_between(seed: int) -> None:
    program, inputs = trainable_program(np.random.default_rng(seed), loops=False)
    assume(not overflows(program, inputs))
    assert_same_spikes(program, from_program(program), inputs)


@given(seeds)
def test_what_was_not_trained_is_exported_as_the_same_program(seed: int) -> None:
    program, _ = trainable_program(np.random.default_rng(seed), portable=True)
    again = compile_graph(to_nir(from_program(program)))
    assert same_but_units(again, normal(program))


@given(st.integers(0, 10_000))
def test_networks_of_our_own_come_back_identical(seed: int) -> None:
    net, x = random_net(seed)
    program = compile_graph(to_nir(net, x))
    if any(not e.synapses.weight.any() for e in program.encoders):
        return
    assert same_but_units(compile_graph(to_nir(from_program(program))), program)
