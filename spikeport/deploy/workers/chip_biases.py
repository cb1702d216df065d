"""Biases that the host changes while a sample runs, and the steps between two changes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from host_biases import bias_schedule


def schedules(program: Any, inputs: Any, offset: int, steps: int) -> dict[str, Any]:
    """For groups whose bias changes, `(steps, *shape)`: the host's, and before the sample arrives none."""
    found = {}
    for group in program.groups:
        planned = bias_schedule(program, group.name, inputs)
        own: Any = getattr(group, "bias_mant", getattr(group, "bias", None))
        if planned is None and (not offset or own is None or not np.any(own)):
            continue
        if planned is None and group.neuron == "sigma_delta":
            own = np.asarray(own) << (group.spike_exp + group.state_exp)  # as Lava's process keeps it
        after = planned if planned is not None else np.broadcast_to(own, group.shape)[None]
        rest = np.repeat(after[-1:], max(0, steps - offset - len(after)), axis=0)
        found[group.name] = np.concatenate([np.zeros((offset, *group.shape), np.int64), after, rest])[:steps]
    return found


def segments(planned: Mapping[str, Any], steps: int) -> list[tuple[int, int]]:
    """`(first step from 0, number of steps)` of runs in which no bias changes."""
    changes = {0, steps}
    for values in planned.values():
        moved = (values[1:] != values[:-1]).reshape(len(values) - 1, -1).any(axis=1)
        changes |= {int(t) + 1 for t in np.flatnonzero(moved)}
    at = sorted(changes)
    return [(a, b - a) for a, b in zip(at[:-1], at[1:], strict=True)]


def bias_of(process: Any) -> Any:
    return process.bias_mant if hasattr(process, "bias_mant") else process.bias
