"""Compiled `sim/rules/sigma_delta.py`."""

import numpy as np
from numba import njit

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.words import as_int32, beyond


@njit
def step_sigma_delta(first, second, third, fourth, a, bias, spiked, payload, group):  # type: ignore[no-untyped-def]
    """One step of a group; gives whether a value left its 24 bits.

    Args:
        first, second, third, fourth: Its variables in their order, updated in place; those it lacks are not read.
    """
    if group[col.STAGE] == col.SIGMA:
        return _sigma(first, a, spiked, payload)
    if group[col.STAGE] == col.DELTA:
        return _changes(False, first, first, second, third, a, bias, spiked, payload, group)
    return _changes(True, first, second, third, fourth, a, bias, spiked, payload, group)


@njit
def _sigma(sigma, a, spiked, payload):  # type: ignore[no-untyped-def]
    left = False
    for i in range(a.size):
        x = sigma[i] + a[i]
        left |= beyond(x)
        sigma[i] = payload[i] = as_int32(x)
        spiked[i] = sigma[i] != 0
    return left


@njit
def _changes(adds, sigma, act, residue, error, a, bias, spiked, payload, group):  # type: ignore[no-untyped-def]
    """Stages that encode x; without `adds` sigma is not there, without CUMULATE error is not."""
    scale, low = group[col.SCALE_EXP], group[col.STATE_EXP]
    relu, cumulate, vth = group[col.RELU] != 0, group[col.CUMULATE] != 0, group[col.VTH]
    left = False
    for i in range(a.size):
        if adds:
            total = np.int64(sigma[i]) + a[i]
            left |= beyond(total)
            sigma[i] = as_int32(total)
            full = np.int64(sigma[i]) + bias[i]
        else:
            full = a[i] << scale
        left |= beyond(full)
        x = as_int32(full)
        if relu and x < 0:
            x = np.int64(0)
        full = x - act[i] + residue[i]
        left |= beyond(full)
        d = as_int32(full)
        compared = d
        if cumulate:
            full = error[i] + d
            left |= beyond(full)
            compared = as_int32(full)
        s = d if as_int32(abs(compared)) >= vth else np.int64(0)
        act[i] = x
        residue[i] = d - s
        if cumulate:
            error[i] = 0 if as_int32(abs(s)) > 0 else compared
        payload[i] = s >> low
        spiked[i] = payload[i] != 0
    return left
