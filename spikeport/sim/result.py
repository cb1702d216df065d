"""What a simulation gives back: spikes aligned with the input, traces in hardware time."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import InputError
from spikeport.fixed import Ints
from spikeport.sim.saved import RunState
from spikeport.trace import Trace as Trace


@dataclass(frozen=True, eq=False)
class Result:
    """One run, or a part of one. `spikes[t]` belongs to input step t; hardware step of both is t + latency.

    The spikes of a part are those that come out in its steps: in the first part fewer than its input has steps.
    """

    spikes: Ints
    """`(T, B, *output shape)`: 0 and 1, or payloads."""
    latency: int
    traces: Mapping[str, Trace]
    """The groups that were asked for."""
    sent: Mapping[str, Ints]
    """What each input and group sent at each hardware step, `(T + latency, B, n)`."""
    before: int = 0
    """Hardware steps done in the parts before this one."""
    state: RunState | None = None
    """Where the next part goes on; None if the run was flushed and so is at its end."""

    def counts(self) -> Ints:
        """Spikes per output neuron, `(B, n)`; payloads are added up."""
        return self.spikes.sum(axis=0).reshape(self.spikes.shape[1], -1)


def vote(counts: Ints, classes: int) -> NDArray[np.int64]:
    """Class with the most spikes; neurons vote in equal blocks; the lowest class wins a tie.

    Args:
        counts: Spikes per output neuron, `(B, n)`.
    """
    if classes < 1 or counts.shape[1] % classes:
        raise InputError(
            "vote", "output neurons", got=counts.shape[1], relation="do not divide by classes", limit=classes
        )
    return counts.reshape(len(counts), classes, -1).sum(axis=2).argmax(axis=1)
