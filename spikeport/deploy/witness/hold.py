"""A search that holds a drive: some of the sources for a while, then all of them.

One neuron is followed under every level of the drive, and from each step on under the whole; all side by side.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.witness import rules
from spikeport.deploy.witness.cut import Cut
from spikeport.deploy.witness.drive import Drive
from spikeport.deploy.witness.replay import encoded, own_bias, scaled_bias
from spikeport.fixed import Ints

STEPS = 4096  # a witness is sought within so many steps of a drive
HELD = 1 << 24  # values of one input, (steps, neurons): where a layer hears many, it is followed for fewer steps
PULSE = 16  # how long the whole drive may take once it has begun


def held(cut: Cut, drive: Drive) -> Iterator[dict[str, NDArray[np.integer]]]:
    """The whole drive for as long as it takes to arrive, then what `_search` thinks of it."""
    yield drive.inputs(0, drive.start, drive.start)
    start = _search(cut, drive)
    if start is not None:
        level, whole_from, last = start
        yield drive.inputs(level, whole_from, last)


def followed(cut: Cut) -> int:
    """Steps of a drive that are looked at."""
    return min(STEPS, max(1, HELD // max(i.size for i in cut.program.inputs)))


def _search(cut: Cut, drive: Drive) -> tuple[int, int, int] | None:
    """`(level, step from which the whole drive arrives, step of the overflow)` of the neuron that is driven."""
    group, bias = cut.group, _bias(cut, drive)
    start, levels = drive.start, len(drive.levels)
    size = 2 * group.reset_interval or STEPS
    last = start + min(size, followed(cut))
    now = rules.cleared(group, (levels,))
    seen = {name: np.zeros((levels, last), np.int64) for name in now}  # before step t at t - 1
    for t in range(1, last + 1):
        for name, x in now.items():
            seen[name][:, t - 1] = x
        a = drive.levels if t >= start else np.zeros_like(drive.levels)
        now, _ = _step(cut, now, a, bias, np.full(levels, t))
    state: rules.State = seen
    times = np.broadcast_to(np.arange(1, last + 1), (levels, last))
    for pulse in range(PULSE):
        whole = np.where(times >= start, drive.whole, 0)
        state, bad = _step(cut, state, whole, bias, times + pulse)
        if bad.any():
            level, k = (int(i) for i in np.unravel_index(int(np.where(bad, times, last + 1).argmin()), bad.shape))
            return level, k + 1, k + 1 + pulse
    return None


def _step(cut: Cut, state: rules.State, a: Ints, bias: Ints, t: Ints) -> tuple[rules.State, NDArray[np.bool_]]:
    """One step of copies of one neuron, each at its own step t; and which of them overflow."""
    group, interval = cut.group, cut.group.reset_interval
    kept = np.where(t % interval == group.reset_offset % interval, 0, 1) if interval else 1
    integrator = group.name in cut.program.integrators
    state, bad = rules.step(group, {name: x * kept for name, x in state.items()}, {"a": a, "bias": bias}, integrator)
    return state, _any(bad)


def _any(bad: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    found = list(bad.values())
    return np.logical_or.reduce(found)


def _bias(cut: Cut, drive: Drive) -> Ints:
    """Of the driven neuron, as `rules.step` takes it."""
    bias = own_bias(cut.group)
    for e in cut.program.encoders:
        bias = encoded(cut.program, e, drive.value[e.synapses.source])
    return scaled_bias(cut.group, bias[drive.neuron : drive.neuron + 1])
