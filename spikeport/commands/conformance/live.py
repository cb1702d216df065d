"""Parts of `spikeport conformance` that run now: Lava on random Programs, and our engines against the reference."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from spikeport.commands.conformance.lava import Conformance, compare_random_programs
from spikeport.commands.conformance.published import published
from spikeport.commands.conformance.recordings import RELEASE, fetched_wheel
from spikeport.commands.conformance.row import Row, Setup
from spikeport.deploy.lava import Mode
from spikeport.deploy.lava_env import LavaEnv, find_lava, prepare
from spikeport.errors import FileError, InputError, WorkerError
from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.progress import counted
from spikeport.sim import simulate
from spikeport.sim.compare import compare
from spikeport.sim.random_programs import KINDS, random_program
from spikeport.sim.simulate import ENGINES, Engine, pick_engine

LAVA_PROGRAMS, LAVA_VALUES = 200, 10_000_000
"""At least so many."""
RUNTIME_PROGRAMS = 16
ENGINE_PROGRAMS = 600
QUICK_PROGRAMS, QUICK_RUNTIME, QUICK_ENGINE = 20, 2, 60
MORE = 20


def recordings(setup: Setup) -> Iterator[Row]:
    """What was published, if it can be fetched."""
    if setup.wheel is None:
        try:
            fetched_wheel()
        except FileError as error:
            yield Row("published recordings", RELEASE, 0, 0, missing=str(error))
            return
    yield from published(setup)


def lava_models(setup: Setup) -> Iterator[Row]:
    """Random Programs of every node type on Lava's model classes, a row for each kind of neuron."""
    env = _lava()
    if isinstance(env, str):
        yield Row("random Programs", "Lava's models", 0, 0, missing=env)
        return
    if setup.quick:
        found = [_lava_run(setup, env, QUICK_PROGRAMS, 1, "models", steps=12, batch=2)]
    else:
        found = [_lava_run(setup, env, LAVA_PROGRAMS, 0, "models", steps=50, batch=3)]
        while (done := sum(f.values for f in found)) < LAVA_VALUES and done:
            first = sum(f.programs for f in found)
            found.append(_lava_run(setup, env, MORE, first, "models", steps=50, batch=3))
    yield from _by_neuron(found, "models")


def lava_runtime(setup: Setup) -> Iterator[Row]:
    """Whole runs through Lava's runtime: every spike, and the state after the last step."""
    env = _lava()
    if isinstance(env, str):
        yield Row("random Programs", "Lava's runtime", 0, 0, missing=env)
        return
    count = QUICK_RUNTIME if setup.quick else RUNTIME_PROGRAMS
    yield from _by_neuron([_lava_run(setup, env, count, 1, "runtime", steps=8, batch=1)], "runtime")


def engines(setup: Setup) -> Iterator[Row]:
    """The fast engines on every random Program that they can run."""
    count = QUICK_ENGINE if setup.quick else ENGINE_PROGRAMS
    fast = [engine for engine in ENGINES if engine not in ("auto", "reference")]
    values, differing, programs, firsts = Counter[str](), Counter[str](), Counter[str](), dict[str, str]()
    setup.tell("engines")
    for seed in counted(range(count), "engines", "Programs"):
        program, inputs = _drawn(seed)
        names = [g.name for g in program.groups]
        able = [e for e in fast if _can(program, e)]
        if not able:
            continue
        want = simulate(program, inputs, record=names, profile="lava", engine="reference").traces
        for engine in able:
            found = compare(simulate(program, inputs, record=names, profile="lava", engine=engine).traces, want)
            values[engine] += found.values
            differing[engine] += found.differing
            programs[engine] += 1
            if found.first is not None:
                firsts.setdefault(engine, f"seed {seed}: {found.first} ({engine}, reference)")
    for engine in fast:
        what, against = f"random Programs: {engine}", "reference"
        if not programs[engine]:
            why = "torch is not installed" if engine == "dense" and not _torch() else "no Program that it can run"
            yield Row(what, against, 0, 0, missing=why)
        else:
            able_count, rest = programs[engine], count - programs[engine]
            detail = f"{engine} engine: {able_count:,} random Programs; {rest:,} others it cannot run"
            detail = "; ".join([detail, *([firsts[engine]] if engine in firsts else [])])
            yield Row(what, against, values[engine], differing[engine], detail=detail)


def _drawn(seed: int) -> tuple[Program, dict[str, Ints]]:
    """In turn plain LIF without payloads, one kind of neuron, and any; the last two with payloads or without."""
    rng = np.random.default_rng(seed)
    kinds = (["lif"], [list(KINDS)[seed // 3 % len(KINDS)]], list(KINDS))[seed % 3]
    program, inputs = random_program(
        rng, steps=50, batch=3, kinds=kinds, graded=seed % 3 > 0 and bool(rng.random() < 0.7)
    )
    return program, inputs


def _can(program: Program, engine: Engine) -> bool:
    if engine == "dense" and not _torch():
        return False
    try:
        return pick_engine(program, engine) == engine
    except InputError:
        return False


def _torch() -> bool:
    return find_spec("torch") is not None


def _lava() -> LavaEnv | str:
    """Where Lava runs, or why it does not."""
    try:
        env = find_lava()
        prepare(env)
    except WorkerError as error:
        return str(error)
    return env


def _lava_run(setup: Setup, env: LavaEnv, count: int, seed: int, mode: Mode, *, steps: int, batch: int) -> Conformance:
    setup.tell(f"Lava's {mode}: {count} random Programs")
    return compare_random_programs(
        count,
        seed,
        mode,
        lambda done, of: setup.tell(f"Lava's {mode}: {done} of {of} random Programs"),
        steps=steps,
        batch=batch,
        env=env,
    )


def _by_neuron(found: list[Conformance], mode: Mode) -> Iterator[Row]:
    values, differing, connections = Counter[str](), Counter[str](), Counter[str]()
    for each in found:
        values.update(each.by_neuron)
        differing.update(each.differing_by_neuron)
        connections.update(each.by_connection)
    rows = [Row(f"random Programs: {kind}", f"Lava's {mode}", n, differing[kind]) for kind, n in sorted(values.items())]
    programs, version = sum(each.programs for each in found), f"Lava {found[-1].lava['lava-nc']}"
    fed = ", ".join(f"{name} {n}" for name, n in sorted(connections.items()))
    detail = "; ".join(
        [f"{version}, {mode}: {programs:,} random Programs; connections: {fed}", *(f.first for f in found if f.first)]
    )
    yield from rows[:-1]
    yield replace(rows[-1], detail=detail)
