"""`simulate`: arrays in, Result out; checks the input and picks the engine."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import InputError, OverflowDetected
from spikeport.fixed import Ints
from spikeport.program import Input, Profile, Program
from spikeport.sim import reference
from spikeport.sim.engine import run as events
from spikeport.sim.result import Result, Trace
from spikeport.sim.rules import Values
from spikeport.sim.saved import RunState, check_run_state, fingerprint
from spikeport.sim.state import State, cleared

Engine = Literal["auto", "reference", "events", "dense"]
ENGINES = get_args(Engine)
Arrays = NDArray[np.integer] | Mapping[str, NDArray[np.integer]]


def simulate(
    program: Program,
    spikes: Arrays,
    *,
    record: Collection[str] = (),
    profile: Profile | None = None,
    engine: Engine = "auto",
    state: RunState | None = None,
    flush: bool = True,
) -> Result:
    """Runs a Program on a batch; each sample starts from the cleared state, or goes on from `state`.

    A run that is to go on later is not flushed: what is still in the pipeline comes out of the next part,
    so that the parts' spikes, one after the other, are those of the run in one.

    Args:
        spikes: Integers `(T, B, *input shape)`; a mapping by name if there are several inputs.
        record: Names of the groups whose state and spikes are kept.
        profile: Arithmetic profile; the Program's own if None.
        engine: `events` walks spikes or, where they are many, the windows that they fill; `dense` multiplies, on a
            GPU if there is one (plain LIF only; it needs torch); `reference` is the specification. All give the same
            values. `auto` takes `events`, on a CPU the quickest at any activity, or the one that made `state`.
        state: `Result.state` of the part before; it stays as it is.
        flush: Whether `latency` steps follow the input's, so that its last spikes come out. If not, `Result.state`
            is where the next part goes on.

    Raises:
        InputError: wrong shape, type or range, an unknown group in `record`, or a state of another Program or batch.
        OverflowDetected: under the profile `strict`.
    """
    inputs = check_inputs(program, spikes)
    check_groups(program, record)
    run = start_run(program, inputs, engine, profile, state, whole=flush and state is None)
    before = 0 if state is None else state.t
    length = len(next(iter(inputs.values())))
    steps = length + (program.latency if flush else 0)
    keep, sent = run.advance(inputs, steps, [g.name for g in program.groups], record, before + length)
    for name, x in inputs.items():
        sent[name] = np.zeros((steps, *x.shape[1:]), x.dtype)
        sent[name][: len(x)] = x
    return _result(program, keep, sent, before, None if flush else run.state())


def check_groups(program: Program, record: Collection[str]) -> None:
    """Raises InputError if a group is unknown."""
    if unknown := set(record) - {g.name for g in program.groups}:
        known = ", ".join(g.name for g in program.groups)
        raise InputError("record", "group", got=", ".join(sorted(unknown)), relation="is not one of", limit=known)


Kept = tuple[dict[str, dict[str, NDArray[Any]]], dict[str, NDArray[Any]]]


def pick_engine(program: Program, engine: Engine) -> Engine:
    """The engine that will run: the named one, or for `auto` the quickest.

    Raises:
        InputError: no such engine, or one that cannot run this Program.
    """
    if engine not in ENGINES:
        raise InputError("engine", "name", got=engine, relation="is not one of", limit=", ".join(ENGINES))
    if engine == "dense":
        from spikeport.sim.engine import dense

        if not dense.supports(program):
            do = "use engine='events'"
            raise InputError("engine dense", "neurons or spikes", relation="are not", limit="plain LIF", do=do)
    return "events" if engine == "auto" else engine


class ReferenceSteps:
    """A run by the specification, as many steps at a time as one likes."""

    def __init__(self, program: Program, batch: int, strict: bool, start: RunState | None) -> None:
        self.program, self.batch = program, batch
        self.profile: Profile = "strict" if strict else "lava"
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

    def state(self) -> RunState:
        return RunState("reference", fingerprint(self.program), self.batch, self.at)


class EventSteps:
    """`ReferenceSteps` by the event engine."""

    def __init__(self, program: Program, batch: int, strict: bool, start: RunState | None) -> None:
        self.program, self.strict, self.batch = program, strict, batch
        self.engine = events.EventEngine(program)
        self.at = self.engine.start(batch)
        if start is not None:
            check_run_state(start, fingerprint(program, self.engine), batch)
            assert isinstance(start.inner, events.State)
            self.at = deepcopy(start.inner)  # the engine writes into it

    def advance(
        self, inputs: Mapping[str, Ints], steps: int, spikes: Collection[str], states: Collection[str], length: int
    ) -> Kept:
        before = deepcopy(self.at)
        try:
            return _flat(self.engine.run(self.at, inputs, steps, strict=self.strict, spikes=spikes, states=states))
        except (OverflowDetected, events.LeftOutside):
            if not self.strict:
                raise
            # the specification knows whether the step belongs to a sample; if not, nothing is wrong with the values
            start = self.engine.as_reference(before)
            reference.run(self.program, inputs, steps, lambda *_: None, "strict", start, length)
        self.at = before
        return _flat(self.engine.run(self.at, inputs, steps, strict=False, spikes=spikes, states=states))

    def state(self) -> RunState:
        return RunState("events", fingerprint(self.program, self.engine), self.batch, self.at)


class DenseSteps:
    """`ReferenceSteps` by the dense engine, which runs from the cleared state only, and in one."""

    def __init__(self, program: Program, batch: int, strict: bool, start: RunState | None) -> None:
        from spikeport.sim.engine.dense import DenseEngine

        self.engine, self.strict = DenseEngine(program), strict

    def advance(
        self, inputs: Mapping[str, Ints], steps: int, spikes: Collection[str], states: Collection[str], length: int
    ) -> Kept:
        try:
            return _flat(self.engine.run(inputs, steps, strict=self.strict, spikes=spikes, states=states))
        except events.LeftOutside:  # rare, and the specification knows how to go on
            by_reference = ReferenceSteps(self.engine.program, next(iter(inputs.values())).shape[1], self.strict, None)
            return by_reference.advance(inputs, steps, spikes, states, length)

    def state(self) -> RunState:
        raise InputError("engine dense", "run", relation="cannot be cut", do="use engine='events'")


def _flat(ran: events.Ran) -> Kept:
    """`(steps, B, *shape)` to `(steps, B, n)`."""
    flat: dict[str, NDArray[Any]] = {name: x.reshape(*x.shape[:2], -1) for name, x in ran.sent.items()}
    keep = {n: {k: x.reshape(flat[n].shape) for k, x in values.items()} for n, values in ran.states.items()}
    return keep, flat


Steps = ReferenceSteps | EventSteps | DenseSteps
_STEPS: dict[str, type[ReferenceSteps] | type[EventSteps] | type[DenseSteps]] = {
    "reference": ReferenceSteps,
    "events": EventSteps,
    "dense": DenseSteps,
}


def start_run(
    program: Program,
    inputs: Mapping[str, Ints],
    engine: Engine,
    profile: Profile | None,
    state: RunState | None,
    whole: bool,
) -> Steps:
    """A run on the engine that is named, or that made `state`, ready for its first step.

    Args:
        inputs: Their batch is the run's.
        whole: Whether the run is not to be cut.

    Raises:
        InputError: no such engine, one that cannot run this Program, or a state of another Program, batch or engine.
    """
    if profile not in (None, "strict", "lava"):
        raise InputError("profile", "name", got=profile, relation="is not one of", limit="strict, lava")
    chosen = pick_engine(program, state.engine if state is not None and engine == "auto" else engine)
    if state is not None and state.engine != chosen:
        raise InputError("state", "engine", got=state.engine, relation="is not", limit=chosen)
    if chosen == "dense" and not whole:
        raise InputError("engine dense", "run", relation="cannot be cut", do="use engine='events'")
    batch = next(iter(inputs.values())).shape[1]
    return _STEPS[chosen](program, batch, (profile or program.profile) == "strict", state)


def check_inputs(program: Program, spikes: Arrays) -> dict[str, NDArray[Any]]:
    """`{input: (T, B, n)}`, or InputError that names the input and what was expected.

    Spikes are uint8, everything else is int64; nothing is copied that is so already.
    """
    if not isinstance(spikes, Mapping):
        if len(program.inputs) != 1:
            names = ", ".join(i.name for i in program.inputs)
            raise InputError("input", "one array for several inputs", do=f"give one array for each of {names}")
        spikes = {program.inputs[0].name: spikes}
    expected = {i.name for i in program.inputs}
    if set(spikes) != expected:
        raise InputError(
            "input", "names", got=", ".join(sorted(spikes)), relation="are not", limit=", ".join(sorted(expected))
        )
    checked = {i.name: _check_input(i, spikes[i.name]) for i in program.inputs}
    if len({x.shape[:2] for x in checked.values()}) != 1:
        got = {name: x.shape[:2] for name, x in checked.items()}
        raise InputError("input", "steps and batch", got=got, relation="differ between inputs")
    return checked


def _check_input(entry: Input, x: NDArray[np.integer]) -> NDArray[Any]:
    want = f"(T, B, {', '.join(map(str, entry.shape))})"
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "iub":
        got = getattr(x, "dtype", type(x).__name__)
        raise InputError(
            f"input {entry.name}",
            "type",
            got=got,
            relation="is not",
            limit="an integer array",
            do="round it to integers first",
        )
    if x.ndim != len(entry.shape) + 2 or x.shape[2:] != entry.shape or 0 in x.shape:
        raise InputError(f"input {entry.name}", "shape", got=x.shape, relation="is not", limit=want)
    if x.min() < entry.low or x.max() > entry.high:
        worst = x.min() if x.min() < entry.low else x.max()
        raise InputError(
            f"input {entry.name}", "value", got=int(worst), relation="is not in", limit=f"[{entry.low}, {entry.high}]"
        )
    dtype = np.uint8 if entry.kind == "spike" else np.int64
    return x.reshape(*x.shape[:2], -1).astype(dtype, copy=False)


def _result(
    program: Program,
    keep: Mapping[str, Mapping[str, Ints]],
    sent: Mapping[str, Ints],
    before: int,
    state: RunState | None,
) -> Result:
    output = program.outputs[0]
    spikes = sent[output.source][max(0, program.latency - before) :]
    traces = {}
    for name, states in keep.items():
        shape = program.shape_of(name)
        traces[name] = Trace(
            {k: x.reshape(*x.shape[:2], *shape) for k, x in states.items()},
            sent[name].reshape(*sent[name].shape[:2], *shape),
        )
    return Result(
        spikes=spikes.reshape(*spikes.shape[:2], *program.shape_of(output.source)),
        latency=program.latency,
        traces=traces,
        sent=sent,
        before=before,
        state=state,
    )
