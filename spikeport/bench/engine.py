"""The simulators of spikeport behind one call: prepare once, then run inputs of any length and batch."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim.simulate import simulate

Arrays = Mapping[str, NDArray[Any]]
Run = Callable[[Arrays], Ints]
_EVENT = "spikeport.sim.engine.run"


def engines() -> tuple[str, ...]:
    """What can run here, the best first."""
    folder = importlib.util.find_spec(_EVENT.rpartition(".")[0])
    return ("event", "reference") if folder and importlib.util.find_spec(_EVENT) else ("reference",)


def prepare(program: Program, *, engine: str = "", threads: int = 1) -> Run:
    """A function from `{input: (T, B, n)}` to the output's spikes `(T + latency, B, n)`, weights already laid out.

    Args:
        engine: One of `engines()`; the best if empty.
    """
    source = program.outputs[0].source
    if (engine or engines()[0]) == "reference":
        shapes = {entry.name: entry.shape for entry in program.inputs}

        def by_reference(inputs: Arrays) -> Ints:
            shaped = {name: x.reshape(*x.shape[:2], *shapes[name]) for name, x in inputs.items()}
            return simulate(program, shaped, engine="reference").sent[source]

        return by_reference
    event = importlib.import_module(_EVENT).EventEngine(program, threads)

    def by_events(inputs: Arrays) -> Ints:
        steps, batch = next(iter(inputs.values())).shape[:2]
        stops = {"strict": program.profile == "strict", "narrow": program.profile == "loihi1"}
        ran = event.run(event.start(batch), inputs, steps + program.latency, **stops, spikes=[source])
        return ran.sent[source]

    return by_events
