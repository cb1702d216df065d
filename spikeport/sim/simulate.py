"""`simulate`: arrays in, Result out; checks the input and picks the engine."""

from collections.abc import Collection, Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import (
    ArraysDiffer,
    BackendUnsuited,
    StateMismatch,
    UnknownName,
    ValueOutside,
    WrongShape,
    WrongType,
)
from spikeport.fixed import Ints
from spikeport.profiles import Profile, check_profile_name
from spikeport.program import Input, Program
from spikeport.progress import working
from spikeport.sim.result import Result, read_outputs, traces_of
from spikeport.sim.saved import RunState
from spikeport.sim.steps import DenseSteps, EventSteps, Kept, ReferenceSteps

LOOK = 1 << 24
"""Neurons times samples times steps that run between two looks at what comes from outside: progress, Ctrl-C."""
Engine = Literal["auto", "reference", "events", "dense"]
ENGINES = get_args(Engine)
Steps = ReferenceSteps | EventSteps | DenseSteps
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
        profile: Arithmetic profile, as `profiles` has them; the Program's own if None.
        engine: `events` walks spikes or, where they are many, the windows that they fill; `dense` multiplies, on a
            GPU if there is one (plain LIF only; it needs torch); `reference` is the specification. All give the same
            values. `auto` takes `events`, on a CPU the quickest at any activity, or the one that made `state`. `dense`
            and `reference` go on with each other's states.
        state: `Result.state` of the part before; it stays as it is.
        flush: Whether `latency` steps follow the input's, so that its last spikes come out. If not, `Result.state`
            is where the next part goes on.

    Returns:
        Output spikes `(T, B, *shape)`, lined up with the input, and what was recorded.

    Raises:
        InputError: wrong shape, type or range, an unknown group in `record`, or a state of another Program or batch.
        ProgramError: the profile `loihi1`, and neurons or spikes that a Loihi 1 does not have.
        OverflowDetected: under the profile `strict`.
    """
    inputs = check_inputs(program, spikes)
    check_groups(program, record)
    batch = next(iter(inputs.values())).shape[1]
    run = start_run(program, batch, engine, profile, state)
    before = 0 if state is None else state.t
    length = len(next(iter(inputs.values())))
    steps = length + (program.latency if flush else 0)
    states = {*record, *program.read_v}
    keep, sent = _advanced(run, program, inputs, steps, states, before + length)
    for name, x in inputs.items():
        sent[name] = np.zeros((steps, *x.shape[1:]), x.dtype)
        sent[name][: len(x)] = x
    return _result(program, record, keep, sent, before, None if flush else run.state())


def _advanced(
    run: Steps, program: Program, inputs: Mapping[str, Ints], steps: int, states: Collection[str], length: int
) -> Kept:
    """All steps of the run, in as many parts as there are looks; what all groups send, and these states."""
    names = [g.name for g in program.groups]
    batch = next(iter(inputs.values())).shape[1]
    part = max(1, LOOK // max(1, batch * sum(g.size for g in program.groups)))
    if part >= steps:
        return run.advance(inputs, steps, names, states, length)
    keep: dict[str, dict[str, NDArray[Any]]] = {name: {} for name in states}
    sent: dict[str, NDArray[Any]] = {}
    with working("simulating", steps, "steps") as task:
        for a in range(0, steps, part):
            b = min(a + part, steps)
            now = {name: x[a:b] for name, x in inputs.items()}
            kept_now, sent_now = run.advance(now, b - a, names, states, length)
            _put(sent, sent_now, a, b, steps)
            for name, values in kept_now.items():
                _put(keep[name], values, a, b, steps)
            task.advance(b - a)
    return keep, sent


def _put(whole: dict[str, NDArray[Any]], part: Mapping[str, NDArray[Any]], a: int, b: int, steps: int) -> None:
    for key, x in part.items():
        if key not in whole:
            whole[key] = np.empty((steps, *x.shape[1:]), x.dtype)
        whole[key][a:b] = x


def check_groups(program: Program, record: Collection[str]) -> None:
    """Raises InputError if a group is unknown."""
    if isinstance(record, str | bool):  # a text is a collection, of letters
        do = "give a list: record=[group.name for group in program.groups] keeps all"
        raise WrongType("record", "groups", got=repr(record), relation="are not", limit="a list of names", do=do)
    if unknown := set(record) - {g.name for g in program.groups}:
        known = ", ".join(g.name for g in program.groups)
        raise UnknownName("record", "group", got=", ".join(sorted(unknown)), relation="is not one of", limit=known)


def pick_engine(program: Program, engine: Engine) -> Engine:
    """The engine that will run: the named one, or for `auto` the quickest.

    Raises:
        InputError: no such engine, or one that cannot run this Program.
    """
    if engine not in ENGINES:
        raise UnknownName("engine", "name", got=engine, relation="is not one of", limit=", ".join(ENGINES))
    if engine == "dense":
        from spikeport.sim.engine import dense

        if not dense.supports(program):
            do = "use engine='events'"
            raise BackendUnsuited("engine dense", "neurons or spikes", relation="are not", limit="plain LIF", do=do)
    return "events" if engine == "auto" else engine


_STEPS: dict[str, type[ReferenceSteps] | type[EventSteps] | type[DenseSteps]] = {
    "reference": ReferenceSteps,
    "events": EventSteps,
    "dense": DenseSteps,
}


def start_run(
    program: Program,
    batch: int,
    engine: Engine,
    profile: Profile | None,
    state: RunState | None,
) -> Steps:
    """A run on the engine that is named, or that made `state`, ready for its first step.

    Raises:
        InputError: no such engine or profile, one that cannot run this Program, or a state of another Program, batch
            or engine.
        ProgramError: the Program has what the profile has no arithmetic for.
    """
    chosen_profile = profile or program.profile
    check_profile_name(chosen_profile)
    program.check_profile(chosen_profile)
    chosen = pick_engine(program, state.engine if state is not None and engine == "auto" else engine)
    kept_as = "reference" if chosen == "dense" else chosen
    if state is not None and state.engine != kept_as:
        raise StateMismatch("state", "engine", got=state.engine, relation="is not", limit=kept_as)
    if chosen == "dense" and chosen_profile == "loihi1":
        do = "use engine='events'"
        raise BackendUnsuited(
            "engine dense", "profile", got="loihi1", relation="is not one of", limit="strict, lava", do=do
        )
    return _STEPS[chosen](program, batch, chosen_profile, state)


def check_inputs(program: Program, spikes: Arrays) -> dict[str, NDArray[Any]]:
    """`{input: (T, B, n)}`, or InputError that names the input and what was expected.

    Spikes are uint8, everything else is int64; nothing is copied that is so already.
    """
    if not isinstance(program, Program):
        do = "load_program(path) reads one, compile_graph(graph) makes one"
        raise WrongType("program", "type", got=type(program).__name__, relation="is not", limit="Program", do=do)
    if not isinstance(spikes, Mapping):
        if len(program.inputs) != 1:
            names = ", ".join(i.name for i in program.inputs)
            raise UnknownName("input", "one array for several inputs", do=f"give one array for each of {names}")
        spikes = {program.inputs[0].name: spikes}
    expected = {i.name for i in program.inputs}
    if set(spikes) != expected:
        raise UnknownName(
            "input", "names", got=", ".join(sorted(spikes)), relation="are not", limit=", ".join(sorted(expected))
        )
    return check_agreeing({i.name: check_input(i, spikes[i.name]) for i in program.inputs})


def check_agreeing(checked: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The inputs, or InputError if they differ in steps or batch."""
    if len({x.shape[:2] for x in checked.values()}) != 1:
        got = {name: x.shape[:2] for name, x in checked.items()}
        raise ArraysDiffer("input", "steps and batch", got=got, relation="differ between inputs")
    return checked


def check_input(entry: Input, x: NDArray[np.integer]) -> NDArray[Any]:
    """One input of `check_inputs`, `(T, B, n)`."""
    want = f"(T, B, {', '.join(map(str, entry.shape))})"
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "iub":
        of_numpy = isinstance(x, np.ndarray)
        got = (
            x.dtype if of_numpy else f"{type(x).__module__.split('.')[0]}.{type(x).__name__}".removeprefix("builtins.")
        )
        do = "round it to integers first" if of_numpy else "give integers of numpy: of a tensor x.numpy().astype(int)"
        limit = "an integer array"
        raise WrongType(f"input {entry.name}", "type", got=got, relation="is not", limit=limit, do=do)
    if x.ndim != len(entry.shape) + 2 or x.shape[2:] != entry.shape or 0 in x.shape:
        do = "give it a step and a sample at least" if 0 in x.shape[:2] else ""
        raise WrongShape(f"input {entry.name}", "shape", got=x.shape, relation="is not", limit=want, do=do)
    if x.min() < entry.low or x.max() > entry.high:
        worst = x.min() if x.min() < entry.low else x.max()
        raise ValueOutside(
            f"input {entry.name}", "value", got=int(worst), relation="is not in", limit=f"[{entry.low}, {entry.high}]"
        )
    dtype = np.uint8 if entry.kind == "spike" else np.int64
    return x.reshape(*x.shape[:2], -1).astype(dtype, copy=False)


def _result(
    program: Program,
    record: Collection[str],
    keep: Mapping[str, Mapping[str, Ints]],
    sent: Mapping[str, Ints],
    before: int,
    state: RunState | None,
) -> Result:
    output, skipped = program.outputs[0], max(0, program.latency - before)
    spikes = sent[output.source][skipped:]
    v = {name: keep[name]["v"] for name in program.read_v}
    return Result(
        spikes=spikes.reshape(*spikes.shape[:2], *program.shape_of(output.source)),
        latency=program.latency,
        traces=traces_of(program, [name for name in keep if name in record], keep, sent),
        sent=sent,
        before=before,
        outputs=read_outputs(program, sent, v, skipped),
        state=state,
    )
