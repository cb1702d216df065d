"""`spikeport run --backend loihi`, and its dry run: what a chip would be given."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spikeport.commands.answer import Answer, Table
from spikeport.commands.bars import say
from spikeport.commands.running.board_runs import read_board_run
from spikeport.commands.samples import Samples, check_file_writable, is_hdf5
from spikeport.deploy.loihi import dry_run as try_dry
from spikeport.deploy.loihi import run_loihi
from spikeport.deploy.loihi_machine import chip_env
from spikeport.deploy.rules import check
from spikeport.program import Program
from spikeport.sim.board_run import BoardRun, in_simulator_terms, save_board_run
from spikeport.sim.decide import Decide, tally
from spikeport.sim.simulate import check_inputs

DRY_RUN_SCHEMA = "spikeport-dry-run/1"
COLUMNS = ("process", "kind", "shape", "model here", "tags", "seen on a Loihi 2 in public code")
UNKNOWN = "nowhere"


@dataclass(frozen=True)
class OnChip:
    """What `--backend loihi` is told."""

    dry_run: bool = False
    power: bool = False
    timeout_s: float = 3600.0
    wait_s: float = 600.0
    """Until the board answers."""


def run_on_chip(
    path: Path,
    program: Program,
    samples: Samples,
    record: Sequence[str],
    output: Path,
    asked: OnChip,
    how: Decide,
) -> Answer:
    """Runs on the board and writes what came of it as a board run."""
    env = chip_env()
    if not is_hdf5(output):
        output = output.with_suffix(".h5")
        say(f"a board's run goes to {output}, as HDF5")
    check_file_writable(output)
    check_fits(path, program)
    say("starting the board; each sample is a run of its own")
    with tempfile.TemporaryDirectory(prefix="spikeport-loihi-") as folder:
        worked = Path(folder) / "worker.h5"
        inputs = shaped(program, samples)
        run_loihi(
            _plain(program),
            inputs,
            record,
            worked,
            power=asked.power,
            timeout_s=asked.timeout_s,
            wait_s=asked.wait_s,
            env=env,
        )
        run = read_board_run(worked, program)
    save_board_run(output, program, run)
    return _ran(program, samples, run, output, how)


def shaped(program: Program, samples: Samples) -> dict[str, Any]:
    inputs = check_inputs(program, dict(samples.inputs))
    return {name: x.reshape(*x.shape[:2], *program.shape_of(name)) for name, x in inputs.items()}


def _plain(program: Program) -> Program:
    """A chip has the one arithmetic that Lava's models have."""
    return replace(program, profile="lava")


def _ran(program: Program, samples: Samples, run: BoardRun, output: Path, how: Decide) -> Answer:
    first = program.outputs[0].source
    spikes = run.recorded[first].get("s", np.zeros(0))
    steps = len(next(iter(run.recorded[first].values()))) - program.latency
    data = {
        "output": str(output),
        "backend": "loihi",
        "steps": steps,
        "samples": run.batch,
        "spikes": int(np.count_nonzero(spikes[program.latency :])),
        "latency": program.latency,
        "board": run.facts.get("board"),
        "offsets": run.facts.get("offsets"),
    }
    decided = _decided(program, samples, run, how)
    data |= decided
    title = f"{run.batch:,} samples of {steps} steps on a Loihi 2: {data['spikes']:,} output spikes"
    found = run.facts.get("offsets") or {}
    offsets = ", ".join(f"{name} {found[name]}" for name in ("input", "output", "probe") if name in found)
    notes = [f"{output} written", f"board: {run.board}", f"taken off, in steps: {offsets}"]
    if decided:
        notes.append(f"accuracy {decided['accuracy']:.2%} ({decided['correct']:,} of {run.batch:,})")
    return Answer(data, title, notes=[*notes, f"compare: spikeport verify NET.h5 --input X.npz --run {output}"])


def _decided(program: Program, samples: Samples, run: BoardRun, how: Decide) -> dict[str, Any]:
    """Where there are labels and an output with classes: how many samples the first such output names right."""
    voting = next((output for output in program.outputs if output.classes), None)
    if samples.labels is None or voting is None:
        return {}
    of_group = in_simulator_terms({voting.source: run.recorded[voting.source]}, {})[0][voting.source]
    winners = tally(of_group[voting.reads][program.latency :], voting.classes).winners(how)
    correct = int((winners == samples.labels).sum())
    return {"decide": how, "correct": correct, "accuracy": correct / run.batch}


def check_fits(path: Path, program: Program) -> None:
    """Raises RuleError if the Program breaks a design rule of a Loihi 2."""
    from spikeport.commands.compiling.compile import does_not_fit  # which takes long to import

    if broken := check(program, "loihi2"):
        raise does_not_fit(str(path), "loihi2", broken)


def dry_run(path: Path, program: Program, samples: Samples, record: Sequence[str], power: bool) -> Answer:
    """Builds what the chip would be given, with stand-ins for what is not public; nothing runs."""
    check_fits(path, program)
    first = samples.first(1)
    report = try_dry(_plain(program), shaped(program, first), record, power=power)
    rows = [
        (p["name"], p["kind"], _shape(p["shape"]), p["model"], ", ".join(p["tags"]), p["on_chip"] or UNKNOWN)
        for p in report["processes"]
    ]
    notes = [f"{report['steps']} steps, {report['latency']} of them latency of the Program, for one sample"]
    notes.append(_parts(report))
    if unseen := sorted({p["kind"] for p in report["processes"] if p["on_chip"] is None}):
        notes.append(f"no public code runs {', '.join(unseen)} on a Loihi 2: lava-loihi may have no model of it")
    notes.append("built, connected and compiled by Lava, with stand-ins for lava-loihi; nothing ran")
    data = {"schema": DRY_RUN_SCHEMA, "program": str(path), **report}
    return Answer(data, f"{path}: dry run for a Loihi 2", COLUMNS, rows, notes, tables=_tables(report))


def _parts(report: Mapping[str, Any]) -> str:
    if report["segments"] == 1:
        return "one run of the board; adapters lag as the pilot run measures, 0 steps in lava-dl's own tests"
    return (
        f"{report['segments']} runs of the board for one sample: the host loads new biases between them, which is slow"
    )


def _tables(report: Mapping[str, Any]) -> list[Table]:
    adapters = [(a["name"], a["kind"], str(a["message_bits"]), _shape(a["shape"])) for a in report["adapters"]]
    host = [(h["name"], h["kind"]) for h in report["host"]]
    probes = [("StateProbe", name) for name in report["probes"]] + [("profiler", name) for name in report["profilers"]]
    tables = [
        Table("adapters between Python and cores", ("of", "kind", "message bits", "shape"), adapters),
        Table("on the host", ("process", "kind"), host),
        Table("callbacks", ("kind", "of"), probes),
    ]
    return [table for table in tables if table.rows]


def _shape(shape: Sequence[int]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"
