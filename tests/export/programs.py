"""Random Programs that can be trained: LIF, and paths that meet in time.

Between them they have chains and shortcuts, dense, sparse and convolutional connections, several into one group with
exponents of their own, odd weights of one sign, biases per neuron and per channel, several inputs, delays, loops of a
group with itself, every decay in [0, 4095], currents, images, resets of both kinds, and outputs that read v.
"""

from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

import numpy as np

from spikeport import fixed
from spikeport.fixed import Ints
from spikeport.program import LIF, Connection, Conv, Dense, Encoder, Input, Output, Program, Shape, Sparse
from spikeport.sim.random_programs import random_conv, random_matrix, random_shape, random_weight

Rng = np.random.Generator


@dataclass
class _Draft:
    """What is there so far; `starts` are the hardware steps of each node's first input."""

    inputs: list[Input]
    starts: dict[str, int]
    interval: int
    reset: Literal["zero", "subtract"] = "zero"
    groups: list[LIF] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    encoders: list[Encoder] = field(default_factory=list)

    def nodes(self) -> list[Input | LIF]:
        return [*(entry for entry in self.inputs if entry.kind == "spike"), *self.groups]


def trainable_program(rng: Rng, *, portable: bool = False, loops: bool = True) -> tuple[Program, dict[str, Ints]]:
    """A Program and inputs `(T, B, *shape)`; a sample may be longer than a reset interval.

    Args:
        portable: Only what NIR says and the compiler gives back: no sparse synapses, no loops, no delay but to balance.
        loops: Whether a group may project to itself.
    """
    interval = int(rng.choice([0, 4, 8, 32768]))
    interval = 32768 if portable and not interval else interval
    image = rng.random() < 0.3
    if image:
        high = int(rng.choice([1, 50, 255]))
        inputs = [Input("image", random_shape(rng), "bias", low=int(rng.choice([0, -high])), high=high)]
    else:
        inputs = [Input(f"x{k}", random_shape(rng), "spike") for k in range(rng.choice([1, 1, 2]))]
    draft = _Draft(inputs, {entry.name: int(entry.kind == "spike") for entry in inputs}, interval)
    draft.reset = "subtract" if rng.random() < 0.3 and not image else "zero"
    if image:
        _add_image(rng, draft)
    count = int(rng.integers(1, 4))
    for number in range(count):
        _add_group(rng, draft, f"g{number}", portable, loops and not portable, number == count - 1)
    last = draft.groups[-1]
    reads: Literal["s", "v"] = "v" if rng.random() < 0.3 and not portable else "s"
    if reads == "v":
        last = draft.groups[-1] = replace(last, vth=fixed.VTH_MAX)
    program = Program(
        tuple(draft.groups),
        tuple(draft.connections),
        tuple(inputs),
        (Output("y", last.name, last.size if rng.random() < 0.3 else 0, reads),),
        tuple(draft.encoders),
        latency=draft.starts[last.name] - 1,
        dt_s=float(rng.choice([1e-4, 1e-3 / 3])),
    )
    steps = min(int(rng.integers(1, 12)), interval or 12) if loops else int(rng.integers(1, 12))
    return program, {entry.name: _values(rng, entry, steps) for entry in inputs}


def _values(rng: Rng, entry: Input, steps: int) -> Ints:
    size = (steps, 2, *entry.shape)
    if entry.kind == "bias":
        return rng.integers(entry.low, entry.high + 1, size)
    return (rng.random(size) < rng.choice([0.1, 0.5, 1.0])).astype(np.int64)


def _add_group(rng: Rng, draft: _Draft, name: str, portable: bool, loops: bool, last: bool) -> None:
    nodes = draft.nodes()
    flat = {c.target for c in draft.connections if not isinstance(c, Conv)}
    needed = [entry for entry in draft.inputs if entry.kind == "spike" and not draft.groups]  # no input feeds nothing
    if last and portable:
        needed += [g for g in draft.groups if not any(c.source == g.name != c.target for c in draft.connections)]
    source = needed[0] if needed else nodes[rng.integers(len(nodes))]
    may_convolve = not portable or source.name not in flat and len(needed) < 2
    connection, shape = _first(rng, source, name, may_convolve, portable)
    others = [n for n in nodes if n is not source and (n in needed or rng.random() < 0.4)]
    if portable and isinstance(connection, Conv):  # dense synapses would take the shape away
        others = []
    into = [connection, *(_dense(rng, n.name, n.size, name, prod(shape), portable) for n in others)]
    ahead = [draft.starts[c.source] + (0 if portable else int(rng.integers(0, 3))) for c in into]
    start = 1 + max(ahead)
    into = [replace(c, delay=start - 1 - draft.starts[c.source]) for c in into]
    draft.starts[name] = start
    lif = _lif(rng, draft, name, shape, per_channel=portable and isinstance(connection, Conv))
    if loops and rng.random() < 0.4 and len(draft.inputs) == 1:
        early = start > 1 and any(np.any(g.bias_mant) for g in [*draft.groups, lif])
        if not early:
            into.append(_dense(rng, name, lif.size, name, lif.size, portable))
    draft.groups.append(lif)
    draft.connections += into


def _first(rng: Rng, source: Input | LIF, name: str, may_convolve: bool, portable: bool) -> tuple[Connection, Shape]:
    if may_convolve and len(source.shape) == 3 and min(source.shape[1:]) >= 3 and rng.random() < 0.6:
        conv = replace(random_conv(rng, source.name, source.shape, name), delay=0)
        return conv, conv.output_shape(source.shape)
    shape = (int(rng.integers(1, 12)),)
    return _dense(rng, source.name, source.size, name, shape[0], portable), shape


def _dense(rng: Rng, source: str, n_source: int, target: str, n_target: int, portable: bool) -> Dense | Sparse:
    exp = int(rng.choice([0, 0, 0, 1, 3, fixed.WEIGHT_EXP_MAX]))
    if portable or rng.random() < 0.5:
        return Dense(source, target, random_weight(rng, (n_target, n_source)), exp)
    return replace(random_matrix(rng, source, n_source, target, n_target), weight_exp=exp, delay=0)


def _lif(rng: Rng, draft: _Draft, name: str, shape: Shape, per_channel: bool) -> LIF:
    silent = draft.starts[name] > 1 and not draft.interval  # nothing would clear what it did before
    bias = rng.integers(-300, 300, shape) * int(rng.choice([0, 1, 10]))
    if per_channel or rng.random() < 0.5:
        bias = np.broadcast_to(bias.reshape(shape[0], -1)[:, :1], (shape[0], prod(shape[1:]))).reshape(shape)
    return LIF(
        name=name,
        shape=shape,
        du=int(rng.choice([4095, 4095, 4095, 4094, 2048, 100, 0])),
        dv=int(rng.choice([0, 1, 128, 1000, 2048, 4095])),
        vth=int(rng.choice([1, 5, 80, 300, 300, 1000, 3000, fixed.VTH_MAX])),
        bias_mant=0 * bias if silent else bias,
        bias_exp=int(rng.choice([0, 3, 6, fixed.BIAS_EXP_MAX])),
        reset_interval=draft.interval,
        reset_offset=draft.starts[name],
        reset=draft.reset,
    )


def _add_image(rng: Rng, draft: _Draft) -> None:
    """A first layer as the compiler writes it: k doubled, and the least shift."""
    image = draft.inputs[0]
    if len(image.shape) == 3 and rng.random() < 0.6:
        synapses: Dense | Conv = replace(random_conv(rng, image.name, image.shape, "coded"), delay=0, weight_exp=0)
        assert isinstance(synapses, Conv)
        shape = synapses.output_shape(image.shape)
    else:
        shape = (int(rng.integers(1, 12)),)
        synapses = Dense(image.name, "coded", np.zeros((shape[0], image.size), np.int64))
    k = rng.integers(-127, 128, synapses.weight.shape)
    k.flat[0] = 127
    one = rng.integers(-3000, 3000, shape[0])
    worst = np.abs(k).reshape(len(k), -1).sum(1) * max(-image.low, image.high) + np.abs(one)
    shift = fixed.bias_exponent(int(worst.max()))
    offset = np.broadcast_to(2 * one.reshape(-1, *[1] * (len(shape) - 1)), shape)
    draft.encoders.append(Encoder(replace(synapses, weight=2 * k), offset, shift + 1))
    draft.starts["coded"] = 1
    lif = _lif(rng, draft, "coded", shape, per_channel=True)
    draft.groups.append(replace(lif, bias_mant=np.zeros(shape, np.int64), bias_exp=fixed.ACT_SHIFT, du=4095))
