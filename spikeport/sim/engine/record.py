"""`Record`: what a run of the event engine keeps of what the groups send, and of their state."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.program import Group, Program
from spikeport.sim.engine.layout import channels_first
from spikeport.sim.engine.state import variables_of


class Asked:
    """Which groups' spikes and states are kept, and where each lies in a `Record`."""

    def __init__(self, program: Program, spikes: Collection[str], states: Collection[str]) -> None:
        self.spikes, self.states = frozenset(spikes), frozenset(states)
        nodes = len(program.inputs) + len(program.groups)
        self.sent_at, self.at, self.more_at = (np.full(nodes, -1, np.int64) for _ in range(3))
        self.widths = [0, 0]
        """Of spikes, of payloads."""
        self.width = self.more = 0
        self.sent_groups: list[tuple[Group, int]] = []
        self.state_groups: list[tuple[Group, int, int]] = []
        for node, group in enumerate(program.groups, len(program.inputs)):
            if group.name in spikes:
                self.sent_at[node] = self.widths[group.signed]
                self.sent_groups.append((group, self.widths[group.signed]))
                self.widths[group.signed] += group.size
            if group.name in states:
                self.at[node], self.more_at[node] = self.width, self.more
                self.state_groups.append((group, self.width, self.more))
                self.width += group.size
                self.more += group.size * max(0, len(group.variables) - 2)


class Record:
    """Room for some steps of some groups, batch first and engine order, as the compiled code fills it."""

    def __init__(self, asked: Asked, batch: int, steps: int) -> None:
        self.asked = asked
        size = (batch, steps)
        self._sent = np.zeros((*size, asked.widths[0]), np.uint8), np.zeros((*size, asked.widths[1]), np.int32)
        self._first, self._second = (np.zeros((*size, asked.width), np.int32) for _ in range(2))
        self._more = np.zeros((*size, asked.more), np.int32)

    @property
    def sent_arrays(self) -> tuple[NDArray[Any], ...]:
        """Spikes, payloads, and where each node's start in one of them, or -1."""
        return (*self._sent, self.asked.sent_at)

    @property
    def state_arrays(self) -> tuple[NDArray[Any], ...]:
        """First variables, second, all further ones; where each node's start in the first two and in the last."""
        return (self._first, self._second, self._more, self.asked.at, self.asked.more_at)

    def sent(self) -> dict[str, NDArray[Any]]:
        """`(steps, B, *shape)` by group; views."""
        found = {}
        for group, at in self.asked.sent_groups:
            part = self._sent[group.signed][:, :, at : at + group.size]
            found[group.name] = channels_first(part.swapaxes(0, 1), group.shape)
        return found

    def states(self) -> dict[str, dict[str, NDArray[np.int32]]]:
        """`(steps, B, *shape)` by group and variable; views."""
        if not self.asked.state_groups:
            return {}
        arrays = (self._first.swapaxes(0, 1), self._second.swapaxes(0, 1), self._more.swapaxes(0, 1))
        return {group.name: variables_of(group, arrays, *at) for group, *at in self.asked.state_groups}
