"""`Record`: what a run of the event engine keeps of what the groups send, and of their state."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.program import Program
from spikeport.sim.engine.layout import channels_first
from spikeport.sim.engine.state import variables_of


class Record:
    """Room for some steps of some groups, batch first and engine order, as the compiled code fills it."""

    def __init__(
        self, program: Program, batch: int, steps: int, spikes: Collection[str], states: Collection[str]
    ) -> None:
        self.program = program
        nodes = len(program.inputs) + len(program.groups)
        self._sent_at, self._at, self._more_at = (np.full(nodes, -1, np.int64) for _ in range(3))
        widths = [0, 0]  # of spikes, of payloads
        width = more = 0
        for node, group in enumerate(program.groups, len(program.inputs)):
            if group.name in spikes:
                self._sent_at[node] = widths[group.signed]
                widths[group.signed] += group.size
            if group.name in states:
                self._at[node], self._more_at[node] = width, more
                width += group.size
                more += group.size * max(0, len(group.variables) - 2)
        self._sent = (np.zeros((batch, steps, widths[0]), np.uint8), np.zeros((batch, steps, widths[1]), np.int32))
        self._first, self._second = (np.zeros((batch, steps, width), np.int32) for _ in range(2))
        self._more = np.zeros((batch, steps, more), np.int32)

    @property
    def sent_arrays(self) -> tuple[NDArray[Any], ...]:
        """Spikes, payloads, and where each node's start in one of them, or -1."""
        return (*self._sent, self._sent_at)

    @property
    def state_arrays(self) -> tuple[NDArray[Any], ...]:
        """First variables, second, all further ones; where each node's start in the first two and in the last."""
        return (self._first, self._second, self._more, self._at, self._more_at)

    def sent(self) -> dict[str, NDArray[Any]]:
        """`(steps, B, *shape)` by group; views."""
        found = {}
        for group, at in zip(self.program.groups, self._sent_at[len(self.program.inputs) :], strict=True):
            if at >= 0:
                part = self._sent[group.signed][:, :, at : at + group.size]
                found[group.name] = channels_first(part.swapaxes(0, 1), group.shape)
        return found

    def states(self) -> dict[str, dict[str, NDArray[np.int32]]]:
        """`(steps, B, *shape)` by group and variable; views."""
        arrays = (self._first.swapaxes(0, 1), self._second.swapaxes(0, 1), self._more.swapaxes(0, 1))
        found = {}
        for node, group in enumerate(self.program.groups, len(self.program.inputs)):
            if self._at[node] >= 0:
                found[group.name] = variables_of(group, arrays, self._at[node], self._more_at[node])
        return found
