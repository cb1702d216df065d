"""`State`: where a run of the event engine stands, and the same as the reference keeps it."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.fixed import Ints
from spikeport.neurons import Group
from spikeport.sim.engine import columns as col
from spikeport.sim.engine.layout import Layout, channels_first
from spikeport.sim.state import Arrivals, Dendrite
from spikeport.sim.state import State as ReferenceState


@dataclass(eq=False)
class State:
    """Everything that the next step depends on, batch first, engine order."""

    t: int
    """Hardware steps done."""
    u: NDArray[np.int32]
    """The first variable of every group; u of a `LIF`."""
    v: NDArray[np.int32]
    """The second, where there is one."""
    more: NDArray[np.int32]
    """All further ones, by group and variable."""
    buffer: NDArray[np.int32]
    """What is on its way, by connection and arrival."""
    longs: NDArray[np.int64]
    """Likewise, of the connections whose sums need 64 bits."""
    loaded: dict[str, Ints] = field(default_factory=dict)
    """Bias mantissas that the host loaded last, `(B, n)` in the Program's order."""


def cleared(lay: Layout, batch: int) -> State:
    n = lay.n_neurons
    u, v, more, buffer = (np.zeros((batch, size), np.int32) for size in (n, n, lay.more_size, lay.buffer_size))
    return State(0, u, v, more, buffer, np.zeros((batch, lay.longs_size), np.int64))


ARRAYS = ("u", "v", "more", "buffer", "longs")


def put_aside(state: State, room: State | None) -> State:
    """A copy, in `room` if that has the size."""
    if room is None or room.u.shape != state.u.shape:
        return State(state.t, *(getattr(state, name).copy() for name in ARRAYS))
    put_back(room, state)
    return room


def put_back(state: State, copy: State | None) -> None:
    """The arrays of a copy; what was loaded changes only where a run ends well."""
    for name in ARRAYS:
        np.copyto(getattr(state, name), getattr(copy, name))


Arrays: TypeAlias = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


def variables_of(group: Group, arrays: Arrays, at: int, more_at: int) -> dict[str, NDArray[np.int32]]:
    """`{variable: (..., *shape)}`, views.

    Args:
        arrays: The first variables, the second and all further ones, `(..., neurons)` in engine order.
        at, more_at: Where those of the group start.
    """
    first, second, more = arrays
    n, found = group.size, {}
    for k, name in enumerate(group.variables):
        array, start = (more, more_at + (k - 2) * n) if k > 1 else (second if k else first, at)
        found[name] = channels_first(array[..., start : start + n], group.shape)
    return found


def as_reference(lay: Layout, state: State) -> ReferenceState:
    """The same state as the reference interpreter keeps it; arrivals of zeros included."""
    groups = {}
    arriving: dict[Dendrite, Arrivals] = {}
    for row, group in zip(lay.groups, lay.program.groups, strict=True):
        found = variables_of(group, (state.u, state.v, state.more), row[col.OFFSET], row[col.MORE])
        groups[group.name] = {k: x.reshape(len(x), -1).astype(np.int64) for k, x in found.items()}
        parts = lay.connections[row[col.FIRST_IN] : row[col.LAST_IN]]
        for k, port in enumerate(group.ports):
            arriving[group.name, port] = _in_flight(state, group.shape, parts[parts[:, col.PORT] == k])
    return ReferenceState(state.t, groups, arriving, dict(state.loaded))


def _in_flight(state: State, shape: tuple[int, ...], parts: NDArray[np.int64]) -> dict[int, Ints]:
    """What one port of a group will receive, by hardware step."""
    box: dict[int, Ints] = {}
    for row in parts:
        buffer: NDArray[Any] = state.longs if row[col.LONG] else state.buffer
        for t in range(state.t + 1, state.t + 1 + row[col.SLOTS]):
            start = row[col.BUFFER] + t % row[col.SLOTS] * row[col.SLOT]
            a = buffer[:, start : start + row[col.N_TARGET]].astype(np.int64)
            a = fixed.as_int32(a) if row[col.WORD] == col.SUM_WORD else a
            a = fixed.shift(a, int(row[col.EXP]))
            a = fixed.wrap_conv(a) if row[col.KIND] == col.CONV else a
            box[t] = box.get(t, 0) + channels_first(a, shape).reshape(len(a), -1)
    return box
