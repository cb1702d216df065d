"""`Session`: a run that is fed step by step and answers as it goes."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import InputError, SessionOver, SpikeportError, StateMismatch, UnknownName
from spikeport.fixed import Ints
from spikeport.profiles import Profile
from spikeport.program import Input, Program
from spikeport.sim.address_events import Events, events_of
from spikeport.sim.decide import Tally
from spikeport.sim.record import tallies_of
from spikeport.sim.result import count_cleared, read_outputs, traces_of
from spikeport.sim.saved import RunState
from spikeport.sim.session_file import Kept, load_session, save_session
from spikeport.sim.simulate import Engine, check_agreeing, check_groups, check_input, start_run
from spikeport.trace import Trace

Pushed: TypeAlias = NDArray[np.integer] | Events
Given: TypeAlias = Pushed | Mapping[str, Pushed]
TALLY_STEPS = 64
"""Steps of outputs that are kept before they are added up."""


@dataclass(frozen=True, eq=False)
class Streamed:
    """What came out of a push. Entry k of each output answers input step `first + k`, steps counted from 0."""

    first: int
    steps: int
    """Of the outputs: those of the push, but for the first `latency` of a session; 0 if none is there yet."""
    outputs: Mapping[str, NDArray[Any]]
    """Every output by name, `(steps, B, *shape)`: spikes or payloads, or v as integers, as `Result.outputs`."""
    t: int
    """Hardware steps before the first of the traces."""
    traces: Mapping[str, Trace]
    """The groups that were asked for, in hardware time: a step for each one that was pushed."""

    def events(self, output: str) -> Events:
        """What an output sent; `step` counts from `first`. Another session takes it as it is."""
        return events_of(self.outputs[output])


class Session:
    """Runs a Program on input as it comes. What it hands out is, put together, `simulate`'s result for the whole.

    A push happens as a whole or not at all: after an error the session is where it was before.

    Args:
        batch: Samples that run side by side.
        engine: As in `simulate`.
        profile: Arithmetic profile; the Program's own if None.
        record: Groups whose state and spikes each push gives.
        state: Where a part of a run ended (`Result.state`), to go on from.

    Raises:
        InputError: an unknown group, engine or profile, no sample, or a state of another Program or batch.
        ProgramError: the profile has no arithmetic for this Program.
    """

    def __init__(
        self,
        program: Program,
        batch: int = 1,
        *,
        engine: Engine = "auto",
        profile: Profile | None = None,
        record: Collection[str] = (),
        state: RunState | None = None,
    ) -> None:
        check_groups(program, record)
        if not isinstance(batch, int | np.integer) or batch < 1:
            raise InputError("session", "batch", got=batch, relation="is not a number above", limit=0)
        self.program, self.batch, self.profile = program, int(batch), profile or program.profile
        self.record = tuple(g.name for g in program.groups if g.name in record)
        self._run = start_run(program, self.batch, engine, profile, state)
        self._sent = frozenset(self.record) | {o.source for o in program.outputs}
        self._states = frozenset(self.record) | program.read_v
        self._entries = {i.name: i for i in program.inputs}
        self._voting = [o for o in program.outputs if o.classes]
        self._begin(0 if state is None else state.t)

    @property
    def t(self) -> int:
        """Input steps that were pushed. Those below `t - latency` have been answered."""
        return self._t

    def push(self, given: Given) -> Streamed:
        """Takes the next steps, and gives the outputs that are there now.

        Args:
            given: Integers `(n, B, *shape)`, or one step `(B, *shape)`; or `Events`; or a mapping of these by input.
                An input that a mapping does not name sends nothing, and a bias stays as it was. Events of a bias
                change single values, which stay; before the first, all of them are 0 or the nearest that is allowed.

        Raises:
            InputError: wrong shape, type, batch or range; or the session was flushed or closed.
            OverflowDetected: under the profile `strict`, with group, hardware step, neuron and value.
        """
        self._check_open()
        inputs = self._checked(given)
        steps = len(next(iter(inputs.values())))
        streamed = self._advance(inputs, steps, self._t + steps)
        self._t += steps
        self._held |= {name: inputs[name][-1].astype(np.int64) for name in self._held}
        return streamed

    def flush(self) -> Streamed:
        """Runs the `latency` steps behind the input's last, so that all of it is answered. It ends the session.

        Raises:
            InputError: the session was flushed or closed.
            OverflowDetected: as `push`.
        """
        self._check_open()
        none = {i.name: np.zeros((0, self.batch, i.size), np.uint8) for i in self.program.inputs}
        steps = self.program.latency if self._t else 0
        streamed = self._advance(none, steps, self._t)
        self._over = "was flushed"
        return streamed

    def stream(self, source: Iterable[Given]) -> Iterator[Streamed]:
        """Pushes what comes from a source, flushes at its end, and gives each piece in which there is something."""
        for given in source:
            streamed = self.push(given)
            if streamed.steps or streamed.traces:
                yield streamed
        rest = self.flush()
        if rest.steps or rest.traces:
            yield rest

    @property
    def tallies(self) -> dict[str, Tally]:
        """What the steps handed out come to, for each output with classes: `tallies["y"].winners()`."""
        self._add_up()
        return dict(self._tallies)

    @property
    def cleared(self) -> int:
        """How often a spike cleared a v that is to be read whole, as `Recorded.cleared`."""
        return self._cleared

    @property
    def state(self) -> RunState:
        """A copy of where the run stands; `simulate(..., state=...)` goes on from it as well.

        Raises:
            InputError: the session was flushed or closed.
        """
        self._check_open()
        return deepcopy(self._run.state())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes all that the session is, its tallies included; `load_state` reads the state in it.

        Raises:
            FileError: the file cannot be written; nothing is left behind.
            InputError: the session was flushed or closed.
        """
        self._check_open()
        kept = Kept(self.profile, self.record, self._held, self.tallies, self._cleared)
        save_session(self._run.state(), kept, path)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        program: Program,
        *,
        engine: Engine = "auto",
        profile: Profile | None = None,
    ) -> Self:
        """The session that was saved, or one that goes on from a saved state.

        Args:
            engine: The one that ran, or between `dense` and `reference` either; `auto` takes the latter for both.
            profile: The saved one if None.

        Raises:
            InputError: the session was saved by another engine.
            FileError: no session of this Program, or not whole; nothing is ever unpickled.
        """
        state, kept = load_session(path, program)
        if kept is None:
            return cls(program, state.batch, engine=engine, profile=profile, state=state)
        profile = profile or kept.profile
        session = cls(program, state.batch, engine=engine, profile=profile, record=kept.record, state=state)
        session._held |= kept.held
        session._tallies, session._cleared = dict(kept.tallies), kept.cleared
        return session

    def reset(self) -> None:
        """Begins anew with the cleared state and no tallies, also after `flush` or `close`."""
        self._run.restart()
        self._begin(0)

    def close(self) -> None:
        """Nothing can be pushed any more."""
        self._over = "is closed"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, t: int) -> None:
        self._t, self._over, self._cleared = t, "", 0
        self._held: dict[str, Ints | None] = {
            i.name: None if t else np.full((self.batch, i.size), min(max(0, i.low), i.high), np.int64)
            for i in self.program.inputs
            if i.kind == "bias"
        }
        self._tallies: dict[str, Tally] = {}
        self._pending: list[Mapping[str, NDArray[Any]]] = []
        self._pending_steps = 0

    def _check_open(self) -> None:
        if self._over:
            raise SessionOver(
                "session", self._over, do="reset() begins another run, Session.load goes on with a saved one"
            )

    def _checked(self, given: Given) -> dict[str, NDArray[Any]]:
        """`(n, B, neurons)` of every input."""
        entries = self._entries
        if not isinstance(given, Mapping):
            if len(entries) > 1:
                do = f"give a mapping by name, of {', '.join(entries)}"
                raise UnknownName("input", "one array or list of events for several inputs", do=do)
            given = dict.fromkeys(entries, given)
        if not given or not given.keys() <= entries.keys():
            got, known = ", ".join(given), ", ".join(entries)
            raise UnknownName("input", "names", got=got, relation="are not some of", limit=known)
        checked = {name: check_input(entries[name], self._array(entries[name], x)) for name, x in given.items()}
        steps, batch = next(iter(checked.values())).shape[:2]
        if batch != self.batch:
            raise StateMismatch("input", "batch", got=batch, relation="is not the session's", limit=self.batch)
        for name in entries.keys() - checked.keys():
            nothing = Events(steps, *np.zeros((2, 0), np.int64))
            checked[name] = check_input(entries[name], self._array(entries[name], nothing))
        return check_agreeing(checked)

    def _array(self, entry: Input, x: Pushed) -> NDArray[Any]:
        """`(n, B, *shape)`, if x is what it should be."""
        if not isinstance(x, Events):
            return x[None] if isinstance(x, np.ndarray) and x.ndim == len(entry.shape) + 1 else x
        if entry.kind != "bias":
            return x.to_array(entry, self.batch).reshape(-1, self.batch, *entry.shape)
        if (held := self._held[entry.name]) is None:
            what, do = "value before the state that was given", "push an array first"
            raise InputError(f"input {entry.name}", what, relation="is not known", do=do)
        return x.over(entry, held).reshape(-1, self.batch, *entry.shape)

    def _advance(self, inputs: Mapping[str, NDArray[Any]], steps: int, length: int) -> Streamed:
        self._over = "was interrupted in the middle of a step"
        try:
            keep, sent = self._run.advance(inputs, steps, self._sent, self._states, length)
        except SpikeportError:  # the run is where it was
            self._over = ""
            raise
        self._over = ""
        program, before = self.program, self._t
        late = min(steps, max(0, program.latency - before))  # steps before the first that the outputs answer
        outputs = read_outputs(program, sent, {name: keep[name]["v"] for name in program.read_v}, late)
        self._cleared += count_cleared(program, sent, late)
        if self._voting:
            self._pending.append(outputs)
            self._pending_steps += steps - late
            if self._pending_steps >= TALLY_STEPS:
                self._add_up()
        traces = traces_of(program, self.record, keep, sent)
        return Streamed(max(0, before - program.latency), steps - late, outputs, before, traces)

    def _add_up(self) -> None:
        """Outputs are added up many steps at a time, which costs a step less."""
        if not self._pending:
            return
        joined = {o.name: np.concatenate([x[o.name] for x in self._pending]) for o in self._voting}
        self._pending, self._pending_steps = [], 0
        for name, found in tallies_of(self.program, joined).items():
            self._tallies[name] = self._tallies[name].then(found) if name in self._tallies else found
