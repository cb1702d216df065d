"""`simulate`: arrays in, Result out; checks the input and picks the engine."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import InputError
from spikeport.fixed import Ints
from spikeport.program import Input, Profile, Program
from spikeport.sim import reference
from spikeport.sim.engine import run as events
from spikeport.sim.result import Result, Trace
from spikeport.sim.rules import Values

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
) -> Result:
    """Runs a Program on a batch; each sample starts from the cleared state.

    Args:
        spikes: Integers `(T, B, *input shape)`; a mapping by name if there are several inputs.
        record: Names of the groups whose state and spikes are kept.
        profile: Arithmetic profile; the Program's own if None.
        engine: `events` walks spikes, `dense` multiplies (plain LIF only; it needs torch), `reference` is the
            specification; all give the same values. `auto` takes the quickest.

    Raises:
        InputError: wrong shape, type or range, or an unknown group in `record`.
        OverflowDetected: under the profile `strict`.
    """
    inputs = check_inputs(program, spikes)
    if profile not in (None, "strict", "lava"):
        raise InputError("profile", "name", got=profile, relation="is not one of", limit="strict, lava")
    unknown = set(record) - {g.name for g in program.groups}
    if unknown:
        known = ", ".join(g.name for g in program.groups)
        raise InputError("record", "group", got=", ".join(sorted(unknown)), relation="is not one of", limit=known)
    chosen = pick_engine(program, engine)
    steps = len(next(iter(inputs.values()))) + program.latency
    strict = (profile or program.profile) == "strict"
    keep, sent = _RUNNERS[chosen](program, inputs, steps, record, strict)
    for name, x in inputs.items():
        sent[name] = np.zeros((steps, *x.shape[1:]), x.dtype)
        sent[name][: len(x)] = x
    return _result(program, keep, sent)


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


def _by_reference(
    program: Program, inputs: Mapping[str, Ints], steps: int, record: Collection[str], strict: bool
) -> Kept:
    batch = next(iter(inputs.values())).shape[1]
    groups = {g.name: g for g in program.groups}
    keep: dict[str, dict[str, NDArray[Any]]] = {
        n: {k: np.zeros((steps, batch, groups[n].size), np.int32) for k in groups[n].variables} for n in record
    }
    sent: dict[str, NDArray[Any]] = {
        n: np.zeros((steps, batch, g.size), np.int32 if g.signed else np.uint8) for n, g in groups.items()
    }

    def observe(t: int, name: str, state: Values, s: Ints) -> None:
        sent[name][t - 1] = s
        for variable, kept in keep.get(name, {}).items():
            kept[t - 1] = state[variable]

    reference.run(program, inputs, steps, observe, "strict" if strict else "lava")
    return keep, sent


def _by_events(program: Program, inputs: Mapping[str, Ints], steps: int, record: Collection[str], strict: bool) -> Kept:
    engine = events.EventEngine(program)
    names = [g.name for g in program.groups]
    state = engine.start(next(iter(inputs.values())).shape[1])
    try:
        return _flat(engine.run(state, inputs, steps, strict=strict, spikes=names, states=record))
    except events.LeftOutside:  # rare, and the specification knows how to go on
        return _by_reference(program, inputs, steps, record, strict)


def _by_dense(program: Program, inputs: Mapping[str, Ints], steps: int, record: Collection[str], strict: bool) -> Kept:
    from spikeport.sim.engine.dense import DenseEngine

    names = [g.name for g in program.groups]
    try:
        return _flat(DenseEngine(program).run(inputs, steps, strict=strict, spikes=names, states=record))
    except events.LeftOutside:
        return _by_reference(program, inputs, steps, record, strict)


def _flat(ran: events.Ran) -> Kept:
    """`(steps, B, *shape)` to `(steps, B, n)`."""
    flat: dict[str, NDArray[Any]] = {name: x.reshape(*x.shape[:2], -1) for name, x in ran.sent.items()}
    keep = {n: {k: x.reshape(flat[n].shape) for k, x in values.items()} for n, values in ran.states.items()}
    return keep, flat


_RUNNERS: dict[str, Callable[[Program, Mapping[str, Ints], int, Collection[str], bool], Kept]] = {
    "reference": _by_reference,
    "events": _by_events,
    "dense": _by_dense,
}


def check_inputs(program: Program, spikes: Arrays) -> dict[str, Ints]:
    """`{input: (T, B, n)}` as int64, or InputError that names the input and what was expected."""
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


def _check_input(entry: Input, x: NDArray[np.integer]) -> Ints:
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
    return x.reshape(*x.shape[:2], -1).astype(np.int64)


def _result(program: Program, keep: Mapping[str, Mapping[str, Ints]], sent: Mapping[str, Ints]) -> Result:
    output = program.outputs[0]
    spikes = sent[output.source][program.latency :]
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
    )
