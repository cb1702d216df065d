"""The compiler's clock and pulse, taken out of a Program: the clock is a source that networks have by themselves.

What they are is read from their numbers, not only from their names (`deploy/passes/sources.py`).
"""

from dataclasses import replace

import numpy as np

from spikeport import fixed
from spikeport.errors import ExportError
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
        raise ExportError(heard[0].target, "what enters in its first steps", relation="cannot be trained", do=do)
    if not _keeps_time(program):
        raise ExportError(CLOCK, "does not fire at every step", do="rename the group")
    kept = tuple(c for c in program.connections if c.target not in helpers)
    return replace(program, connections=kept), helpers


def _keeps_time(program: Program) -> bool:
    """The pulse fires once, by its bias, and its own spike holds it down; it starts the clock, which keeps going."""
    clock, pulse = (g for name in (CLOCK, PULSE) for g in program.groups if g.name == name)
    if not isinstance(clock, LIF) or not isinstance(pulse, LIF):
        return False
    own = {
        c.source: int(c.weight.astype(np.int64).reshape(-1)[0]) << max(c.weight_exp, 0)
        for c in program.connections
        if c.target == CLOCK and c.weight.size == 1
    }
    down = [c for c in program.connections if c.target == PULSE]
    held = len(down) == 1 and int(down[0].weight.reshape(-1)[0]) << max(down[0].weight_exp, 0)
    bias = int(pulse.bias_mant.reshape(-1)[0]) << pulse.bias_exp
    return (
        own.keys() == {CLOCK, PULSE}
        and min(own.values()) > clock.vth
        and clock.du == fixed.DECAY_ONE - 1
        and not np.any(clock.bias_mant)
        and pulse.du == -1
        and bias > pulse.vth << fixed.ACT_SHIFT
        and bias + (int(held) << fixed.ACT_SHIFT) <= 0
    )
