"""Random Programs to compare back ends on: small, valid, and fond of the edges.

`random_program(rng)` gives a Program under the profile `lava` and inputs for it. Between them the Programs have every
kind of neuron, dense, sparse and convolutional connections, graded spikes of both signs, delays, loops and shortcuts,
biases, resets, bias inputs with encoders, both signs of weight exponents, and values that leave their words.
"""

from collections.abc import Collection
from dataclasses import replace
from math import prod

import numpy as np

from spikeport import fixed
from spikeport.errors import OverflowDetected
from spikeport.fixed import Ints
from spikeport.program import (
    LIF,
    Connection,
    Conv,
    Dense,
    Encoder,
    Group,
    Input,
    Output,
    Program,
    Resonator,
    Shape,
    SigmaDelta,
    Sparse,
)
from spikeport.sim import reference

Rng = np.random.Generator
U_DECAYS = (-1, 0, 1, 127, 1024, 2047, 4094, 4095)
V_DECAYS = (0, 1, 128, 1024, 2048, 4095, 4096)
THRESHOLDS = (0, 1, 5, 80, 300, 3000, fixed.VTH_MAX)
LAVA_KINDS = ("lif", "ternary", "delta", "sigma", "sigma_delta", "rf", "rf_izhikevich")
"""Kinds of which Lava has a fixed-point model."""
KINDS = {kind: 4 if kind == "lif" else 2 for kind in LAVA_KINDS} | {"soft_reset": 2, "refractory": 2}
"""Each kind of neuron, and how common it is."""


def random_program(
    rng: Rng, *, steps: int = 12, batch: int = 2, kinds: Collection[str] = LAVA_KINDS, graded: bool = True
) -> tuple[Program, dict[str, Ints]]:
    """A Program of one to four groups, and `{input: (steps, batch, *shape)}`.

    Args:
        kinds: Those of `KINDS` that may occur; a group of spiking LIF behind an encoder may come with any.
        graded: Whether payloads may be sent and multiplied.
    """
    while True:
        program = _draw(rng, tuple(kinds), graded)
        inputs = random_inputs(rng, program, steps, batch)
        if _is_defined(program, inputs, steps + program.latency):
            return program, inputs


def _draw(rng: Rng, kinds: tuple[str, ...], graded: bool) -> Program:
    inputs = [random_input(rng, "x", graded)]
    groups: list[Group] = []
    connections: list[Connection] = []
    encoders: list[Encoder] = []
    if rng.random() < 0.3:
        image = Input("image", random_shape(rng), "bias", low=int(rng.choice([0, -50])), high=200)
        encoder, group = random_encoder(rng, image, "coded")
        inputs.append(image)
        encoders.append(encoder)
        groups.append(group)
    for number in range(rng.integers(1, 4)):
        before: list[Input | Group] = [inputs[0], *groups]
        source = before[rng.integers(len(before))]
        connection, shape = random_connection(rng, source.name, source.shape, f"g{number}")
        groups.append(random_group(rng, f"g{number}", shape, kinds))
        connections.append(connection)
    connections += [_extra(rng, [inputs[0], *groups], groups) for _ in range(rng.integers(0, 3))]
    return Program(
        groups=tuple(groups),
        connections=tuple(_entering(rng, c, groups, graded) for c in connections),
        inputs=tuple(inputs),
        outputs=(Output("y", groups[-1].name),),
        encoders=tuple(encoders),
        latency=int(rng.integers(0, 4)),
        profile="lava",
    )


def _entering(rng: Rng, connection: Connection, groups: list[Group], graded: bool) -> Connection:
    """The connection with a port that its target has, graded or not."""
    ports = next(g.ports for g in groups if g.name == connection.target)
    port = ports[rng.integers(len(ports))]
    return replace(connection, port=port, graded=graded and bool(rng.random() < 0.6))


def _is_defined(program: Program, inputs: dict[str, Ints], steps: int) -> bool:
    """Whether Lava's answer is defined: its convolution is not, for sums beyond 32 bits."""
    flat = {name: x.reshape(*x.shape[:2], -1) for name, x in inputs.items()}
    try:
        reference.run(program, flat, steps, lambda *_: None)
    except OverflowDetected:
        return False
    return True


def random_inputs(rng: Rng, program: Program, steps: int, batch: int) -> dict[str, Ints]:
    """Full-range integers for each input of a Program; spikes at a random rate, sometimes every step."""
    values = {}
    for entry in program.inputs:
        size = (steps, batch, *entry.shape)
        spikes = rng.random(size) < rng.choice([0.1, 0.5, 1.0])
        payload = 1 if entry.kind == "spike" else rng.integers(entry.low, entry.high + 1, size)
        values[entry.name] = payload + np.zeros(size, np.int64) if entry.kind == "bias" else spikes * payload
    return values


def random_input(rng: Rng, name: str, graded: bool) -> Input:
    shape = random_shape(rng)
    if not graded or rng.random() < 0.6:
        return Input(name, shape, "spike")
    high = int(rng.choice([1, 100, 5000, fixed.PAYLOAD_MAX]))
    return Input(name, shape, "graded", int(rng.choice([0, -high])), high)


def random_shape(rng: Rng) -> Shape:
    if rng.random() < 0.5:
        return (int(rng.integers(1, 4)) * 2, int(rng.integers(3, 8)), int(rng.integers(3, 8)))
    return (int(rng.integers(1, 20)),)


def random_group(rng: Rng, name: str, shape: Shape, kinds: Collection[str]) -> Group:
    chances = np.array([KINDS[kind] for kind in kinds])
    match str(rng.choice(list(kinds), p=chances / chances.sum())):
        case "lif":
            return random_lif(rng, name, shape)
        case "ternary":
            lif = random_lif(rng, name, shape)
            return replace(lif, reset_interval=0, vth_low=min(int(rng.choice([-300, -5, 0, *THRESHOLDS])), lif.vth))
        case "soft_reset":
            return replace(random_lif(rng, name, shape), reset="subtract")
        case "refractory":
            lif = replace(random_lif(rng, name, shape), refractory_steps=int(rng.integers(1, 5)))
            return replace(lif, reset="subtract") if rng.random() < 0.3 else lif
        case "rf" | "rf_izhikevich" as kind:
            return random_resonator(rng, name, shape, kind)
        case stage:
            return random_sigma_delta(rng, name, shape, stage)


def random_sigma_delta(rng: Rng, name: str, shape: Shape, stage: str) -> SigmaDelta:
    if stage == "sigma":
        return SigmaDelta(name, shape, "sigma")
    values: dict[str, object] = {"spike_exp": int(rng.choice([0, 1, 6, 7])), "state_exp": int(rng.choice([0, 1, 6, 7]))}
    largest = fixed.V_MAX >> (int(values["spike_exp"]) + int(values["state_exp"]))  # type: ignore[call-overload]
    values["vth"] = min(int(rng.choice([0, 1, 10, 500, largest])), largest)
    values["cum_error"] = bool(rng.random() < 0.4)
    if stage == "sigma_delta":
        limit = min(int(rng.choice([1, 20, largest])), largest)
        values["bias"] = rng.integers(-limit, limit + 1, shape) if rng.random() < 0.7 else limit
        values["activation"] = str(rng.choice(["relu", "unit"]))
    return SigmaDelta(name, shape, stage, **values)  # type: ignore[arg-type]


def random_resonator(rng: Rng, name: str, shape: Shape, kind: str) -> Resonator:
    """Any period of more than two steps, and no decay at all or up to the whole."""
    bits, state_exp = int(rng.choice([1, 5, 12, 12])), int(rng.choice([0, 1, 6, 7]))
    radius, angle = rng.choice([1.0, 1.0, 0.99, 0.9, 0.3, 0.0]) * (1 << bits), rng.uniform(-np.pi, np.pi)
    vth = min(int(rng.choice([0, 1, 20, 500, fixed.V_MAX])), fixed.V_MAX >> state_exp)
    return Resonator(
        name,
        shape,
        kind,  # type: ignore[arg-type]
        vth,
        sin_decay=int(radius * np.sin(angle)),
        cos_decay=int(radius * np.cos(angle)),
        state_exp=state_exp,
        decay_bits=bits,
    )


def random_lif(rng: Rng, name: str, shape: Shape) -> LIF:
    limit = int(rng.choice([1, 100, fixed.BIAS_MANT_MAX + 1]))
    interval = int(rng.choice([0, 0, 0, 1, 3, 4, 8]))
    return LIF(
        name=name,
        shape=shape,
        du=int(rng.choice(U_DECAYS)),
        dv=int(rng.choice(V_DECAYS)),
        vth=int(rng.choice(THRESHOLDS)),
        bias_mant=rng.integers(-limit, limit, shape),
        bias_exp=int(rng.integers(0, fixed.BIAS_EXP_MAX + 1)),
        reset_interval=interval,
        reset_offset=int(rng.integers(0, 10)),
    )


def random_weight(rng: Rng, shape: Shape) -> Ints:
    """Mantissas of one sign mode: mixed and even, excitatory, inhibitory or all zero; the extremes are common."""
    match rng.choice(["mixed", "mixed", "excitatory", "inhibitory", "zero"]):
        case "mixed":
            weight = rng.integers(-128, 128, shape) * 2
            extremes: tuple[int, int] = (fixed.WEIGHT_MIN_MIXED, fixed.WEIGHT_MAX_MIXED)
        case "excitatory":
            weight, extremes = rng.integers(0, 256, shape), (0, fixed.WEIGHT_MAX)
        case "inhibitory":
            weight, extremes = -rng.integers(0, 256, shape), (-fixed.WEIGHT_MAX, 0)
        case _:
            return np.zeros(shape, np.int64)
    weight = np.where(rng.random(shape) < 0.2, rng.choice(extremes, shape), weight)
    one_sign = weight.size == 0 or weight.min() >= 0 or weight.max() <= 0
    # A small "mixed" draw can come out with one sign, where -256 has no place.
    return np.clip(weight, -fixed.WEIGHT_MAX, fixed.WEIGHT_MAX) if one_sign else weight


def random_connection(rng: Rng, source: str, shape: Shape, target: str) -> tuple[Connection, Shape]:
    """A connection from a node of `shape`, and the shape that its target must have."""
    if len(shape) == 3 and min(shape[1:]) >= 3 and rng.random() < 0.6:
        conv = random_conv(rng, source, shape, target)
        return conv, conv.output_shape(shape)
    new = random_shape(rng)
    return random_matrix(rng, source, prod(shape), target, prod(new)), new


def random_matrix(rng: Rng, source: str, n_source: int, target: str, n_target: int) -> Dense | Sparse:
    exp = int(rng.integers(fixed.WEIGHT_EXP_MIN, fixed.WEIGHT_EXP_MAX + 1))
    if rng.random() < 0.5:
        weight = random_weight(rng, (n_target, n_source))
        return Dense(source, target, weight, exp, _random_delay(rng, weight.shape))
    row, col = np.nonzero(rng.random((n_target, n_source)) < rng.choice([0.05, 0.5]))
    weight = random_weight(rng, row.shape)
    return Sparse(source, target, row, col, weight, exp, _random_delay(rng, row.shape))


def random_conv(rng: Rng, source: str, shape: Shape, target: str) -> Conv:
    """Kernels of up to 3 x 3; stride, dilation and padding differ between the axes."""
    groups = int(rng.choice([g for g in (1, 2, shape[0]) if shape[0] % g == 0]))
    kernel = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    weight = random_weight(rng, (groups * int(rng.integers(1, 3)), shape[0] // groups, *kernel))
    dilation = (int(rng.integers(1, 3)) if kernel[0] == 2 else 1, int(rng.integers(1, 3)) if kernel[1] == 2 else 1)
    return Conv(
        source,
        target,
        weight,
        weight_exp=int(rng.integers(0, fixed.WEIGHT_EXP_MAX + 1)),
        stride=(int(rng.integers(1, 4)), int(rng.integers(1, 4))),
        padding=(int(rng.integers(0, 3)), int(rng.integers(0, 3))),
        dilation=dilation,
        groups=groups,
        delay=int(rng.choice([0, 0, 0, 1, 4])),
    )


def random_encoder(rng: Rng, image: Input, target: str) -> tuple[Encoder, LIF]:
    """An encoder whose mantissas stay in range, and its group."""
    if len(image.shape) == 3 and rng.random() < 0.6:
        conv = random_conv(rng, image.name, image.shape, target)
        weight, shape = conv.weight.astype(np.int64) // 16 * 2, conv.output_shape(image.shape)
        synapses: Dense | Conv = replace(conv, weight=weight, weight_exp=0, delay=0)
    else:
        shape = (int(rng.integers(1, 20)),)
        weight = random_weight(rng, (*shape, image.size)) // 32 * 2
        synapses = Dense(image.name, target, weight, int(rng.integers(-3, 1)))
    largest = int(np.abs(weight).sum(axis=tuple(range(1, weight.ndim))).max()) * 200
    encoder = Encoder(synapses, rng.integers(-1000, 1000, shape), fixed.bias_exponent(largest + 1000))
    return encoder, random_lif(rng, target, shape)


def _extra(rng: Rng, nodes: list[Input | Group], groups: list[Group]) -> Connection:
    """A shortcut or a loop between any two nodes, or of a group with itself."""
    source, target = nodes[rng.integers(len(nodes))], groups[rng.integers(len(groups))]
    return random_matrix(rng, source.name, prod(source.shape), target.name, target.size)


def _random_delay(rng: Rng, shape: Shape) -> int | Ints:
    match rng.choice(["none", "none", "one", "each"]):
        case "none":
            return 0
        case "one":
            return int(rng.choice([1, 2, 5, fixed.DELAY_MAX]))
        case _:
            return rng.integers(0, 8, shape)
