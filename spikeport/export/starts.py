"""When each node of a Program sees a sample's first input: what lies between hardware time and a network's own.

A spike input sends at hardware step 1, and what is sent at t arrives at t + 1 + delay. State is cleared where a group
starts, so its start is its reset's offset; where nothing is cleared, it is the length of the path to it. What arrives
later than for the same step of the sample has a lag.
"""

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter

import numpy as np

from spikeport.errors import ProgramTiming, ProgramUntrainable
from spikeport.program import LIF, Connection, Program

Starts = Mapping[str, int]


def starts_of(program: Program, left_out: frozenset[str]) -> Starts:
    """The first hardware step of a sample at each input and group.

    Args:
        left_out: Groups that are no part of the network.

    Raises:
        ExportError: graded spikes, paths that do not meet, groups that are not cleared at their start, or outputs that
            do not start at the Program's latency.
    """
    for connection in program.connections:
        if connection.graded:
            where, do = f"{connection.source} -> {connection.target}", "send plain spikes"
            raise ProgramUntrainable(where, "graded spikes", relation="cannot be trained", do=do)
    intervals = {g.reset_interval for g in program.groups if isinstance(g, LIF)}
    if len(intervals) > 1:
        do = "give all groups one"
        raise ProgramTiming("program", "reset intervals", got=sorted(intervals), relation="differ", do=do)
    starts = {entry.name: 0 if entry.kind == "bias" else 1 for entry in program.inputs}
    if intervals == {0}:
        starts |= _by_paths(program, starts)
    else:
        starts |= {g.name: g.reset_offset for g in program.groups if isinstance(g, LIF)}
    for group in program.groups:
        if group.name not in left_out:
            _check_meeting(program, group.name, starts)
    for output in program.outputs:
        if starts[output.source] != program.latency + 1:
            first, limit = starts[output.source], program.latency + 1
            raise ProgramTiming(
                output.name, "first step", got=first, relation="is not", limit=f"the latency's, {limit}"
            )
    return starts


def lag_of(connection: Connection, starts: Starts) -> int:
    """Steps of the sample by which the connection's spikes come late; below 0: before the target's start."""
    return starts[connection.source] + 1 + _delay(connection) - starts[connection.target]


def in_order(names: Sequence[str], program: Program, starts: Starts) -> list[str]:
    """The groups, each after those that it hears at once; along a loop lags add up to its connections, so there are."""
    known = set(names)
    heard: dict[str, set[str]] = {name: set() for name in names}
    for c in program.connections:
        if c.target in known and c.source in known and not lag_of(c, starts):
            heard[c.target].add(c.source)
    return list(TopologicalSorter(heard).static_order())


def _by_paths(program: Program, starts: dict[str, int]) -> dict[str, int]:
    """Where nothing clears: paths without loops, which must be of one length and bring no bias."""
    found = dict(starts)
    waiting = [group.name for group in program.groups]
    while waiting:
        into = {n: [c for c in program.connections if c.target == n != c.source] for n in waiting}
        hosted = {e.synapses.target: e.synapses.source for e in program.encoders}
        name = next((n for n in waiting if all(c.source in found for c in into[n])), None)
        if name is None:
            got, do = ", ".join(waiting), "clear the groups when their first input arrives"
            raise ProgramTiming(waiting[0], "loop through several groups", got=got, relation="has no start", do=do)
        ends = [found[c.source] + 1 + _delay(c) for c in into[name]] + [1] * (name in hosted)
        if not ends:
            raise ProgramUntrainable(name, "is fed by nothing", do="connect it, or remove it")
        found[name] = max(ends)
        waiting.remove(name)
    for group in program.groups:
        if isinstance(group, LIF) and found[group.name] > 1 and np.any(group.bias_mant):
            do = f"set reset_interval, and reset_offset to {found[group.name]}"
            raise ProgramTiming(group.name, "bias", relation="runs before the first input, and is not cleared", do=do)
    return found


def _check_meeting(program: Program, name: str, starts: Starts) -> None:
    """Something must arrive at the start, and nothing before it."""
    into = [c for c in program.connections if c.target == name]
    hosted = any(e.synapses.target == name for e in program.encoders)
    if not into and not hosted:
        raise ProgramUntrainable(name, "is fed by nothing", do="connect it, or remove it")
    lags = {c.source: lag_of(c, starts) for c in into}
    if hosted:
        if starts[name] != 1:
            do = "clear the group when its first input arrives"
            raise ProgramTiming(name, "reset_offset", got=starts[name], relation="is not", limit=1, do=do)
        return
    others = [lag for source, lag in lags.items() if source != name]
    if not others or 0 not in others or min(lags.values()) < 0:
        if len(set(others)) == 1 and others[0]:
            first, do = starts[name] + others[0], "clear the group when its first input arrives"
            raise ProgramTiming(name, "reset_offset", got=starts[name], relation="is not", limit=first, do=do)
        got = ", ".join(f"{c.source} at {starts[c.source] + 1 + _delay(c)}" for c in into if c.source != name)
        do = "delay the shorter paths"
        what = "first spikes of a sample"
        raise ProgramTiming(name, what, got=got, relation="do not arrive with the first, at", limit=starts[name], do=do)


def _delay(connection: Connection) -> int:
    if isinstance(connection.delay, int):
        return connection.delay
    delays = np.unique(connection.delay)
    if len(delays) > 1:
        where, do = f"{connection.source} -> {connection.target}", "give the connection one delay"
        raise ProgramTiming(where, "delays", got=f"{delays[0]}..{delays[-1]}", relation="differ", do=do)
    return int(delays[0]) if len(delays) else 0
