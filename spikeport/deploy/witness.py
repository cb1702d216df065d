"""Spikes that make a group overflow: a search among a few kinds of drive, and every find run again to be sure.

Against a bound that does not fit its word, the search takes the worst neuron of that side and lets each source send
what pushes it there most: at once, or after a while in which only the strongest few do. It may find nothing where
such spikes exist; what it finds has overflowed in `first_overflow`, a second writing of the rule in the simulator.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.deploy.bounds import BIAS_WORD, U_WORD, V_WORD, Bound, GroupBounds
from spikeport.deploy.drive import Drive, drive_of
from spikeport.deploy.fan_in import CONV_WORD, INT32, sums
from spikeport.fixed import Ints
from spikeport.program import LIF, Connection, Conv, Encoder, Group, Input, Output, Program

STEPS = 4096  # a witness is sought within so many steps of a drive
PULSE = 16  # how long the whole drive may take once it has begun
Place = tuple[str, int, int]  # (what, neuron, step), as `OverflowDetected` names them
State = tuple[Ints, Ints, Ints]  # u, v, rest


@dataclass(frozen=True, eq=False)
class Witness:
    """Spikes of a group's sources, and the first overflow under them."""

    program: Program
    """The group alone, its sources as inputs."""
    inputs: Mapping[str, NDArray[np.integer]]
    """`(T, 1, *shape)` for each of them."""
    of_network: bool
    """Whether the sources are inputs of the network; if not, whether it can send these spikes is not decided."""
    what: str
    neuron: int
    step: int

    def network_input(self, program: Program) -> dict[str, NDArray[np.integer]]:
        """The input of the whole network, where the sources are its inputs; the other inputs send nothing."""
        steps = len(next(iter(self.inputs.values())))
        quiet = {i.name: np.full((steps, 1, *i.shape), min(max(0, i.low), i.high)) for i in program.inputs}
        return {**quiet, **self.inputs}


def find_witness(program: Program, found: GroupBounds) -> Witness | None:
    """Spikes under which the group overflows; None if it cannot, or if the search finds none."""
    if not found.analysed or found.proven:
        return None
    group = program.group(found.group)
    assert isinstance(group, LIF)
    cut = cut_out(program, group)
    for bound in found.bounds:
        for neuron, sign in _worst(group, found, bound):
            for inputs in _candidates(cut, group, drive_of(cut, neuron, sign)):
                place = first_overflow(cut, inputs)
                if place is not None:
                    shaped = {i.name: inputs[i.name].reshape(-1, 1, *i.shape) for i in cut.inputs}
                    own = {i.name for i in program.inputs}
                    return Witness(cut, shaped, own >= set(shaped), *place)
    return None


def cut_out(program: Program, group: Group) -> Program:
    """The group alone: each of its sources becomes an input, itself as `NAME_loop`."""
    sources = list(dict.fromkeys(c.source for c in program.connections if c.target == group.name))
    inputs = [i for i in program.inputs if i.name in sources]
    for name in (n for n in sources if n not in {i.name for i in inputs}):
        source = program.group(name)
        own = f"{name}_loop" if name == group.name else name
        range_ = (-1, 1) if isinstance(source, LIF) else (-fixed.PAYLOAD_MAX, fixed.PAYLOAD_MAX)
        entry = Input(own, source.shape, "graded", *range_) if source.signed else Input(own, source.shape, "spike")
        inputs.append(entry)
    encoders = tuple(e for e in program.encoders if e.synapses.target == group.name)
    inputs += [i for i in program.inputs if i.name in {e.synapses.source for e in encoders}]
    connections = tuple(
        replace(c, source=f"{c.source}_loop") if c.source == group.name else c
        for c in program.connections
        if c.target == group.name
    )
    return Program(
        groups=(group,),
        connections=connections,
        inputs=tuple(inputs) or program.inputs[:1],
        outputs=(Output("y", group.name),),
        encoders=encoders,
        chip=program.chip,
    )


def first_overflow(cut: Program, inputs: Mapping[str, NDArray[np.integer]]) -> Place | None:
    """The rule of one LIF group, step by step on `(T, n)` inputs, up to the first value that leaves its word."""
    (lif,) = cut.lifs
    u = v = rest = np.zeros(lif.size, np.int64)
    bias = lif.bias_mant.astype(np.int64).reshape(-1)
    arriving: dict[int, Ints] = {}
    cache: dict[int, tuple[NDArray[np.integer], list[tuple[int, Ints, str, tuple[int, int]]]]] = {}
    for t in range(1, len(next(iter(inputs.values()))) + 1):
        if lif.resets_before(t):
            u = v = rest = np.zeros(lif.size, np.int64)
        for e in cut.encoders:
            bias = encoded(cut, e, inputs[e.synapses.source][t - 1].astype(np.int64))
            if (bad := _outside(bias, BIAS_WORD)) is not None:
                return "bias_mant", bad, t
        u = fixed.decay(u, fixed.keep_u(lif.du)) + (arriving.pop(t, np.zeros_like(u)) << fixed.ACT_SHIFT)
        if (bad := _outside(u, U_WORD)) is not None:
            return "u", bad, t
        total = fixed.decay(v, fixed.keep_v(lif.dv)) + u + (bias << lif.bias_exp)
        if (bad := _outside(np.where(rest == 0, total, 0), V_WORD)) is not None:
            return "v", bad, t
        v, rest = after_step(lif, v, total, rest)
        for k, c in enumerate(cut.connections):
            x = inputs[c.source][t - 1]
            if k not in cache or not np.array_equal(cache[k][0], x):
                cache[k] = x, list(_sent(cut, c, x.astype(np.int64)))
            for delay, a, what, word in cache[k][1]:
                if (bad := _outside(a, word)) is not None:
                    return what, bad, t
                a = a if isinstance(c, Conv) else fixed.shift(a, c.weight_exp)
                arriving[t + 1 + delay] = arriving.get(t + 1 + delay, 0) + a
    return None


def after_step(lif: LIF, v: Ints, total: Ints, rest: Ints) -> tuple[Ints, Ints]:
    """What a step leaves of v and rest, from the v before it and its sum."""
    vth = lif.vth << fixed.ACT_SHIFT
    fires = total > vth
    if lif.vth_low is not None:
        fires = fires | (total < lif.vth_low << fixed.ACT_SHIFT)
    left = np.where(fires, total - vth if lif.reset == "subtract" else 0, total)
    awake = rest == 0
    counted = np.where(awake & fires, lif.refractory_steps, np.maximum(rest - 1, 0))
    return np.where(awake, left, v), counted


def encoded(cut: Program, e: Encoder, x: Ints) -> Ints:
    """The bias mantissas that the host loads for an input `(n,)`."""
    s = e.synapses
    (total,) = sums(s, s.weight.astype(np.int64), x, cut.shape_of(s.source), cut.shape_of(s.target)).values()
    return fixed.round_shift(fixed.shift(total, s.weight_exp) + e.offset.astype(np.int64).reshape(-1), e.shift)


def _sent(cut: Program, c: Connection, x: Ints) -> Iterator[tuple[int, Ints, str, tuple[int, int]]]:
    """`(delay, sum, its name, its word)`: a convolution's sum with its exponent, the others' before it."""
    x = x if c.graded else (x != 0).astype(np.int64)
    endless = (-(1 << 62), 1 << 62)
    for delay, total in sums(c, c.weight.astype(np.int64), x, cut.shape_of(c.source), cut.shape_of(c.target)).items():
        if isinstance(c, Conv):
            yield delay, fixed.shift(total, c.weight_exp), "sum of a convolution into u", CONV_WORD
        else:
            yield delay, total, "sum of graded spikes", INT32 if c.graded else endless


def _outside(x: Ints, word: tuple[int, int]) -> int | None:
    """The first neuron whose value leaves the word."""
    bad = np.flatnonzero((x < word[0]) | (x > word[1]))
    return int(bad[0]) if bad.size else None


def _worst(lif: LIF, found: GroupBounds, bound: Bound) -> Iterator[tuple[int, int]]:
    """`(neuron, sign)`: on each side that leaves the word, the neuron that leaves it furthest; then fastest."""
    if bound.word is None:
        return
    bias = lif.bias_mant.astype(np.int64).reshape(-1) << lif.bias_exp
    for sign, end in ((1, bound.high), (-1, -bound.low)):
        if end.max() > sign * bound.word[0 if sign < 0 else 1]:
            a = found["a"].high if sign > 0 else -found["a"].low
            yield int(np.lexsort(((a << fixed.ACT_SHIFT) + sign * bias, end))[-1]), sign


def _candidates(cut: Program, lif: LIF, drive: Drive) -> Iterator[dict[str, NDArray[np.integer]]]:
    """The whole drive for as long as it takes to arrive, then what `_search` thinks of u and v."""
    yield drive.inputs(0, drive.start, drive.start)
    start = _search(cut, lif, drive)
    if start is not None:
        level, whole_from, last = start
        yield drive.inputs(level, whole_from, last)


def _search(cut: Program, lif: LIF, drive: Drive) -> tuple[int, int, int] | None:
    """`(level, step from which the whole drive arrives, step of the overflow)` of the neuron that is driven.

    Follows the neuron under every level, and from each step on under the whole drive; all side by side.
    """
    bias = _bias(cut, lif, drive) << lif.bias_exp
    size = 2 * lif.reset_interval if 0 < lif.reset_interval < STEPS // 2 else STEPS
    last = drive.start + size
    u, v, rest = (np.zeros((len(drive.levels), last + 1), np.int64) for _ in range(3))
    for t in range(1, last + 1):
        a = drive.levels if t >= drive.start else np.zeros_like(drive.levels)
        before = u[:, t - 1], v[:, t - 1], rest[:, t - 1]
        (u[:, t], v[:, t], rest[:, t]), _ = _step(lif, before, a, bias, np.full(len(a), t))
    state, times = (u[:, :-1], v[:, :-1], rest[:, :-1]), np.broadcast_to(np.arange(1, last + 1), (len(u), last))
    for pulse in range(PULSE):
        whole = np.where(times >= drive.start, drive.whole, 0)
        state, bad = _step(lif, state, whole, bias, times + pulse)
        if bad.any():
            level, k = (int(i) for i in np.unravel_index(int(np.where(bad, times, last + 1).argmin()), bad.shape))
            return level, k + 1, k + 1 + pulse
    return None


def _step(lif: LIF, state: State, a: Ints, bias: int, t: Ints) -> tuple[State, NDArray[np.bool_]]:
    """One step of copies of one neuron, each at its own step t; and which of them overflow."""
    interval = lif.reset_interval
    kept = np.where(t % interval == lif.reset_offset % interval, 0, 1) if interval else 1
    u, v, rest = (x * kept for x in state)
    u = fixed.decay(u, fixed.keep_u(lif.du)) + (a << fixed.ACT_SHIFT)
    total = fixed.decay(v, fixed.keep_v(lif.dv)) + u + bias
    bad = fixed.leaves_u(u) | (fixed.leaves_v(total) & (rest == 0))
    v, rest = after_step(lif, v, total, rest)
    limit = 1 << 40  # copies that overflow go on harmlessly
    return (np.clip(u, -limit, limit), np.clip(v, -limit, limit), rest), bad


def _bias(cut: Program, lif: LIF, drive: Drive) -> int:
    """Of the driven neuron."""
    for e in cut.encoders:
        return int(encoded(cut, e, drive.value[e.synapses.source])[drive.neuron])
    return int(lif.bias_mant.reshape(-1)[drive.neuron])
