"""What a simulation gives back: outputs aligned with the input, traces in hardware time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import WrongShape
from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim.saved import RunState
from spikeport.trace import Trace as Trace


@dataclass(frozen=True, eq=False)
class Result:
    """One run, or a part of one. `spikes[t]` belongs to input step t; hardware step of both is t + latency.

    The spikes of a part are those that come out in its steps: in the first part fewer than its input has steps.
    """

    spikes: Ints
    """`(T, B, *output shape)`: 0 and 1, or payloads; of the first output's source, whatever the output reads."""
    latency: int
    traces: Mapping[str, Trace]
    """The groups that were asked for."""
    sent: Mapping[str, Ints]
    """What each input and group sent at each hardware step, `(T + latency, B, n)`."""
    before: int = 0
    """Hardware steps done in the parts before this one."""
    outputs: Mapping[str, Ints] = field(default_factory=dict)
    """Every output by name, `(T, B, *shape)`, aligned as `spikes`: spikes or payloads, or v as integers.

    v times `program.group(output.source).v_unit` is in the float model's unit."""
    state: RunState | None = None
    """Where the next part goes on; None if the run was flushed and so is at its end."""

    def counts(self) -> Ints:
        """Spikes per output neuron, `(B, n)`; payloads are added up."""
        return self.spikes.sum(axis=0).reshape(self.spikes.shape[1], -1)


def read_outputs(
    program: Program, sent: Mapping[str, NDArray[Any]], v: Mapping[str, NDArray[Any]], skipped: int
) -> dict[str, NDArray[Any]]:
    """Every output by name, `(steps - skipped, B, *shape)`.

    Args:
        sent, v: `(steps, B, ...)` of the groups that outputs read, in hardware time.
        skipped: Steps that come before the first of the input.
    """
    found = {}
    for output in program.outputs:
        x = (v if output.reads == "v" else sent)[output.source][skipped:]
        found[output.name] = x.reshape(*x.shape[:2], *program.shape_of(output.source))
    return found


def traces_of(
    program: Program,
    names: Collection[str],
    keep: Mapping[str, Mapping[str, NDArray[Any]]],
    sent: Mapping[str, NDArray[Any]],
) -> dict[str, Trace]:
    """The groups of these names, from the state and spikes `(steps, B, n)` that were kept, in hardware time."""
    traces = {}
    for name in names:
        shape = program.shape_of(name)
        state = {k: x.reshape(*x.shape[:2], *shape) for k, x in keep[name].items()}
        traces[name] = Trace(state, sent[name].reshape(*sent[name].shape[:2], *shape))
    return traces


def count_cleared(program: Program, sent: Mapping[str, NDArray[Any]], skipped: int) -> int:
    """How often a spike cleared a v that is to be read whole (`Program.integrators`); never under `strict`."""
    return sum(int(np.count_nonzero(sent[name][skipped:])) for name in program.integrators)


def vote(counts: Ints, classes: int) -> NDArray[np.int64]:
    """Class with the most spikes, `(B,)`; neurons vote in equal blocks; the lowest class wins a tie.

    Args:
        counts: Spikes per output neuron, `(B, n)`.
        classes: How many; divides n.
    """
    if classes < 1 or counts.shape[1] % classes:
        raise WrongShape(
            "vote", "output neurons", got=counts.shape[1], relation="do not divide by classes", limit=classes
        )
    return counts.reshape(len(counts), classes, -1).sum(axis=2).argmax(axis=1)
