"""`spikeport run` and `spikeport verify`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.running.on_chip import OnChip, dry_run, run_on_chip
from spikeport.commands.samples import Samples, check_file_writable, is_hdf5, read_samples, write_result
from spikeport.deploy.lava import LavaRun, Mode, run_lava
from spikeport.errors import BackendUnsuited, OptionMisused, PartMissing, UnknownName
from spikeport.profiles import Profile
from spikeport.program import Program, Reads
from spikeport.program_file import load_program
from spikeport.sim import Recorded, Result, load_state, save_state, simulate
from spikeport.sim import record as record_to
from spikeport.sim.compare import Comparison, compare
from spikeport.sim.decide import Decide
from spikeport.sim.record import output_keys, recorded_bytes, tallies_of
from spikeport.sim.result import count_cleared, read_outputs
from spikeport.sim.saved import RunState
from spikeport.sim.simulate import check_inputs

BACKENDS = ("sim", "lava", "loihi")
RECORD_LIMIT_BYTES = 256 * 2**20
"""Of recorded values, beyond which they are streamed."""


def run(
    path: Path,
    input_path: Path,
    output: Path,
    backend: str,
    record: Sequence[str],
    accuracy: bool,
    profile: Profile | None,
    state_in: Path | None = None,
    state_out: Path | None = None,
    how: Decide = "mean",
    on_chip: OnChip | None = None,
) -> Answer:
    """Runs a Program on an input file and writes its outputs, and what was to be recorded."""
    on_chip = on_chip or OnChip()
    program = load_program(path)
    samples = read_samples(input_path, program)
    if accuracy:
        samples.need_labels()
        _need_classes(path, program)
    groups = recorded_groups(program, record)
    output_keys(program, groups)
    if backend not in BACKENDS:
        raise UnknownName("backend", "name", got=backend, relation="is not one of", limit=", ".join(BACKENDS))
    if backend != "sim" and (state_in or state_out):
        raise BackendUnsuited(f"backend {backend}", "run", relation="cannot be cut", do="use --backend sim")
    if backend == "loihi":
        return _on_chip(path, program, samples, groups, output, on_chip, profile, how)
    if on_chip.dry_run or on_chip.power:
        raise OptionMisused(f"backend {backend}", "--dry-run and --power", relation="are for", limit="--backend loihi")
    for written in (output, state_out):
        if written is not None:
            check_file_writable(written)
    state = None if state_in is None else load_state(state_in, program)
    say_if_cleared_midway(program, len(next(iter(samples.inputs.values()))))
    if backend == "lava":
        wanted = program if profile is None else replace(program, profile=profile)
        done = _written(output, program, lava_result(wanted, samples, groups))
    else:
        done = _simulated(program, samples, groups, output, profile, state, flush=state_out is None)
    if state_out is not None and done.state is not None:
        save_state(done.state, state_out)
    return _ran(program, samples, done, backend, state_out, how)


def _on_chip(
    path: Path,
    program: Program,
    samples: Samples,
    groups: Sequence[str],
    output: Path,
    asked: OnChip,
    profile: Profile | None,
    how: Decide,
) -> Answer:
    if profile == "loihi1" or program.profile == "loihi1":
        raise BackendUnsuited(
            "backend loihi", "profile", got="loihi1", relation="is not the arithmetic of", limit="Loihi 2"
        )
    if asked.dry_run:
        return dry_run(path, program, samples, groups, asked.power)
    return run_on_chip(path, program, samples, groups, output, asked, how)


def _need_classes(path: Path, program: Program) -> None:
    if not any(output.classes for output in program.outputs):
        do = "compile with --classes N"
        raise PartMissing(str(path), "classes of the output", got=0, relation="is not above", limit=0, do=do)


def _simulated(
    program: Program,
    samples: Samples,
    groups: Sequence[str],
    output: Path,
    profile: Profile | None,
    state: RunState | None,
    flush: bool,
) -> Recorded:
    """In memory, or streamed to HDF5 where that was asked for or there is much to record."""
    inputs = dict(samples.inputs)
    large = _recorded_bytes(program, samples, groups) > RECORD_LIMIT_BYTES
    if not is_hdf5(output) and not large:
        result = simulate(program, inputs, record=groups, profile=profile, state=state, flush=flush)
        return _written(output, program, result)
    if not is_hdf5(output):
        output = output.with_suffix(".h5")
        check_file_writable(output)
        say(f"more than {RECORD_LIMIT_BYTES >> 20} MiB to record: they go to {output}, as HDF5")
    return record_to(program, inputs, groups, output, profile=profile, state=state, flush=flush)


def _ran(
    program: Program, samples: Samples, done: Recorded, backend: str, state_out: Path | None, how: Decide
) -> Answer:
    """What was written, and the accuracy where there are labels and an output with classes: the first such."""
    data: dict[str, Any] = {
        "output": str(done.path),
        "backend": backend,
        "steps": done.steps,
        "samples": done.batch,
        "spikes": done.n_spikes,
        "latency": done.latency,
    }
    first = program.outputs[0]
    what = f"v of {first.source}" if first.reads == "v" else f"{done.n_spikes:,} output spikes"
    title = f"{done.batch:,} samples of {done.steps} steps on {backend}: {what}"
    notes = [f"{done.path} written"]
    if state_out is not None:
        data["state"] = str(state_out)
        notes.append(f"{state_out} written: the next part starts with --state-in {state_out}")
    if done.cleared:
        data["cleared"] = done.cleared
        notes.append(f"warning: spikes cleared a v that is read {done.cleared:,} times; 'strict' refuses such a run")
    voting = next((output for output in program.outputs if output.classes), None)
    if samples.labels is not None and voting is not None and done.steps:
        correct = int((done.tallies[voting.name].winners(how) == samples.labels).sum())
        data |= {"decide": how, "correct": correct, "accuracy": correct / done.batch}
        notes.append(f"accuracy {correct / done.batch:.2%} ({correct:,} of {done.batch:,}){_by(how, voting.reads)}")
    return Answer(data, title, notes=notes)


def _by(how: Decide, reads: Reads) -> str:
    """The mean of spikes is their number, and needs no word."""
    if (how, reads) == ("mean", "s"):
        return ""
    return f" by {reads} at the last step" if how == "last" else f" by the {how} of {reads}"


def _written(output: Path, program: Program, result: Result) -> Recorded:
    """Writes a result that is in memory."""
    write_result(output, program, result)
    steps, batch = result.spikes.shape[:2]
    return Recorded(
        path=output,
        steps=steps,
        batch=batch,
        n_spikes=int(np.count_nonzero(result.spikes)),
        counts=result.counts(),
        latency=result.latency,
        tallies=tallies_of(program, result.outputs),
        cleared=count_cleared(program, result.sent, max(0, program.latency - result.before)),
        state=result.state,
    )


def _recorded_bytes(program: Program, samples: Samples, groups: Sequence[str]) -> int:
    """0 for what is no array `(T, B, ...)`, which the run will refuse."""
    shape = next(iter(samples.inputs.values())).shape
    if len(shape) < 2:
        return 0
    return (shape[0] + program.latency) * recorded_bytes([program.group(name) for name in groups], shape[1])


def say_if_cleared_midway(program: Program, steps: int) -> None:
    """One line where the input is longer than a sample that the Program was compiled for."""
    intervals = [g.reset_interval for g in program.groups if 0 < g.reset_interval < steps]
    if intervals:
        do = f"for samples of {steps} steps compile with --steps {steps}"
        say(f"note: {steps} steps, but the state is cleared every {min(intervals)}; {do}")


def recorded_groups(program: Program, record: Sequence[str]) -> list[str]:
    """`all`, or names of groups; each is recorded with its state and spikes."""
    known = [g.name for g in program.groups]
    unknown = sorted(set(record) - {*known, "all"})
    if unknown:
        raise UnknownName("record", "group", got=", ".join(unknown), relation="is not one of", limit=", ".join(known))
    return known if "all" in record else list(record)


def lava_result(program: Program, samples: Samples, record: Sequence[str]) -> Result:
    """The run on Lava's models, in the form of a simulation."""
    inputs = check_inputs(program, dict(samples.inputs))
    ran = run_lava(program, {name: _shaped(program, name, x) for name, x in inputs.items()})
    output = program.outputs[0].source
    sent = {name: trace.s.reshape(*trace.s.shape[:2], -1) for name, trace in ran.traces.items()}
    traces = {name: trace for name, trace in ran.traces.items() if name in record}
    spikes = ran.traces[output].s[program.latency :]
    v = {name: ran.traces[name].v for name in program.read_v}
    outputs = read_outputs(program, sent, v, program.latency)
    return Result(spikes=spikes, latency=program.latency, traces=traces, sent=sent, outputs=outputs)


def verify(path: Path, input_path: Path, count: int, mode: Mode, timeout_s: float) -> Answer:
    """Simulator against Lava: state and spikes of every neuron at every step; exit 1 if one differs."""
    program = load_program(path)
    samples = read_samples(input_path, program).first(count)
    ran, comparison = compare_with_lava(program, dict(samples.inputs), mode, timeout_s)
    variables = list(dict.fromkeys(name for g in comparison.groups for name in g.by_variable if name != "s")) + ["s"]
    rows = [
        (g.group, f"{g.values:,}", *(str(g.by_variable.get(name, "–")) for name in variables))
        for g in comparison.groups
    ]
    notes = [f"Lava: {comparison.differing:,} of {comparison.values:,} values differ", ran.describe()]
    if comparison.first is not None:
        notes.append(f"first difference: {comparison.first} (simulator, Lava)")
    if program.profile == "loihi1":
        notes.append(_apart(program, samples, ran))
    data = {
        "program": str(path),
        "samples": int(next(iter(samples.inputs.values())).shape[1]),
        "mode": mode,
        "values": comparison.values,
        "differing": comparison.differing,
        "first": None if comparison.first is None else str(comparison.first),
        "lava": dict(ran.versions),
        "seconds": ran.wall_s,
    }
    columns = ("group", "values", *(f"{name} differ" for name in variables[:-1]), "spikes differ")
    return Answer(
        data, f"{path}: simulator against Lava ({mode})", columns, rows, notes, exit_code=int(not comparison.equal)
    )


def _apart(program: Program, samples: Samples, ran: LavaRun) -> str:
    """How far the Program's own profile is from Lava on these samples."""
    inputs = check_inputs(program, dict(samples.inputs))
    shaped = {name: _shaped(program, name, x) for name, x in inputs.items()}
    own = compare(simulate(program, shaped, record=[g.name for g in program.groups]).traces, ran.traces)
    return f"under its own profile, {program.profile}, {own.differing:,} of {own.values:,} values are not Lava's"


def compare_with_lava(
    program: Program, inputs: dict[str, np.ndarray], mode: Mode, timeout_s: float
) -> tuple[LavaRun, Comparison]:
    """Runs both on the same samples. The simulator uses Lava's arithmetic, overflow included, whatever the profile."""
    program = replace(program, profile="lava")
    checked = check_inputs(program, inputs)
    shaped = {name: _shaped(program, name, x) for name, x in checked.items()}
    say("starting Lava; the first time, its environment is installed")
    ran = run_lava(program, shaped, mode=mode, timeout_s=timeout_s)
    result = simulate(program, shaped, record=[g.name for g in program.groups], profile="lava")
    return ran, compare(result.traces, ran.traces)


def _shaped(program: Program, name: str, x: np.ndarray) -> np.ndarray:
    return x.reshape(*x.shape[:2], *program.shape_of(name))
