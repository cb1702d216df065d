"""Where two runs part: the first differing layer, neuron and step, and the operands of that one step.

The first is the earliest in hardware time, then in data-flow order of the groups, then u before v before s. Up to it
the runs agree, so its operands show whether the rule was given something else or was itself another.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spikeport import fixed
from spikeport.errors import OverflowDetected
from spikeport.fixed import Ints
from spikeport.program import LIF, Profile, Program
from spikeport.sim import reference, rules
from spikeport.sim.compare import Difference, compare
from spikeport.sim.guard import Guard
from spikeport.sim.simulate import Arrays, check_inputs
from spikeport.trace import Trace

Traces = Mapping[str, Trace]
RULE = (
    "u = wrap(decay(u, 4096 - (du + 1)) + (a << 6))",
    "v = saturate(decay(v, 4096 - dv) + u + (bias_mant << bias_exp))",
    "s = v > vth << 6, and what a spike leaves of v",
)


@dataclass(frozen=True)
class Operand:
    """One value of the step, on both sides."""

    name: str
    a: int
    b: int
    rule: int | None = None
    """For what the step gives: what the Program's rule makes of side a's operands."""


@dataclass(frozen=True)
class Finding:
    """The first difference; `operands` in the order of the rule, empty where they are not known."""

    where: Difference
    operands: tuple[Operand, ...] = ()

    @property
    def first_operand(self) -> Operand | None:
        """The first that differs."""
        return next((o for o in self.operands if o.a != o.b), None)


@dataclass(frozen=True, eq=False)
class Run:
    """The traces of a run; where it stopped on an overflow, the steps up to it."""

    traces: Traces
    stopped: OverflowDetected | None = None
    step: int = 0
    """The last that began."""


def bisect(a: Traces, b: Traces, program: Program | None = None, spikes: Arrays | None = None) -> Finding | None:
    """The first difference of two runs, None if there is none.

    Args:
        program: With `spikes`, what both sides ran; then the operands are known.

    Raises:
        InputError: the two do not hold the same groups, variables and shapes.
    """
    if program is not None:
        a = {g.name: a[g.name] for g in program.groups if g.name in a} | dict(a)
    where = compare(a, b).first
    if where is None or program is None or spikes is None:
        return None if where is None else Finding(where)
    inputs = check_inputs(program, spikes)
    known = all(len(t.state[k]) == len(t.s) for side in (a, b) for t in side.values() for k in t.state)
    if not known or set(a) != {g.name for g in program.groups}:
        return Finding(where)
    return Finding(where, operands(program, inputs, a, b, where))


def operands(
    program: Program, inputs: Mapping[str, Ints], a: Traces, b: Traces, where: Difference
) -> tuple[Operand, ...]:
    """What entered and left the step of one neuron on both sides."""
    ours, theirs = (_values(program, inputs, side, where) for side in (a, b))
    by_rule = _by_rule(program, ours, where)
    return tuple(Operand(name, ours[name], theirs[name], by_rule.get(name)) for name in ours)


def record(program: Program, spikes: Arrays, profile: Profile) -> Run:
    """All groups' traces by the reference; under `strict` up to the step before an overflow."""
    inputs = check_inputs(program, spikes)
    steps = len(next(iter(inputs.values()))) + program.latency
    kept: dict[str, dict[str, list[Ints]]] = {g.name: {k: [] for k in (*g.variables, "s")} for g in program.groups}
    last = 0

    def observe(t: int, name: str, state: Mapping[str, Ints], s: Ints) -> None:
        nonlocal last
        last = t
        for variable, x in {**state, "s": s}.items():
            kept[name][variable].append(x)

    stopped = None
    try:
        reference.run(program, inputs, steps, observe, profile)
    except OverflowDetected as error:
        stopped = error
    whole = min(len(k["s"]) for k in kept.values()) if stopped else steps
    empty = np.zeros((0, next(iter(inputs.values())).shape[1], 1), np.int64)
    traces = {}
    for group in program.groups:
        arrays = {k: np.array(x[:whole]) if whole else empty for k, x in kept[group.name].items()}
        shaped = {k: x.reshape(*x.shape[:2], *group.shape) if whole else x for k, x in arrays.items()}
        traces[group.name] = Trace({k: x for k, x in shaped.items() if k != "s"}, shaped["s"])
    return Run(traces, stopped, max(last, whole + 1) if stopped else last)


def first_steps(traces: Traces, steps: int) -> Traces:
    """The traces cut after so many steps."""
    return {n: Trace({k: x[:steps] for k, x in t.state.items()}, t.s[:steps]) for n, t in traces.items()}


def _values(program: Program, inputs: Mapping[str, Ints], side: Traces, where: Difference) -> dict[str, int]:
    """In the order of the rule; `before` is what the last step left, or the cleared state."""
    t, group = where.step, program.group(where.group)
    now = {k: _at(x, t, where) for k, x in side[group.name].state.items()}
    fresh = t == 1 or group.resets_before(t)
    before = {k: 0 if fresh else _at(x, t - 1, where) for k, x in side[group.name].state.items()}
    s = _at(side[group.name].s, t, where)
    if not isinstance(group, LIF):
        named = {f"{k} before": x for k, x in before.items()} | {f"{k} after": x for k, x in now.items()}
        return {**named, "spike": s}
    a = sum(_arrived(program, inputs, side, where, k) for k in range(len(program.connections)))
    kept_u, kept_v = (
        int(fixed.decay(np.int64(x), keep))  # type: ignore[arg-type]
        for x, keep in ((before["u"], fixed.keep_u(group.du)), (before["v"], fixed.keep_v(group.dv)))
    )
    bias = _bias(program, inputs, group, where) << group.bias_exp
    rest = {"rest before": before["rest"], "rest after": now["rest"]} if "rest" in now else {}
    return {
        **{"u before": before["u"], "u decayed": kept_u, "a": a, "a << 6": a << fixed.ACT_SHIFT},
        **{"u after": now["u"], "v before": before["v"], "v decayed": kept_v, "bias": bias},
        **{"v sum": kept_v + now["u"] + bias, "vth << 6": group.vth << fixed.ACT_SHIFT},
        **{"spike": s, "v after": now["v"], **rest},
    }


def _by_rule(program: Program, values: Mapping[str, int], where: Difference) -> dict[str, int]:
    """What the rule makes of the operands, as Lava would: an overflow wraps or saturates."""
    lif = program.group(where.group)
    if not isinstance(lif, LIF):
        return {}
    state = {k: np.array([[values[f"{k} before"]]]) for k in lif.variables}
    taken = {"a": np.array([[values["a"]]]), "bias": np.array([[values["bias"]]])}
    after, s = rules.step(lif, state, taken, Guard(lif.name, where.step, strict=False))
    return {"spike": int(s[0, 0]), **{f"{k} after": int(x[0, 0]) for k, x in after.items()}}


def _arrived(program: Program, inputs: Mapping[str, Ints], side: Traces, where: Difference, number: int) -> int:
    """What connection `number` brings the neuron at this step: spikes that its source sent at t - 1 - delay."""
    c = program.connections[number]
    if c.target != where.group:
        return 0
    sent = inputs[c.source] if c.source in inputs else side[c.source].s
    total = 0
    for delay in (int(d) for d in np.unique(c.delay)):
        at = where.step - 2 - delay
        if 0 <= at < len(sent):
            s = sent[at, where.sample].reshape(1, -1).astype(np.int64)
            found = reference.deliver(c, s, program.shape_of(c.source), program.shape_of(c.target))
            total += int(found[delay][0, where.neuron])
    return total


def _bias(program: Program, inputs: Mapping[str, Ints], lif: LIF, where: Difference) -> int:
    """The mantissa: the chip keeps the last one that the host loaded."""
    for e in program.encoders:
        if e.synapses.target == lif.name:
            source = inputs[e.synapses.source]
            x = source[min(where.step, len(source)) - 1, where.sample].reshape(1, -1)
            mant = reference.encode(e, x, program.shape_of(e.synapses.source), lif.shape)
            return int(mant[0, where.neuron])
    return int(lif.bias_mant.reshape(-1)[where.neuron])


def _at(x: Ints, t: int, where: Difference) -> int:
    return int(x[t - 1, where.sample].reshape(-1)[where.neuron])
