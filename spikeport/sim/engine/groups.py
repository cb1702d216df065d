"""The rows of a Program's groups: what each kind of neuron's compiled step reads."""

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.program import LIF, Group, Program, Resonator, SigmaDelta
from spikeport.sim.engine import columns as col

_STAGES = {"delta": col.DELTA, "sigma": col.SIGMA, "sigma_delta": col.BOTH}


def group_rows(program: Program, connections: NDArray[np.int64], largest: list[int]) -> tuple[NDArray[np.int64], int]:
    """One row per group, and how many neurons all variables beyond the second take.

    Args:
        connections: Their rows, sorted by target.
        largest: What each of them can add to a target at most.
    """
    rows = np.zeros((len(program.groups), col.GROUP_COLUMNS), np.int64)
    offset = more = 0
    for g, group in enumerate(program.groups):
        row, node = rows[g], len(program.inputs) + g
        row[col.NODE], row[col.N], row[col.OFFSET], row[col.MORE] = node, group.size, offset, more
        into = np.flatnonzero(connections[:, col.TARGET] == node)
        row[col.FIRST_IN] = into[0] if into.size else 0
        row[col.LAST_IN] = row[col.FIRST_IN] + into.size
        row[col.SIGNED], row[col.VARIABLES] = group.signed, len(group.variables)
        if group.reset_interval:
            row[col.INTERVAL], row[col.RESET_AT] = group.reset_interval, group.reset_offset % group.reset_interval
        _rule(row, group)
        row[col.SILENT] = group.name in program.integrators
        in_32_bits = not connections[into, col.LONG].any() and sum(largest[k] for k in into) < 1 << 31
        if isinstance(group, LIF) and is_plain(group) and in_32_bits:
            row[col.RULE] = col.PLAIN
        offset += group.size
        more += max(0, len(group.variables) - 2) * group.size
    return rows, more


def is_plain(lif: LIF) -> bool:
    """Whether it has hard reset, no rest and spikes of one sign."""
    return lif.reset == "zero" and not lif.refractory_steps and lif.vth_low is None


def bias_of(group: Group) -> NDArray[np.int64]:
    """`(n,)`, in units of the state that it is added to."""
    match group:
        case LIF():
            return group.bias_mant.astype(np.int64).reshape(-1) << group.bias_exp
        case SigmaDelta():
            return np.broadcast_to(np.asarray(group.bias, np.int64), group.shape).reshape(-1) << group.scale_exp
        case Resonator():
            return np.zeros(group.size, np.int64)


def _rule(row: NDArray[np.int64], group: Group) -> None:
    match group:
        case LIF():
            row[col.RULE], row[col.VTH] = col.LIF, group.vth << fixed.ACT_SHIFT
            row[col.KEEP_U], row[col.KEEP_V] = fixed.keep_u(group.du), fixed.keep_v(group.dv)
            row[col.SOFT], row[col.REST] = group.reset == "subtract", group.refractory_steps
            if group.vth_low is not None:
                row[col.TERNARY], row[col.VTH_LOW] = 1, group.vth_low << fixed.ACT_SHIFT
        case SigmaDelta():
            row[col.RULE], row[col.STAGE] = col.SIGMA_DELTA, _STAGES[group.stage]
            row[col.SCALE_EXP], row[col.STATE_EXP] = group.scale_exp, group.state_exp
            row[col.VTH] = group.vth << group.scale_exp
            row[col.RELU] = group.stage == "sigma_delta" and group.activation == "relu"
            row[col.CUMULATE] = group.cum_error
        case Resonator():
            row[col.RULE], row[col.IZHIKEVICH] = col.RESONATOR, group.kind == "rf_izhikevich"
            row[col.COS], row[col.SIN], row[col.DECAY_BITS] = group.cos_decay, group.sin_decay, group.decay_bits
            row[col.STATE_EXP], row[col.VTH] = group.state_exp, group.vth << group.state_exp
