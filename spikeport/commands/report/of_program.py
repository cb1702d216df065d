"""What there is to know of a Program file, its samples, and the graph that it comes from."""

import hashlib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spikeport.commands.bars import say
from spikeport.commands.compiling.gap import Gap, measure
from spikeport.commands.mapping.busiest import PROFILES
from spikeport.commands.mapping.design import Mapped, mapped
from spikeport.commands.mapping.records import Figures
from spikeport.commands.report.beside import beside_lava, beside_run
from spikeport.commands.report.blocks import Stage
from spikeport.commands.report.known import Compared, Known, number
from spikeport.commands.report.observed import Observed, observe
from spikeport.commands.samples import Samples, read_samples
from spikeport.deploy.calibration import Calibration
from spikeport.deploy.pipeline import Compiled, compiled
from spikeport.deploy.read import read_nir
from spikeport.errors import DeployError, OptionMisused
from spikeport.program import Program
from spikeport.program_file import load_program
from spikeport.progress import counted
from spikeport.sim.energy import Energy, estimate_energy
from spikeport.sim.saved import fingerprint

ARITHMETIC = ("cmos45-fp32", "cmos45-int8")
LAVA_SAMPLES = 20
TARGET = "loihi2"
"""What `spikeport compile` compiles for if nothing else is said."""
NAMED = 6
"""Layers in a warning."""


@dataclass(frozen=True)
class Asked:
    """What `spikeport report` is to do."""

    subject: Path
    output: Path
    input: Path | None = None
    run: Path | None = None
    nir: Path | None = None
    data: Path | None = None
    """Where a training run's data set lies."""
    samples: int = 100
    """As many are run at most; 0: all."""
    verify: bool = False

    @property
    def command(self) -> str:
        """That a reader of the page can repeat."""
        words: list[object] = ["spikeport", "report", self.subject]
        for name in ("input", "run", "nir", "data"):
            value = getattr(self, name)
            words += [f"--{name}", value] * (value is not None)
        words += ["--samples", self.samples] * (self.samples != Asked.samples) + ["--verify"] * self.verify
        return shlex.join(map(str, [*words, "-o", self.output]))


def of_program(asked: Asked) -> Known:
    """Of a Program file, and what was given with it.

    Raises:
        FileError, InputError: files that are no such files, or that do not belong together.
    """
    if asked.input is None and (asked.run is not None or asked.verify):
        limit = "the samples that ran, --input X.NPZ"
        raise OptionMisused("report", "--run and --verify", relation="need", limit=limit)
    program = load_program(asked.subject)
    samples = None if asked.input is None else read_samples(asked.input, program)
    found = mapped(program, program.chip)
    ran = None if samples is None else observe_first(found, samples, asked.samples)
    compared = list(_beside(asked, program, samples, ran))
    gap, why = (None, "") if asked.nir is None else gap_of(asked.nir, program, ran)
    known = known_of(found, ran, str(asked.subject), asked.subject.name)
    return replace(
        known,
        stages=[
            *_before(asked, program),
            Stage("compile", asked.subject.name, sha256_of(asked.subject)),
            *_after(asked, ran),
        ],
        gap=gap,
        no_gap=why,
        compared=compared,
        warnings=[*known.warnings, *_warnings(compared)],
        command=asked.command,
        commands=list(_commands(asked)),
    )


def known_of(found: Mapped, ran: Observed | None, subject: str, title: str) -> Known:
    """What follows from a Program, its mapping and a run alone."""
    program = found.program
    energies = [] if ran is None else priced(program, ran)
    warnings = [f"Does not fit {found.chip.name}: see Mapping to cores."] * bool(found.over)
    intervals = [group.reset_interval for group in program.groups if group.reset_interval]
    if ran is not None and intervals and min(intervals) < ran.steps:
        cleared = f"The samples have {number(ran.steps, 'step')}, but the state is cleared every {min(intervals):,}"
        warnings.append(f"{cleared}; compile with --steps {ran.steps}.")
    if ran is not None and (silent := silent_layers(program, ran)):
        warnings.append(f"No neuron of {', '.join(silent)} fired on these samples.")
    lede = f"{number(len(program.groups), 'layer')} for {program.chip}"
    if ran is not None:
        lede += f", {number(ran.steps, 'step')} of {program.dt_s * 1e3:g} ms per inference"
        lede += f", the output {number(program.latency, 'step')} later" * (program.latency > 0)
    of = Figures(found, None if ran is None else ran.cores)
    return Known(subject, title, f"{lede}.", program, mapping=of, ran=ran, energies=energies, warnings=warnings)


def silent_layers(program: Program, ran: Observed) -> list[str]:
    """Those that sent nothing in the steps of any sample, but for what only integrates; some names of many."""
    names = [g.name for g in program.groups if g.name not in program.integrators and not ran.fired[g.name].any()]
    return names if len(names) <= NAMED else [*names[:NAMED], f"{len(names) - NAMED:,} more layers"]


def observe_first(found: Mapped, samples: Samples, count: int) -> Observed:
    """The first `count` samples, all if 0."""
    shape = samples.shape
    given = shape[1] if len(shape) > 1 else 0
    some = samples.first(count) if count else samples
    return observe(found, some, given)


def priced(program: Program, ran: Observed) -> list[Energy]:
    """By arithmetic, and by the chip's profile."""
    names = [*ARITHMETIC, *([PROFILES[program.chip]] if program.chip in PROFILES else [])]
    return [
        estimate_energy(ran.counts, name, activity=ran.cores.activity) for name in counted(names, "pricing", "profiles")
    ]


def _beside(asked: Asked, program: Program, samples: Samples | None, ran: Observed | None) -> Iterator[Compared]:
    if samples is None or ran is None:
        return
    if asked.run is not None:
        yield beside_run(asked.run, program, asked.subject, samples)
    if asked.verify:
        yield beside_lava(program, ran.samples.first(LAVA_SAMPLES))


def gap_of(nir: Path, program: Program, ran: Observed | None) -> tuple[Gap | None, str]:
    """The waterfall of the graph that a Program was compiled from, or why there is none."""
    if ran is None:
        return None, "For the gap waterfall give samples too: --input X.NPZ."
    if sha256_of(nir) != program.nir_sha256:
        return None, f"{nir.name} is not the file that this Program was compiled from, so there is no waterfall."
    say("measuring what each stage of the compilation costs")
    try:
        again = compiled(read_nir(nir), program.chip, **_options(program))
    except DeployError as error:
        return None, f"No waterfall: {error}"
    if fingerprint(again.program) != fingerprint(program):
        return None, (
            f"Compiled again with what the Program tells of its options, {nir.name} gives another Program, so there is "
            f"no waterfall here; 'spikeport compile {nir.name} --calibrate X.NPZ' shows it with your options."
        )
    return gap_on(again, ran), ""


def gap_on(found: Compiled, ran: Observed) -> Gap:
    """Of a compilation, on the samples of a run."""
    inputs = dict(zip((name for name, _ in found.network.inputs), ran.samples.inputs.values(), strict=True))
    shaped = {name: np.ascontiguousarray(x) for name, x in inputs.items()}
    return measure(found, Calibration(shaped, ran.samples.labels), ran.classes)


def _options(program: Program) -> dict[str, Any]:
    """As far as a Program tells them."""
    entry = program.inputs[0]
    intervals = [group.reset_interval for group in program.groups if group.reset_interval]
    told: dict[str, Any] = {"dt_s": program.dt_s, "profile": program.profile, "classes": program.outputs[0].classes}
    told |= {"steps": min(intervals)} if intervals else {}
    return told | ({"input": "bias", "low": entry.low, "high": entry.high} if entry.kind == "bias" else {})


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _before(asked: Asked, program: Program) -> Iterator[Stage]:
    if asked.nir is not None:
        digest = sha256_of(asked.nir)
        same = digest == program.nir_sha256
        note = (
            "the file that the Program was compiled from" if same else "not the file that the Program was compiled from"
        )
        yield Stage("export", asked.nir.name, digest, note)
    if program.nir_sha256 and (asked.nir is None or not same):
        yield Stage("export", "the NIR graph that the Program names", program.nir_sha256)
    if not program.nir_sha256 and asked.nir is None:
        yield Stage("export", "not known", note="The Program names no NIR graph.")


def _after(asked: Asked, ran: Observed | None) -> Iterator[Stage]:
    if asked.input is not None:
        yield Stage("input", asked.input.name, sha256_of(asked.input))
    if ran is not None:
        yield spikes_stage(ran)
    if asked.run is not None:
        yield Stage("recorded run", asked.run.name, sha256_of(asked.run))


def spikes_stage(ran: Observed) -> Stage:
    note = f"of {number(ran.batch, 'sample')}, each (T, *shape) as little-endian 64-bit integers"
    return Stage("simulate", "what the first output gave", ran.outputs, note)


def _warnings(compared: Sequence[Compared]) -> Iterator[str]:
    for one in compared:
        if one.differing:
            yield f"{one.against} and the simulator part: {one.said}. All figures here are the simulator's."


def _commands(asked: Asked) -> Iterator[list[object]]:
    net = asked.subject
    yield ["spikeport", "check", net]
    yield ["spikeport", "map", net]
    if asked.input is not None:
        given = ["--input", asked.input]
        yield ["spikeport", "run", net, *given, "-o", "y.npz", "--record", "all"]
        yield ["spikeport", "energy", net, *given]
        yield ["spikeport", "verify", net, *given]
