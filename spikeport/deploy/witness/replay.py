"""A group alone under given inputs, up to the first value that leaves its word."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.deploy.bounds.lif import BIAS_WORD
from spikeport.deploy.fan_in import CONV_WORD, INT32, sums
from spikeport.deploy.witness import rules
from spikeport.fixed import Ints
from spikeport.program import LIF, Connection, Conv, Encoder, Group, Program, SigmaDelta

Place = tuple[str, int, int]  # (what, neuron, step), as `OverflowDetected` names them
Part = tuple[int, Ints, str, tuple[int, int]]  # (delay, sum, its name, its word)
Given = Mapping[str, NDArray[np.integer]]


def first_overflow(cut: Program, inputs: Given) -> Place | None:
    """The rule of the one group, step by step on `(T, n)` inputs."""
    (group,) = cut.groups
    state = rules.cleared(group, (group.size,))
    quiet, integrator = np.zeros(group.size, np.int64), group.name in cut.integrators
    bias = own_bias(group)
    arriving: dict[tuple[str, int], Ints] = {}
    cache: dict[int, tuple[NDArray[np.integer], list[Part]]] = {}
    for t in range(1, len(next(iter(inputs.values()))) + 1):
        if group.resets_before(t):
            state = rules.cleared(group, (group.size,))
        for e in cut.encoders:
            bias = encoded(cut, e, inputs[e.synapses.source][t - 1].astype(np.int64))
            if (found := _outside(bias, BIAS_WORD)) is not None:
                return "bias_mant", found, t
        entering: dict[str, Ints] = {port: arriving.pop((port, t), quiet) for port in group.ports}
        state, bad = rules.step(group, state, {**entering, "bias": scaled_bias(group, bias)}, integrator)
        for what, where in bad.items():
            if where.any():
                return what, int(np.flatnonzero(where)[0]), t
        for k, c in enumerate(cut.connections):
            x = inputs[c.source][t - 1]
            if k not in cache or not np.array_equal(cache[k][0], x):
                cache[k] = x, list(_sent(cut, c, x.astype(np.int64)))
            for delay, a, what, word in cache[k][1]:
                if (found := _outside(a, word)) is not None:
                    return what, found, t
                a = a if isinstance(c, Conv) else fixed.shift(a, c.weight_exp)
                at = c.port, t + 1 + delay
                arriving[at] = arriving.get(at, 0) + a
    return None


def own_bias(group: Group) -> Ints:
    """`(n,)`, as the group holds it: mantissas of a LIF, what a SigmaDelta shifts itself."""
    if isinstance(group, LIF):
        return group.bias_mant.astype(np.int64).reshape(-1)
    bias = group.bias if isinstance(group, SigmaDelta) else 0
    return np.broadcast_to(np.asarray(bias, np.int64).reshape(-1), (group.size,))


def scaled_bias(group: Group, bias: Ints) -> Ints:
    """As `rules.step` takes it."""
    return bias << group.bias_exp if isinstance(group, LIF) else bias


def encoded(cut: Program, e: Encoder, x: Ints) -> Ints:
    """The bias mantissas that the host loads for an input `(n,)`."""
    s = e.synapses
    (total,) = sums(s, s.weight.astype(np.int64), x, cut.shape_of(s.source), cut.shape_of(s.target)).values()
    return fixed.round_shift(fixed.shift(total, s.weight_exp) + e.offset.astype(np.int64).reshape(-1), e.shift)


def _sent(cut: Program, c: Connection, x: Ints) -> Iterator[Part]:
    """A convolution's sum with its exponent, the others' before it."""
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
