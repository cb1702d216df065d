"""Every count against an enumeration of every event over every synapse, on random networks."""

from itertools import product
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.program import (
    LIF,
    Connection,
    Conv,
    Dense,
    Group,
    Input,
    Output,
    Program,
    Resonator,
    Shape,
    SigmaDelta,
    Sparse,
)
from spikeport.sim import simulate
from spikeport.sim.counting import active, count_operations, sample_windows
from spikeport.sim.result import Result
from tests.sim.counting.enumeration import check_counts
from tests.sim.counting.random_convs import convs, mixed

Rng = np.random.Generator
seeds = st.integers(0, 2**32 - 1)


def made_up(program: Program, sent: dict[str, np.ndarray], steps: int) -> Result:
    return Result(sent[program.outputs[0].source][:steps], program.latency, {}, sent)


def random_sent(rng: Rng, program: Program, steps: int, samples: int, density: float) -> dict[str, np.ndarray]:
    """Payloads where there may be some, of all sizes; spikes in the types that engines and callers use."""
    found = {}
    for node in [*program.inputs, *program.groups]:
        shape = (steps + program.latency, samples, node.size)
        spikes = rng.random(shape) < density
        graded = node.kind == "graded" if isinstance(node, Input) else node.signed
        if graded:
            payloads = rng.integers(-(2**23) + 1, 2**23, shape) >> rng.integers(0, 23, shape)
            found[node.name] = (spikes * payloads).astype(rng.choice([np.int32, np.int64]))
        else:
            found[node.name] = spikes.astype(rng.choice([np.uint8, np.bool_, np.int64]))
    return found


def check(program: Program, sent: dict[str, np.ndarray], steps: int) -> None:
    counts = count_operations(program, made_up(program, sent, steps))
    check_counts(program, sent, sample_windows(program, steps), counts)


def lif(name: str, shape: Shape, **more: Any) -> LIF:
    return LIF(name, shape, 4095, 400, 1, np.zeros(shape, np.int64), **more)


def random_dense(rng: Rng, source: str, target: str, sizes: tuple[int, int], **more: Any) -> Connection:
    """Dense or sparse, with one delay or many."""
    n_target, n_source = sizes
    if rng.random() < 0.5:
        delay = int(rng.integers(0, 3)) if rng.random() < 0.5 else rng.integers(0, 4, sizes)
        return Dense(source, target, mixed(rng, *sizes), delay=delay, **more)
    row, col = np.nonzero(rng.random(sizes) < rng.choice([0.1, 0.5, 1.0]))
    delay = int(rng.integers(0, 3)) if rng.random() < 0.5 else rng.integers(0, 4, len(row))
    order = rng.permutation(len(row))
    return Sparse(source, target, row[order], col[order], mixed(rng, len(row)), delay=delay, **more)


@settings(max_examples=400, deadline=None)
@given(case=convs(), seed=seeds, density=st.sampled_from([0.02, 0.2, 0.9]), alone=st.booleans())
def test_random_convolutions(case: tuple[Conv, Shape], seed: int, density: float, alone: bool) -> None:
    conv, shape = case
    rng = np.random.default_rng(seed)
    group = lif("g", conv.output_shape(shape), reset_interval=16, reset_offset=int(rng.integers(0, 4)))
    entry = Input("x", shape, *(("graded", -(2**23) + 1, 2**23 - 1) if conv.graded else ("spike",)))
    more = () if alone else (random_dense(rng, "x", "g", (group.size, entry.size)),)
    program = Program((group,), (conv, *more), (entry,), (Output("y", "g"),), latency=int(rng.integers(0, 4)))
    check(program, random_sent(rng, program, 3, 2, density), 3)


def random_program(rng: Rng) -> Program:
    """Every kind of neuron, with resets at their own offsets, and connections from anywhere to anywhere."""
    sizes = {name: int(rng.integers(1, 9)) for name in ("x", "p", "a", "b", "c", "d")}
    interval, offsets = int(rng.choice([0, 16])), rng.integers(0, 6, 2).tolist()
    groups: tuple[Group, ...] = (
        lif("a", (sizes["a"],), reset_interval=interval, reset_offset=offsets[0]),
        SigmaDelta("b", (sizes["b"],), "delta", vth=1),
        lif("c", (sizes["c"],), reset_interval=interval, reset_offset=offsets[1], vth_low=-1),
        Resonator("d", (sizes["d"],), "rf", vth=9, sin_decay=5, cos_decay=3),
    )
    inputs = (Input("x", (sizes["x"],), "spike"), Input("p", (sizes["p"],), "graded", -9, 9))
    connections = []
    for source, target in product(sizes, "abcd"):
        if rng.random() < 0.4:
            more = {"port": "im" if rng.random() < 0.5 else "re"} if target == "d" else {}
            graded = bool(rng.random() < 0.5)
            both = (sizes[target], sizes[source])
            connections.append(random_dense(rng, source, target, both, graded=graded, **more))
    return Program(groups, tuple(connections), inputs, (Output("y", "a"),), latency=int(rng.integers(0, 6)))


@settings(max_examples=300, deadline=None)
@given(seed=seeds, density=st.sampled_from([0.02, 0.3, 1.0]))
def test_random_networks(seed: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    program = random_program(rng)
    steps = int(rng.integers(1, 6))
    check(program, random_sent(rng, program, steps, int(rng.integers(1, 4)), density), steps)


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_samples_looked_at_one_by_one_or_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = random_program(rng)
    sent = random_sent(rng, program, 4, 7, 0.1)
    whole = count_operations(program, made_up(program, sent, 4))
    kept = active.BLOCK_BYTES
    try:
        for active.BLOCK_BYTES in (1, 64):
            assert count_operations(program, made_up(program, sent, 4)) == whole
    finally:
        active.BLOCK_BYTES = kept


def test_layers_wider_than_what_is_looked_at_together() -> None:
    rng = np.random.default_rng(0)
    n = 2500
    col = rng.integers(0, n, 4000)
    row = np.arange(4000) % 301
    pairs = np.unique(np.stack([row, col]), axis=1)
    sparse = Sparse("x", "g", pairs[0], pairs[1], mixed(rng, pairs.shape[1]), delay=rng.integers(0, 3, pairs.shape[1]))
    program = Program((lif("g", (301,)),), (sparse,), (Input("x", (n,), "spike"),), (Output("y", "g"),), latency=3)
    for density in (0.001, 0.02, 0.5):
        check(program, random_sent(rng, program, 3, 2, density), 3)


def test_a_simulated_network_of_images_whatever_the_layout_of_its_spikes() -> None:
    rng = np.random.default_rng(5)
    conv = Conv("x", "c", mixed(rng, 6, 2, 3, 3), stride=(2, 1), padding=(1, 1))
    dense = Dense("c", "d", mixed(rng, 7, 6 * 3 * 6))
    groups = (lif("c", (6, 3, 6)), lif("d", (7,)))
    program = Program(groups, (conv, dense), (Input("x", (2, 6, 6), "spike"),), (Output("y", "d"),), latency=2)
    x = (rng.random((6, 3, 2, 6, 6)) < 0.3).astype(np.uint8)
    for engine in ("events", "reference"):
        result = simulate(program, x, engine=engine)
        sent = {name: np.array(s) for name, s in result.sent.items()}
        assert sent["d"].any()
        check_counts(program, sent, sample_windows(program, 6), count_operations(program, result))
