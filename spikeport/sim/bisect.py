"""Where two runs part: the first differing layer, neuron and step, and the operands of that one step.

The first is the earliest in hardware time, then in data-flow order of the groups, then u before v before s. Up to it
the runs agree, so its operands show whether the rule was given something else or was itself another.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spikeport import fixed
from spikeport.errors import ArraysDiffer, OverflowDetected, UnknownName
from spikeport.fixed import Ints
from spikeport.profiles import Profile
from spikeport.program import LIF, Group, Program
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
"""Under `strict` and `lava`."""
RULE_LOIHI1 = (
    "u = wrap24(decay(u, 4096 - (du + 1)) + wrap22(a << 6)), in two's complement",
    "v = saturate(decay(v, 4096 - dv) + wrap24(u + (bias_mant << bias_exp)))",
    RULE[2],
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
    simulated: bool = False


def bisect(
    a: Traces,
    b: Traces,
    program: Program | None = None,
    spikes: Arrays | None = None,
    profile: Profile | None = None,
) -> Finding | None:
    """The first difference of two runs, None if there is none.

    Args:
        program: With `spikes`, what both sides ran; then the operands are known.
        profile: Whose rule says what side a's operands should give; the Program's if None.

    Raises:
        InputError: the two do not hold the same groups, variables and shapes.
    """
    if program is None:
        where = compare(a, b).first
        return None if where is None else Finding(where)
    for side in (a, b):
        check_traces(program, side)
    where = compare({g.name: a[g.name] for g in program.groups if g.name in a}, b).first
    if where is None:
        return None
    if spikes is None or not (_whole(program, a) and _whole(program, b)):
        return Finding(where)
    inputs = check_inputs(program, spikes)
    batch, ran = next(iter(inputs.values())).shape[1], a[where.group].s.shape[1]
    if ran != batch:
        raise ArraysDiffer("bisect", "samples of the runs", got=ran, relation="are not those of the input", limit=batch)
    return Finding(where, operands(program, inputs, a, b, where, profile))


def bisect_overflow(program: Program, spikes: Arrays, strict: Run, other: Run) -> Finding | None:
    """Where the strict run stops, if at a state: side a has the value that left its word, b what became of it."""
    inputs, t = check_inputs(program, spikes), strict.step
    assert strict.stopped is not None
    lif = program.group(strict.stopped.where)
    if not isinstance(lif, LIF) or other.step < t:
        return None
    was, now = (
        {k: x[step - 1].reshape(x.shape[1], -1).astype(np.int64) for k, x in other.traces[lif.name].state.items()}
        for step in (t - 1, t)
    )
    if t == 1 or lif.resets_before(t):
        was = {k: np.zeros_like(x) for k, x in now.items()}
    u = fixed.decay(was["u"], fixed.keep_u(lif.du)) + (
        _arrived(program, inputs, other.traces, lif, t) << fixed.ACT_SHIFT
    )
    v = fixed.decay(was["v"], fixed.keep_v(lif.dv)) + u + (_bias(program, inputs, lif, t) << lif.bias_exp)
    awake = was["rest"] == 0 if "rest" in was else np.True_
    beyond = fixed.leaves_v(v)
    if lif.name in program.integrators:
        beyond = beyond | (other.traces[lif.name].s[t - 1].reshape(v.shape) != 0)
    for variable, exact, bad in (("u", u, fixed.leaves_u(u)), ("v", v, beyond & awake)):
        for sample, neuron in np.argwhere(bad)[:1]:
            value, made = int(exact[sample, neuron]), int(now[variable][sample, neuron])
            where = Difference(t, lif.name, variable, int(sample), int(neuron), value, made)
            values = _values(program, inputs, other.traces, where)
            changed = f"{variable} after"
            return Finding(where, tuple(Operand(k, value if k == changed else x, x) for k, x in values.items()))
    return None


def check_traces(program: Program, side: Traces) -> None:
    """Raises InputError unless the groups are the Program's, in their shapes."""
    known = {g.name: g for g in program.groups}
    for name, trace in side.items():
        if name not in known:
            raise UnknownName("bisect", "recorded group", got=name, relation="is not one of", limit=", ".join(known))
        for x in (trace.s, *trace.state.values()):
            if x.shape[2:] != known[name].shape:
                raise ArraysDiffer(
                    f"bisect {name}", "shape", got=x.shape[2:], relation="is not", limit=known[name].shape
                )


def _whole(program: Program, side: Traces) -> bool:
    """Whether all groups are there, with their state at every step."""
    return all(
        g.name in side
        and set(side[g.name].state) == set(g.variables)
        and all(len(x) == len(side[g.name].s) for x in side[g.name].state.values())
        for g in program.groups
    )


def operands(
    program: Program,
    inputs: Mapping[str, Ints],
    a: Traces,
    b: Traces,
    where: Difference,
    profile: Profile | None = None,
) -> tuple[Operand, ...]:
    """What entered and left the step of one neuron on both sides."""
    ours, theirs = (_values(program, inputs, side, where) for side in (a, b))
    by_rule = _by_rule(program, ours, where, profile or program.profile)
    return tuple(Operand(name, ours[name], theirs[name], by_rule.get(name)) for name in ours)


def record(program: Program, spikes: Arrays, profile: Profile) -> Run:
    """All groups' traces by the reference; under `strict` up to the step before an overflow."""
    inputs = check_inputs(program, spikes)
    steps = len(next(iter(inputs.values()))) + program.latency
    kept: dict[str, dict[str, list[Ints]]] = {g.name: {k: [] for k in (*g.variables, "s")} for g in program.groups}

    def observe(t: int, name: str, state: Mapping[str, Ints], s: Ints) -> None:
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
    of_state = stopped is not None and not stopped.what.startswith("sum")  # sums come after the groups of their step
    return Run(traces, stopped, whole + of_state, simulated=True)


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
    a = int(_arrived(program, inputs, side, group, t)[where.sample, where.neuron])
    kept_u, kept_v = (
        int(fixed.decay(np.int64(x), keep))  # type: ignore[arg-type]
        for x, keep in ((before["u"], fixed.keep_u(group.du)), (before["v"], fixed.keep_v(group.dv)))
    )
    mant = _bias(program, inputs, group, t)
    bias = int(mant[where.sample % len(mant), where.neuron]) << group.bias_exp
    rest = {"rest before": before["rest"], "rest after": now["rest"]} if "rest" in now else {}
    return {
        **{"u before": before["u"], "u decayed": kept_u, "a": a, "a << 6": a << fixed.ACT_SHIFT},
        **{"u after": now["u"], "v before": before["v"], "v decayed": kept_v, "bias": bias},
        **{"v sum": kept_v + now["u"] + bias, "vth << 6": group.vth << fixed.ACT_SHIFT},
        **{"spike": s, "v after": now["v"], **rest},
    }


def _by_rule(program: Program, values: Mapping[str, int], where: Difference, profile: Profile) -> dict[str, int]:
    """What the rule makes of the operands; an overflow wraps or saturates, under `strict` as Lava would."""
    lif = program.group(where.group)
    if not isinstance(lif, LIF):
        return {}
    state = {k: np.array([[values[f"{k} before"]]]) for k in lif.variables}
    taken = {"a": np.array([[values["a"]]]), "bias": np.array([[values["bias"]]])}
    guard = Guard(lif.name, where.step, "lava" if profile == "strict" else profile)
    after, s = rules.step(lif, state, taken, guard)
    return {"spike": int(s[0, 0]), **{f"{k} after": int(x[0, 0]) for k, x in after.items()}}


def _arrived(program: Program, inputs: Mapping[str, Ints], side: Traces, group: Group, t: int) -> Ints:
    """a of a LIF group at step t, `(B, n)`: spikes that its sources sent at t - 1 - delay."""
    total = np.zeros((side[group.name].s.shape[1], group.size), np.int64)
    for c in (c for c in program.connections if c.target == group.name):
        sent = inputs[c.source] if c.source in inputs else side[c.source].s
        for delay in (int(d) for d in np.unique(c.delay)):
            if 0 <= t - 2 - delay < len(sent):
                s = sent[t - 2 - delay].reshape(len(total), -1).astype(np.int64)
                total += reference.deliver(c, s, program.shape_of(c.source), program.shape_of(c.target))[delay]
    return total


def _bias(program: Program, inputs: Mapping[str, Ints], lif: LIF, t: int) -> Ints:
    """The mantissas, `(B, n)` or `(1, n)`: the chip keeps the last ones that the host loaded."""
    for e in program.encoders:
        if e.synapses.target == lif.name:
            x = inputs[e.synapses.source]
            return reference.encode(e, x[min(t, len(x)) - 1], program.shape_of(e.synapses.source), lif.shape)
    return lif.bias_mant.astype(np.int64).reshape(1, -1)


def _at(x: Ints, t: int, where: Difference) -> int:
    return int(x[t - 1, where.sample].reshape(-1)[where.neuron])
