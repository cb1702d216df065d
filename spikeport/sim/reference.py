"""The executable specification: one hardware step at a time, in plain numpy.

Written to be read. It is slow on purpose; the engines are fast and must equal it.
Per step t, counted from 1 (lava-nc 0.10.0, all processes run their spiking phase once):

    every group:       clears its state if its reset is due, then follows its rule (`sim/rules`)
    every connection:  its sources' spikes at t arrive at t + 1 + delay

Beyond 24 bits the profile `lava` does what Lava's integer types do: a convolution's sum wraps at 24 bits,
the sum of graded spikes at 32 bits, and each neuron's state as its rule says. The profile `loihi1` has one word for
all that arrives at a LIF in a step, and no others on the way; `profiles` lays the two beside each other.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from spikeport import fixed
from spikeport.errors import OverflowDetected
from spikeport.fixed import Ints
from spikeport.profiles import Profile
from spikeport.program import LIF, Connection, Conv, Dense, Encoder, Group, Program, Shape, Sparse
from spikeport.sim import rules
from spikeport.sim.guard import Guard
from spikeport.sim.rules import Values
from spikeport.sim.state import State, check_state, cleared, cleared_group

Observer = Callable[[int, str, Values, Ints], None]  # (t, group, state, sent), each array (B, n)
UNWATCHED = Guard("", 0, "lava")


def run(
    program: Program,
    inputs: Mapping[str, Ints],
    steps: int,
    observe: Observer,
    profile: Profile | None = None,
    start: State | None = None,
    length: int | None = None,
) -> State:
    """Runs `steps` hardware steps and gives the state after the last; `run` can go on from there.

    Args:
        inputs: For each input `(T, B, n)` integers; the k-th step of this call takes entry k, and zeros after T.
        observe: Called for each group and step with its state and what it sent, after the step.
        profile: `strict`, `lava` or `loihi1`; the Program's own if None.
        start: Where to go on from; the cleared state if None. Stays as it is.
        length: Steps of the whole sample, if these inputs are a part of it: decides what is `watched`.

    Raises:
        InputError: `start` belongs to another Program or batch.
        ProgramError: the Program has what the profile has no arithmetic for.
        OverflowDetected: under `strict`, when a state or a sum leaves its word within a sample (`watched`), or an
            integrator spikes there (`Output`).
    """
    profile = profile or program.profile
    program.check_profile(profile)
    given, batch = next(iter(inputs.values())).shape[:2]
    length = given if length is None else length
    groups, integrators = {g.name: g for g in program.groups}, program.integrators
    start = start or cleared(program, batch)
    check_state(program, start, batch)
    states, loaded = dict(start.groups), dict(start.loaded)
    arriving = {dendrite: dict(box) for dendrite, box in start.arriving.items()}
    for k, t in enumerate(range(start.t + 1, start.t + steps + 1)):
        sent = {name: x[k] if k < len(x) else np.zeros(x.shape[1:], np.int64) for name, x in inputs.items()}
        for encoder in program.encoders:
            if k < len(inputs[encoder.synapses.source]):  # the chip keeps the last bias that was loaded
                loaded[encoder.synapses.target] = _encoded(program, encoder, sent[encoder.synapses.source])
        for group in program.groups:
            n = group.name
            if group.resets_before(t):
                states[n] = cleared_group(group, batch)
            quiet = np.zeros((batch, group.size), np.int64)
            entering: dict[str, Ints] = {port: arriving[n, port].pop(t, quiet) for port in group.ports}
            if isinstance(group, LIF):
                entering["bias"] = loaded.get(n, group.bias_mant.astype(np.int64).reshape(-1)) << group.bias_exp
            guard = Guard(n, t, _in_force(profile, program, group, t, length), n in integrators)
            states[n], sent[n] = rules.step(group, states[n], entering, guard)
            observe(t, n, states[n], sent[n])
        for c in program.connections:
            source, target = program.shape_of(c.source), program.shape_of(c.target)
            guard = Guard(c.target, t, _in_force(profile, program, groups[c.target], t + 1, length))
            box = arriving[c.target, c.port]
            for delay, a in deliver(c, sent[c.source], source, target, guard).items():
                box[t + 1 + delay] = box.get(t + 1 + delay, 0) + a
    return State(start.t + steps, states, arriving, loaded)


def _in_force(profile: Profile, program: Program, group: Group, t: int, length: int) -> Profile:
    """`strict` where the step is watched; elsewhere Lava's rule stands in for it, and nobody reads the values."""
    return "lava" if profile == "strict" and not watched(program, group, t, length) else profile


def watched(program: Program, group: Group, t: int, length: int) -> bool:
    """Whether step t belongs to a sample of `length` steps at this group, so that what leaves its word matters.

    A group that is cleared at its sample's first step runs on its bias before and after; nobody reads that.
    """
    if (
        not isinstance(group, LIF)
        or length > group.reset_interval
        or not 1 <= group.reset_offset <= program.latency + 1
    ):
        return True
    return group.reset_offset <= t < group.reset_offset + length


def deliver(connection: Connection, s: Ints, source: Shape, target: Shape, guard: Guard = UNWATCHED) -> dict[int, Ints]:
    """What the target receives, by delay: `(B, n_source)` spikes to `{delay: (B, n_target)}`."""
    x = s if connection.graded else (s != 0).astype(np.int64)
    if isinstance(connection, Conv):
        a = fixed.shift(convolve(connection, x.reshape(-1, *source), target), connection.weight_exp)
        return {connection.delay: _conv_word(a.reshape(len(x), -1), guard)}
    found = {}
    for delay, weight in split_by_delay(connection, source, target):
        total = x @ weight.T
        if connection.graded:
            total = _graded_word(connection, x, weight, total, guard)
        found[delay] = fixed.shift(total, connection.weight_exp)
    return found


def convolve(conv: Conv, x: Ints, target: Shape) -> Ints:
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


def split_by_delay(connection: Dense | Sparse, source: Shape, target: Shape) -> Iterator[tuple[int, Ints]]:
    """`(delay, (n_target, n_source) weights)`, zero where the delay is another."""
    if isinstance(connection, Dense):
        weight, delay = connection.weight.astype(np.int64), connection.delay
    else:
        weight = np.zeros((int(np.prod(target)), int(np.prod(source))), np.int64)
        weight[connection.row, connection.col] = connection.weight
        delay = connection.delay
        if not isinstance(delay, int):
            delay = np.zeros(weight.shape, np.int8)
            delay[connection.row, connection.col] = connection.delay
    if isinstance(delay, int):
        yield delay, weight
    else:
        for d in np.unique(connection.delay):
            yield int(d), np.where(delay == d, weight, 0)


def encode(encoder: Encoder, x: Ints, source: Shape, target: Shape) -> Ints:
    """`(B, n_source)` input values to `(B, n_target)` bias mantissas.

    Raises:
        OverflowDetected: a mantissa leaves its 13 bits; the host must not load another value.
    """
    synapses = encoder.synapses
    if isinstance(synapses, Conv):
        total = convolve(synapses, x.reshape(-1, *source), target).reshape(len(x), -1)
    else:
        total = x @ synapses.weight.astype(np.int64).T
    total = fixed.shift(total, synapses.weight_exp) + encoder.offset.reshape(-1)
    mant = fixed.round_shift(total, encoder.shift)
    bad = (mant < fixed.BIAS_MANT_MIN) | (mant > fixed.BIAS_MANT_MAX)
    if bad.any():
        limit = f"[{fixed.BIAS_MANT_MIN}, {fixed.BIAS_MANT_MAX}]"
        raise OverflowDetected(synapses.target, "bias_mant", got=int(mant[bad][0]), relation="is not in", limit=limit)
    return mant


def _encoded(program: Program, encoder: Encoder, x: Ints) -> Ints:
    return encode(encoder, x, program.shape_of(encoder.synapses.source), program.shape_of(encoder.synapses.target))


def _conv_word(a: Ints, guard: Guard) -> Ints:
    """24 bits; beyond 32 Lava casts a float to an integer that cannot hold it, which C leaves undefined.

    On a Loihi 1 a convolution is synapses like others.
    """
    if guard.profile == "loihi1":
        return a
    wrapped = fixed.wrap_conv(a)
    guard("sum of a convolution into u", a, wrapped != a)
    do = "lower the weights or the payloads; what Lava does then is undefined"
    guard.refuse("sum of a convolution", a, fixed.leaves_int32(a), 32, do)
    return wrapped


def _graded_word(connection: Dense | Sparse, x: Ints, weight: Ints, total: Ints, guard: Guard) -> Ints:
    """32 bits before the exponent; where a `Dense` has delays Lava wraps each product and adds up in 64 bits."""
    guard("sum of graded spikes", total, fixed.leaves_int32(total), 32)
    if isinstance(connection, Sparse) or not np.any(connection.delay):
        return fixed.as_int32(total)
    if np.abs(x).max() <= fixed.PAYLOAD_MAX:  # no product leaves 32 bits
        return total
    return np.stack([fixed.as_int32(weight * row).sum(axis=1) for row in x])
