"""One run, as many steps at a time as one likes: by the specification, by the event engine, by the dense engine."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import OverflowDetected
from spikeport.fixed import Ints
from spikeport.profiles import Profile
from spikeport.program import Program
from spikeport.sim import reference
from spikeport.sim.engine import run as events
from spikeport.sim.rules import Values
from spikeport.sim.saved import RunState, check_run_state, fingerprint
from spikeport.sim.state import State, cleared

Kept = tuple[dict[str, dict[str, NDArray[Any]]], dict[str, NDArray[Any]]]


class ReferenceSteps:
    """A run by the specification, as many steps at a time as one likes."""

    def __init__(self, program: Program, batch: int, profile: Profile, start: RunState | None) -> None:
        self.program, self.batch, self.profile = program, batch, profile
        self.at = cleared(program, batch)
        if start is not None:
            check_run_state(start, fingerprint(program), batch)
            assert isinstance(start.inner, State)
            self.at = start.inner

    def advance(
        self, inputs: Mapping[str, Ints], steps: int, spikes: Collection[str], states: Collection[str], length: int
    ) -> Kept:
        """What these groups send, and the state of those, each `(steps, B, n)`.

        Args:
            inputs: `(T, B, n)` for each input; the k-th step of this call takes entry k, and zeros after T.
            length: Steps of the whole input, as far as it is known.
        """
        batch, before = self.batch, self.at.t
        groups = {g.name: g for g in self.program.groups}
        keep: dict[str, dict[str, NDArray[Any]]] = {
            n: {k: np.zeros((steps, batch, groups[n].size), np.int32) for k in groups[n].variables} for n in states
        }
        sent: dict[str, NDArray[Any]] = {
            n: np.zeros((steps, batch, groups[n].size), np.int32 if groups[n].signed else np.uint8) for n in spikes
        }

        def observe(t: int, name: str, state: Values, s: Ints) -> None:
            if name in sent:
                sent[name][t - 1 - before] = s
            for variable, kept in keep.get(name, {}).items():
                kept[t - 1 - before] = state[variable]

        self.at = reference.run(self.program, inputs, steps, observe, self.profile, self.at, length)
        return keep, sent

    def restart(self) -> None:
        """Back to the cleared state."""
        self.at = cleared(self.program, self.batch)

    def state(self) -> RunState:
        return RunState("reference", fingerprint(self.program), self.batch, self.at)


class EventSteps:
    """`ReferenceSteps` by the event engine.

    Under `loihi1` the engine runs as long as every value is in that profile's words. At the first call in which one is
    not, the reference takes over from where the call began, and keeps the run to its end.
    """

    def __init__(self, program: Program, batch: int, profile: Profile, start: RunState | None) -> None:
        self.program, self.profile, self.batch = program, profile, batch
        self.engine = events.EventEngine(program)
        self.at = self.engine.start(batch)
        self.taken_over: ReferenceSteps | None = None
        if start is not None:
            check_run_state(start, fingerprint(program, self.engine), batch)
            assert isinstance(start.inner, events.State)
            self.at = deepcopy(start.inner)  # the engine writes into it

    def advance(
        self, inputs: Mapping[str, Ints], steps: int, spikes: Collection[str], states: Collection[str], length: int
    ) -> Kept:
        if self.taken_over is not None:
            return self.taken_over.advance(inputs, steps, spikes, states, length)
        strict, narrow = self.profile == "strict", self.profile == "loihi1"
        engine_run = partial(self.engine.run, spikes=spikes, states=states)
        try:
            return _flat(engine_run(self.at, inputs, steps, strict=strict, narrow=narrow))
        except (OverflowDetected, events.LeftOutside):
            if self.profile == "lava":
                raise
        start = self.engine.as_reference(self.at)  # the engine is where it was
        if narrow:
            begun = RunState("reference", fingerprint(self.program), self.batch, start)
            self.taken_over = ReferenceSteps(self.program, self.batch, self.profile, begun)
            return self.taken_over.advance(inputs, steps, spikes, states, length)
        # the specification knows whether the step belongs to a sample; if not, nothing is wrong with the values
        reference.run(self.program, inputs, steps, lambda *_: None, "strict", start, length)
        return _flat(engine_run(self.at, inputs, steps, strict=False))

    def restart(self) -> None:
        self.at, self.taken_over = self.engine.start(self.batch), None

    def state(self) -> RunState:
        if self.taken_over is not None:
            return self.taken_over.state()
        return RunState("events", fingerprint(self.program, self.engine), self.batch, self.at)


class DenseSteps:
    """`ReferenceSteps` by the dense engine. Its state is kept as the specification's, and the two can be exchanged."""

    def __init__(self, program: Program, batch: int, profile: Profile, start: RunState | None) -> None:
        from spikeport.sim.engine.dense import DenseEngine

        self.program, self.profile, self.batch = program, profile, batch
        self.engine = DenseEngine(program)
        self.at = self.engine.start(batch)
        if start is not None:
            check_run_state(start, fingerprint(program), batch)
            assert isinstance(start.inner, State)
            self.at = self.engine.from_reference(start.inner)

    def advance(
        self, inputs: Mapping[str, Ints], steps: int, spikes: Collection[str], states: Collection[str], length: int
    ) -> Kept:
        engine_run = partial(self.engine.run, self.at, inputs, steps, spikes=spikes, states=states)
        try:
            ran, self.at = engine_run(strict=self.profile == "strict")
        except (OverflowDetected, events.LeftOutside):
            # the specification knows whether the step belongs to a sample; if not, nothing is wrong with the values
            start = self.engine.as_reference(self.at)
            reference.run(self.program, inputs, steps, lambda *_: None, self.profile, start, length)
            ran, self.at = engine_run(strict=False)
        return _flat(ran)

    def restart(self) -> None:
        self.at = self.engine.start(self.batch)

    def state(self) -> RunState:
        return RunState("reference", fingerprint(self.program), self.batch, self.engine.as_reference(self.at))


def _flat(ran: events.Ran) -> Kept:
    """`(steps, B, *shape)` to `(steps, B, n)`."""
    flat: dict[str, NDArray[Any]] = {name: x.reshape(*x.shape[:2], prod(x.shape[2:])) for name, x in ran.sent.items()}
    keep = {n: {k: x.reshape(flat[n].shape) for k, x in values.items()} for n, values in ran.states.items()}
    return keep, flat
