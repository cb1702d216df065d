"""Cases at the edges of the hardware's words, made so that the very value is reached.

`drive` builds synapses through which a neuron receives any sum at any step, so that u can be put at
2^23 - 1, 2^23 and 2^23 + 1 although one synapse adds multiples of 64 only.
`fed` gives each neuron a payload of its own at each step.
"""

from collections.abc import Iterator

import numpy as np

from spikeport import fixed
from spikeport.fixed import Ints
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
    SigmaDelta,
    Sparse,
)
from tests.vectors.case import Case

LINES = 6  # input lines per step: five of up to 255 << 7, one for the remainder
EDGE = fixed.WRAP_AT


def drive(a: Ints, target: str) -> tuple[list[Connection], Ints]:
    """Connections and spikes `(steps, 1, lines)` that add `a[t]` `(steps, n)` to the target at step t + 2.

    |a| is at most 1275 * 128 + 127; excitatory and inhibitory sums have connections of their own.
    """
    steps, n = a.shape
    connections: list[Connection] = []
    for sign in (1, -1):
        high, low = np.divmod(np.maximum(sign * a, 0), 128)
        for exp, value in ((7, high), (0, low)):
            weight = np.zeros((n, steps, LINES), np.int64)
            for line in range(LINES - 1):
                weight[:, :, line] = np.clip(value.T - fixed.WEIGHT_MAX * line, 0, fixed.WEIGHT_MAX)
            if weight.any():
                connections.append(Dense("x", target, sign * weight.reshape(n, -1), exp))
    spikes = np.repeat(np.eye(steps, dtype=np.int64), LINES, axis=1)[:, None]
    return connections, spikes


def driven(name: str, a: Ints, extra_steps: int = 3, **values: object) -> Case:
    """A group that receives `a` `(steps, n)`; `values` are fields of the group."""
    n = a.shape[1]
    fields: dict[str, object] = {"du": -1, "dv": 0, "vth": fixed.VTH_MAX, "bias_mant": np.zeros(n, np.int64), **values}
    connections, spikes = drive(a, "g")
    quiet = np.zeros((extra_steps, 1, spikes.shape[2]), np.int64)
    return _case(name, LIF("g", (n,), **fields), connections, np.concatenate([spikes, quiet]))  # type: ignore[arg-type]


def lif_edges() -> Iterator[Case]:
    """u wraps, v saturates, thresholds, decays of small negative values, biases, resets."""
    steps = EDGE >> fixed.ACT_SHIFT
    yield driven("u at the wrap, by one input", np.array([[s * (steps + d) for s in (1, -1) for d in (-1, 0, 1)]]))
    for du in (0, 1, 1024, 4094):
        targets = np.array([s * EDGE + d for s in (1, -1) for d in (-1, 0, 1)])
        yield driven(f"u at the wrap after a decay of {du}", _two_inputs(targets, du), du=du)
    yield driven("u far beyond the wrap", np.array([[150_000, -150_000, 163_000]] * 6), du=1)
    bias = np.array([62, 63, 64, 65, -62, -63, -64, -65])
    yield driven("v at saturation", np.array([[steps - 1] * 4 + [1 - steps] * 4]), du=4095, bias_mant=bias)
    yield driven("v stays saturated", np.full((5, 2), -130_000), du=4095, dv=1)
    for vth in (0, 1, 80, fixed.VTH_MAX):
        bias = np.array([-2, -1, 0, 1, 2])
        yield driven(f"v around the threshold {vth}", np.full((1, 5), vth), vth=vth, du=4095, bias_mant=bias)
    small = np.array([-1, -2, -3, -4, -5, -63, -64, -65, 1, 2, 3, 5, 63, 65])
    for dv in (0, 1, 1024, 2047, 2048, 4095, 4096):
        yield driven(f"v of small bias under dv {dv}", small[None] * 0, 5, dv=dv, bias_mant=small)
    for du in (-1, 0, 1, 2047, 2048, 4094, 4095):
        yield driven(f"u of small input under du {du}", small[None], 5, du=du, dv=4096)
    mantissas = np.array([fixed.BIAS_MANT_MIN, -4095, -3, -1, 0, 1, 4094, fixed.BIAS_MANT_MAX])
    for exp in range(fixed.BIAS_EXP_MAX + 1):
        yield driven(f"bias exponent {exp}", np.zeros((1, 8), np.int64), bias_mant=mantissas, bias_exp=exp, dv=100)
    for interval, offset in ((1, 0), (3, 0), (3, 7), (4, 1), (8, 2)):
        values = {"reset_interval": interval, "reset_offset": offset, "du": 100, "dv": 100}
        a = np.arange(30).reshape(10, 3) - 15
        yield driven(f"reset every {interval} from {offset}", a, bias_mant=np.array([5, 0, -5]), **values)


def ternary_edges() -> Iterator[Case]:
    """v around both thresholds, of either sign, equal, and at the ends of their words."""
    bias = np.array([-2, -1, 0, 1, 2])
    for low, high in ((-5, 5), (0, 0), (-1, 0), (3, 3), (3, 9), (-fixed.VTH_MAX, fixed.VTH_MAX)):
        for at in dict.fromkeys((low, high)):
            values = {"vth": high, "vth_low": low, "du": 4095, "dv": 0, "bias_mant": bias}
            yield driven(f"v around {at} of {low} and {high}", np.full((2, 5), at), 4, **values)


def sigma_delta_edges() -> Iterator[Case]:
    """Deltas around the threshold, lost low bits, both activations, sums that wrap at 32 bits, and |-2^31|."""
    x = np.array([[4, 5, 6, -4, -5, -6, 3], [0, 1, 2, 0, -9, -1, 6], [5, 5, 5, -5, -5, -5, 8], [0, 0, 0, 0, 0, 0, 0]])
    for cum_error in (False, True):
        for spike_exp, state_exp in ((0, 0), (2, 1), (6, 6)):
            name = f"{spike_exp} {state_exp} {'error' if cum_error else 'delta'}"
            values = {"vth": 5, "spike_exp": spike_exp, "state_exp": state_exp, "cum_error": cum_error}
            yield fed(f"delta {name}", SigmaDelta("g", (7,), "delta", **values), x)
            for activation in ("relu", "unit"):
                values |= {"activation": activation, "bias": np.array([0, 1, -1, 5, -5, 2, -2])}
                group = SigmaDelta("g", (7,), "sigma_delta", **values)
                yield fed(f"sigma_delta {name} {activation}", group, x << spike_exp, shift=state_exp)
    lowest = np.array([[1, 0, 2, -(2**17)], [-(2**17), -(2**17), -(2**17), 2**17 - 1], [0, 5, 1, 1], [3, 3, 3, 0]])
    for cum_error in (False, True):
        group = SigmaDelta("g", (4,), "delta", 2, spike_exp=7, state_exp=7, cum_error=cum_error)
        yield fed(f"-2^31 {'as error' if cum_error else 'as delta'}", group, lowest)
        group = SigmaDelta("g", (4,), "sigma_delta", 2, activation="unit", state_exp=7, cum_error=cum_error)
        yield fed(f"sigma at 2^31 {'with error' if cum_error else ''}", group, lowest, shift=14)
    yield fed("sigma wraps", SigmaDelta("g", (4,), "sigma"), lowest, shift=14)


def resonator_edges() -> Iterator[Case]:
    """Products of small numbers of both signs, thresholds met exactly, zero crossings, and both ends of the words."""
    small = np.array([[-3, -2, -1, 0, 1, 2, 3, 65], [0, 1, -1, 2, 0, -2, 5, -64]])
    full = np.array([[8, 9, -8, -9, 7, -7, 8, -8], [0, 1, 9, -9, 8, 1, -1, 2]]) << 20
    for kind in ("rf", "rf_izhikevich"):
        for sin, cos, bits in ((2048, 2048, 12), (-2047, 3000, 12), (4096, 0, 12), (1, -1, 1), (0, 4096, 12)):
            for name, x, exp in (
                ("small", small, 0),
                ("small", small, 6),
                ("full", np.clip(full, -EDGE + 1, EDGE - 1), 0),
            ):
                group = Resonator("g", (8,), kind, 3, sin, cos, state_exp=exp, decay_bits=bits)
                yield fed(f"{kind} {name} {sin} {cos} {bits} {exp}", group, x, extra_steps=4)


def overflow_edges() -> Iterator[Case]:
    """Sums that leave Lava's integer types: 24 bits for a convolution, 32 bits for the current.

    Also geometry beyond int8, for which the worker widens Lava's types.
    """
    for synapses in (1028, 1029):
        for sign in (1, -1):
            weight = np.full((1, synapses), sign * fixed.WEIGHT_MAX)
            group = LIF("g", (1,), du=100, dv=100, vth=fixed.VTH_MAX, bias_mant=np.zeros(1, np.int64))
            spikes = np.ones((3, 1, synapses), np.int64)
            yield _case(f"{synapses} synapses of {sign * 255} << 7", group, [Dense("x", "g", weight, 7)], spikes)
    for channels in (257, 258):
        for sign in (1, -1):
            weight = np.full((1, channels, 1, 1), sign * fixed.WEIGHT_MAX)
            spikes = np.ones((2, 1, channels, 1, 1), np.int64)
            yield _convolved(f"{channels} channels of {sign * 255} << 7", Conv("x", "g", weight, 7), spikes)
    weight = np.arange(1, 129).reshape(128, 1, 1, 1)
    yield _convolved("128 channel groups", Conv("x", "g", weight, groups=128), np.ones((2, 1, 128, 1, 2), np.int64))
    weight = np.arange(1, 4).reshape(1, 1, 1, 3)
    yield _convolved("a padding of 70", Conv("x", "g", weight, padding=(0, 70)), np.ones((2, 1, 1, 1, 3), np.int64))


def fed(name: str, group: Group, x: Ints, shift: int = 0, extra_steps: int = 2) -> Case:
    """Neuron i receives `x[t, i] << shift` at t + 2, at each of its ports; port `im` the neurons in turned order."""
    steps, n = x.shape
    weight, exp = 1 << max(shift - fixed.WEIGHT_EXP_MAX, 0), min(shift, fixed.WEIGHT_EXP_MAX)
    index = np.arange(n)
    connections: list[Connection] = [
        Sparse("x", "g", index if port != "im" else index[::-1], index, np.full(n, weight), exp, graded=True, port=port)
        for port in group.ports
    ]
    payloads = np.concatenate([x, np.zeros((extra_steps, n), np.int64)])[:, None]
    entry = Input("x", (n,), "graded", -fixed.PAYLOAD_MAX, fixed.PAYLOAD_MAX)
    return _case(name, group, connections, payloads, entry)


def _two_inputs(targets: Ints, du: int) -> Ints:
    """Inputs `(2, n)` after which u is exactly at the targets, before the wrap."""
    first = np.arange(1, steps := EDGE >> fixed.ACT_SHIFT)
    kept = fixed.decay(first << fixed.ACT_SHIFT, fixed.keep_u(du))
    pairs = []
    for target in targets:
        sign = np.sign(target)
        rest = abs(target) - kept
        fits = np.flatnonzero((rest % (1 << fixed.ACT_SHIFT) == 0) & (rest >> fixed.ACT_SHIFT < steps))
        pairs.append((sign * first[fits[-1]], sign * (rest[fits[-1]] >> fixed.ACT_SHIFT)))
    return np.array(pairs).T


def _convolved(name: str, conv: Conv, spikes: Ints) -> Case:
    shape = conv.output_shape(spikes.shape[2:])
    group = LIF("g", shape, du=4095, dv=100, vth=fixed.VTH_MAX, bias_mant=np.zeros(shape, np.int64))
    return _case(name, group, [conv], spikes)


def _case(name: str, group: Group, connections: list[Connection], spikes: Ints, entry: Input | None = None) -> Case:
    program = Program(
        groups=(group,),
        connections=tuple(connections),
        inputs=(entry or Input("x", spikes.shape[2:], "spike"),),
        outputs=(Output("y", group.name),),
        profile="lava",
    )
    return Case(name, program, {"x": spikes})
