"""Power, time and activity, as lava-loihi's profilers measure them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from lava_classes import LAVA

US = 1e6
"""Microseconds, in which the profilers count, of a second."""
POWER = {"total": "total_power", "vdd": "vdd_power", "vddm": "vddm_power", "vddio": "vddio_power"}
TIMES = {"execution": "execution_time_per_step", "management": "management_time_per_step", "host": "host_time_per_step"}
ACTIVITY = {"chip": "chip_idx", "core": "core_idx"}
ACTIVITY |= {name: name for name in ("syn_ops", "dendrite_updates", "spikes_in", "axon_out")}
"""Our names of what lava-loihi's profilers measure, and theirs (lava-dl's netx tutorials, benchmark.ipynb)."""


def profilers(steps: int) -> list[Any]:
    return [LAVA.Loihi2Power(num_steps=steps), LAVA.Loihi2ExecutionTime(), LAVA.Loihi2Activity()]


def measured(meters: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """What the profilers of all samples say, end to end; counters are added up. What a release lacks is left out."""
    found: dict[str, Any] = {}
    for power, times, activity in meters:
        for name, theirs in POWER.items():
            _append(found, f"power_w/{name}", getattr(power, theirs, None))
            _append(found, f"static_power_w/{name}", getattr(power, f"static_{theirs}", None))
        _append(found, "power_time_s", getattr(power, "time_stamp", None), US)
        for name, theirs in TIMES.items():
            _append(found, f"step_s/{name}", getattr(times, theirs, None), US)
        for name, theirs in ACTIVITY.items():
            values = getattr(activity, theirs, None)
            if values is not None:
                key, values = f"activity/{name}", np.asarray(values, np.int64)
                found[key] = values if name in ("chip", "core") else found.get(key, 0) + values
    return found


def _append(found: dict[str, Any], key: str, values: Any, per_unit: float = 1.0) -> None:
    if values is not None:
        x = np.atleast_1d(np.asarray(values, np.float64)) / per_unit
        found[key] = np.concatenate([found[key], x]) if key in found else x
