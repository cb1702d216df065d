"""When each node of a Program sees a sample's first input: what lies between hardware time and a layer's own.

A spike input sends at hardware step 1, and what is sent at t arrives at t + 1 + delay. If all that enters a group has
the same start, the group sees its sources' spikes of one sample step together, and layers without latency do the same.
"""

from collections.abc import Sequence

import numpy as np

from spikeport.errors import ExportError
from spikeport.program import LIF, Connection, Program


def starts_of(program: Program) -> dict[str, int]:
    """The first hardware step of a sample at each input and group, in data-flow order.

    Raises:
        ExportError: paths of unequal length, loops through several groups, groups that are not cleared at their start,
            or outputs that do not start at the Program's latency.
    """
    starts = {entry.name: 0 if entry.kind == "bias" else 1 for entry in program.inputs}
    waiting = [group.name for group in program.groups]
    while waiting:
        ready = (name for name in waiting if all(source in starts for source, _ in _into(program, name)))
        name = next(ready, None)
        if name is None:
            got, do = ", ".join(waiting), "only a group's connections to itself can be trained"
            raise ExportError(waiting[0], "loop through several groups", got=got, relation="is not supported", do=do)
        starts[name] = _start(program, name, starts)
        waiting.remove(name)
    for connection in program.connections:
        if connection.graded:
            where, do = f"{connection.source} -> {connection.target}", "send plain spikes"
            raise ExportError(where, "graded spikes", relation="cannot be trained", do=do)
    _check_resets(program, starts)
    _check_loops(program, starts)
    for output in program.outputs:
        if starts[output.source] != program.latency + 1:
            first, limit = starts[output.source], program.latency + 1
            raise ExportError(output.name, "first step", got=first, relation="is not", limit=f"the latency's, {limit}")
        if getattr(output, "reads", "s") != "s":
            do = "let it read spikes, and set a threshold"
            raise ExportError(output.name, "what it reads", got="v", relation="cannot be trained", do=do)
    return starts


def lag_of(into: Sequence[Connection]) -> int:
    """Delay of the group's connection to itself; 0 if there is none."""
    return next((_delay(c) for c in into if c.source == c.target), 0)


def _into(program: Program, name: str) -> list[tuple[str, int]]:
    """Source and delay of whatever else feeds the group."""
    found = [(e.synapses.source, 0) for e in program.encoders if e.synapses.target == name]
    return found + [(c.source, _delay(c)) for c in program.connections if c.target == name != c.source]


def _start(program: Program, name: str, starts: dict[str, int]) -> int:
    found = [(source, starts[source] + 1 + delay) for source, delay in _into(program, name)]
    if not found:
        raise ExportError(name, "is fed by nothing", do="connect it, or remove it")
    if len({start for _, start in found}) > 1:
        got, do = ", ".join(f"{source} at {start}" for source, start in found), "delay the shorter paths"
        raise ExportError(name, "first spikes of a sample", got=got, relation="do not arrive together", do=do)
    loops = [c for c in program.connections if c.target == name == c.source]
    if len(loops) > 1:
        raise ExportError(name, "connections to itself", got=len(loops), relation="exceed", limit=1, do="add them up")
    return found[0][1]


def _check_resets(program: Program, starts: dict[str, int]) -> None:
    """State that a group had before its sample's first step must be gone, or never have been there."""
    intervals = {g.reset_interval for g in program.groups if isinstance(g, LIF)}
    if len(intervals) > 1:
        do = "give all groups one"
        raise ExportError("program", "reset intervals", got=sorted(intervals), relation="differ", do=do)
    for group in program.groups:
        if not isinstance(group, LIF) or starts[group.name] == 1 and not group.reset_interval:
            continue
        if group.reset_interval and (group.reset_offset - starts[group.name]) % group.reset_interval:
            got, limit = group.reset_offset, starts[group.name]
            do = "clear the group when its first input arrives"
            raise ExportError(group.name, "reset_offset", got=got, relation="is not", limit=limit, do=do)
        if not group.reset_interval and np.any(group.bias_mant):
            do = f"set reset_interval, and reset_offset to {starts[group.name]}"
            raise ExportError(group.name, "bias", relation="runs before the first input, and is not cleared", do=do)


def _check_loops(program: Program, starts: dict[str, int]) -> None:
    """Spikes of a group before its start reach the group itself after it."""
    early: set[str] = set()
    for name, start in starts.items():
        lif = next((g for g in program.groups if g.name == name and isinstance(g, LIF)), None)
        if lif is None or start == 1:
            continue
        if np.any(lif.bias_mant > 0) or any(source in early for source, _ in _into(program, name)):
            early.add(name)
            if any(c.source == c.target == name for c in program.connections):
                do = "start the network with this group, or take the biases away"
                raise ExportError(name, "spikes before its first input", relation="come back to it after", do=do)


def _delay(connection: Connection) -> int:
    if isinstance(connection.delay, int):
        return connection.delay
    delays = np.unique(connection.delay)
    if len(delays) > 1:
        where, do = f"{connection.source} -> {connection.target}", "give the connection one delay"
        raise ExportError(where, "delays", got=f"{delays[0]}..{delays[-1]}", relation="differ", do=do)
    return int(delays[0]) if len(delays) else 0
