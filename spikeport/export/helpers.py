"""The compiler's clock and pulse, taken out of a Program: the clock is a source that networks have by themselves.

What they are is read from their numbers, not only from their names (`deploy/passes/sources.py`).
"""

from dataclasses import replace

from spikeport import fixed
from spikeport.errors import ProgramTiming, ProgramUntrainable
from spikeport.program import LIF, Program
from spikeport.train.network import CLOCK

PULSE = "spikeport_pulse"


def without_pulse(program: Program) -> tuple[Program, frozenset[str]]:
    """The Program without what moves the clock, and the names of groups that are no part of the network.

    Raises:
        ExportError: a clock that does not fire at every step, or a pulse that the network hears.
    """
    names = {group.name for group in program.groups}
    helpers = frozenset({CLOCK, PULSE} & names)
    if not helpers:
        return program, helpers
    heard = [c for c in program.connections if c.source == PULSE and c.target not in helpers]
    if heard:
        do = "let neurons start at v = 0"
        raise ProgramTiming(heard[0].target, "what enters in its first steps", relation="cannot be trained", do=do)
    if not _keeps_time(program, helpers):
        raise ProgramUntrainable(CLOCK, "does not fire at every step", do="rename the group")
    kept = tuple(c for c in program.connections if c.target not in helpers)
    return replace(program, connections=kept), helpers


def _keeps_time(program: Program, helpers: frozenset[str]) -> bool:
    """Runs the clock and the pulse through one interval: does the clock fire at every step from its start on?"""
    found = [g for g in program.groups if g.name in helpers]
    lifs = {g.name: g for g in found if isinstance(g, LIF) and g.size == 1 and g.reset == "zero"}
    into = [c for c in program.connections if c.target in helpers]
    plain = all(c.source in lifs and c.weight.size == 1 and isinstance(c.delay, int) for c in into)
    if len(lifs) < len(found) or CLOCK not in lifs or not plain:
        return False
    clock = lifs[CLOCK]
    arriving: dict[tuple[str, int], int] = {}
    u, v = dict.fromkeys(lifs, 0), dict.fromkeys(lifs, 0)
    for t in range(1, clock.reset_offset + clock.reset_interval):
        for name, lif in lifs.items():
            kept = t != lif.reset_offset
            bias = int(lif.bias_mant.reshape(-1)[0]) << lif.bias_exp
            u[name] = _decayed(u[name] * kept, fixed.keep_u(lif.du)) + (arriving.pop((name, t), 0) << fixed.ACT_SHIFT)
            v[name] = _decayed(v[name] * kept, fixed.keep_v(lif.dv)) + u[name] + bias
            if v[name] <= lif.vth << fixed.ACT_SHIFT:
                if name == CLOCK and t >= lif.reset_offset:
                    return False
                continue
            v[name] = 0
            for c in (c for c in into if c.source == name):
                at = (c.target, t + 1 + int(c.delay))
                arriving[at] = arriving.get(at, 0) + (int(c.weight.reshape(-1)[0]) << max(c.weight_exp, 0))
    return clock.reset_interval > 0


def _decayed(x: int, keep: int) -> int:
    return (abs(x) * keep >> fixed.DECAY_BITS) * (1 if x >= 0 else -1)
