"""The executable specification: one hardware step at a time, in plain numpy.

Written to be read. It is slow on purpose; the engines are fast and must equal it.
Per step t, counted from 1 (lava-nc 0.10.0, all processes run their spiking phase once):

    every group:  clear u, v if its reset is due
                  u = decay(u, 4096 - (du + 1)) + (a << 6)       a: what arrives at t
                  v = decay(v, 4096 - dv) + u + (bias_mant << bias_exp)
                  s = v > (vth << 6);  v = 0 where s
    every connection:  its sources' spikes at t arrive at t + 1 + delay

Beyond 24 bits the profile `lava` does what Lava's integer types do: a convolution's sum wraps at 24 bits,
the current at 32 bits before its own wrap.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np

from spikeport import fixed
from spikeport.errors import OverflowDetected
from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Dense, Encoder, Group, Profile, Program, Sparse

Arrivals = dict[int, Ints]  # hardware step -> what the dendrites of one group receive then
Observer = Callable[[int, str, Ints, Ints, Ints], None]  # (t, group, u, v, s), each (B, n)


def run(
    program: Program, inputs: Mapping[str, Ints], steps: int, observe: Observer, profile: Profile | None = None
) -> None:
    """Runs `steps` hardware steps from the cleared state.

    Args:
        inputs: For each input `(T, B, n)` integers; step t takes entry t - 1, and zeros after T.
        observe: Called for each group and step with u, v and spikes after the step.
        profile: `strict` or `lava`; the Program's own if None.

    Raises:
        OverflowDetected: under `strict`, when u, v or the sum of a convolution leaves its 24 bits.
    """
    strict = (profile or program.profile) == "strict"
    batch = next(iter(inputs.values())).shape[1]
    u = {g.name: np.zeros((batch, g.size), np.int64) for g in program.groups}
    v = {g.name: np.zeros((batch, g.size), np.int64) for g in program.groups}
    arriving: dict[str, Arrivals] = {g.name: {} for g in program.groups}
    encoders = {e.synapses.target: e for e in program.encoders}
    for t in range(1, steps + 1):
        spikes = {name: _at(x, t) for name, x in inputs.items()}
        for group in program.groups:
            n = group.name
            if group.resets_before(t):
                u[n], v[n] = np.zeros_like(u[n]), np.zeros_like(v[n])
            a = arriving[n].pop(t, np.zeros_like(u[n]))
            bias = _bias(program, group, encoders.get(n), spikes, t, inputs)
            u[n], v[n], spikes[n] = step_group(group, u[n], v[n], a, bias, strict, t)
            observe(t, n, u[n], v[n], spikes[n])
        for connection in program.connections:
            source, target = program.shape_of(connection.source), program.shape_of(connection.target)
            for delay, a in deliver(connection, spikes[connection.source], source, target).items():
                if isinstance(connection, Conv):
                    a = _fit_conv(program.group(connection.target), a, strict, t)
                box = arriving[connection.target]
                box[t + 1 + delay] = box.get(t + 1 + delay, 0) + a


def step_group(group: Group, u: Ints, v: Ints, a: Ints, bias: Ints, strict: bool, t: int) -> tuple[Ints, Ints, Ints]:
    """One step of one group; all arrays `(B, n)`."""
    u = fixed.decay(u, fixed.keep_u(group.du)) + (a << fixed.ACT_SHIFT)
    if strict:
        _refuse(group, "u", u, fixed.leaves_u(u), t)
    u = fixed.wrap_u(fixed.as_int32(u))
    v = fixed.decay(v, fixed.keep_v(group.dv)) + u + bias
    if strict:
        _refuse(group, "v", v, fixed.leaves_v(v), t)
    v = fixed.saturate_v(v)
    s = v > group.vth << fixed.ACT_SHIFT
    return u, np.where(s, 0, v), s.astype(np.int64)


def deliver(connection: Connection, s: Ints, source: tuple[int, ...], target: tuple[int, ...]) -> dict[int, Ints]:
    """What the target receives, by delay: `(B, n_source)` spikes to `{delay: (B, n_target)}`."""
    match connection:
        case Conv():
            a = fixed.shift(convolve(connection, s.reshape(-1, *source), target), connection.weight_exp)
            return {connection.delay: a.reshape(len(s), -1)}
        case Dense():
            weight = connection.weight.astype(np.int64)
        case Sparse():
            weight = np.zeros((int(np.prod(target)), int(np.prod(source))), np.int64)
            weight[connection.row, connection.col] = connection.weight
    by_delay: dict[int, Ints] = defaultdict()
    for delay, part in _split_by_delay(connection, weight):
        by_delay[delay] = fixed.shift(s @ part.T, connection.weight_exp)
    return by_delay


def convolve(conv: Conv, x: Ints, target: tuple[int, ...]) -> Ints:
    """Cross-correlation tap by tap: `(B, c_in, h, w)` to `(B, *target)`."""
    weight = conv.weight.astype(np.int64)
    c_out, c_in, k_h, k_w = weight.shape
    (p_h, p_w), (s_h, s_w), (d_h, d_w) = conv.padding, conv.stride, conv.dilation
    padded = np.pad(x, ((0, 0), (0, 0), (p_h, p_h), (p_w, p_w)))
    out = np.zeros((len(x), *target), np.int64)
    for g in range(conv.groups):
        into = slice(g * c_out // conv.groups, (g + 1) * c_out // conv.groups)
        block = padded[:, g * c_in : (g + 1) * c_in]
        for i in range(k_h):
            for j in range(k_w):
                tap = block[:, :, i * d_h :: s_h, j * d_w :: s_w][:, :, : target[1], : target[2]]
                out[:, into] += np.einsum("oc,bchw->bohw", weight[into, :, i, j], tap)
    return out


def encode(encoder: Encoder, x: Ints, source: tuple[int, ...], target: tuple[int, ...]) -> Ints:
    """`(B, n_source)` input values to `(B, n_target)` bias mantissas.

    Raises:
        OverflowDetected: a mantissa leaves its 13 bits; the host must not load another value.
    """
    total = deliver(encoder.synapses, x, source, target)[0] + encoder.offset.reshape(-1)
    mant = fixed.round_shift(total, encoder.shift)
    bad = (mant < fixed.BIAS_MANT_MIN) | (mant > fixed.BIAS_MANT_MAX)
    if bad.any():
        limit = f"[{fixed.BIAS_MANT_MIN}, {fixed.BIAS_MANT_MAX}]"
        raise OverflowDetected(
            encoder.synapses.target, "bias_mant", got=int(mant[bad][0]), relation="is not in", limit=limit
        )
    return mant


def _bias(
    program: Program, group: Group, encoder: Encoder | None, x: Mapping[str, Ints], t: int, inputs: Mapping[str, Ints]
) -> Ints:
    if encoder is None:
        return group.bias_mant.astype(np.int64).reshape(-1) << group.bias_exp
    name = encoder.synapses.source
    values = _at(inputs[name], min(t, len(inputs[name])))  # the chip keeps the last bias that was loaded
    mant = encode(encoder, values, program.shape_of(name), group.shape)
    return mant << group.bias_exp


def _split_by_delay(connection: Dense | Sparse, weight: Ints) -> list[tuple[int, Ints]]:
    if isinstance(connection.delay, int):
        return [(connection.delay, weight)]
    delay = connection.delay
    if isinstance(connection, Sparse):
        delay = np.zeros(weight.shape, np.int8)
        delay[connection.row, connection.col] = connection.delay
    return [(int(d), np.where(delay == d, weight, 0)) for d in np.unique(connection.delay)]


def _fit_conv(target: Group, a: Ints, strict: bool, t: int) -> Ints:
    wrapped = fixed.wrap_conv(a)
    if strict:
        _refuse(target, "sum of a convolution into u", a, wrapped != a, t)
    return wrapped


def _at(x: Ints, t: int) -> Ints:
    return x[t - 1] if t <= len(x) else np.zeros_like(x[0])


def _refuse(group: Group, what: str, x: Ints, bad: np.ndarray, t: int) -> None:
    if bad.any():
        _, neuron = np.argwhere(bad)[0]
        raise OverflowDetected(
            group.name,
            f"{what} of neuron {neuron} at step {t}",
            got=int(x[bad][0]),
            relation="leaves",
            limit="24 bits",
            do="lower the weights, or name the profile 'lava' to run as Lava does",
        )
