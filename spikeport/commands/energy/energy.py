"""`spikeport energy`: exact operation counts, priced, beside the ANN."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from spikeport.chip import Chip, chip_named
from spikeport.commands.answer import Answer, Table
from spikeport.commands.bars import say
from spikeport.commands.energy.csv import write_csv
from spikeport.commands.energy.described import energy_described
from spikeport.commands.energy.measured import Measured, measured, measured_data, measured_notes, measured_table
from spikeport.commands.energy.memory import memory_data, memory_table
from spikeport.commands.mapping.file import read_mapping
from spikeport.commands.running.counted import Counted, counted
from spikeport.commands.samples import check_file_writable
from spikeport.deploy.cores import CoreMap, cores_of, map_cores
from spikeport.errors import FileMissing, OptionMisused, PathTaken
from spikeport.program_file import load_program
from spikeport.sim.energy import Energy, Profile, estimate_energy, tables
from spikeport.sim.energy.described import described_names
from spikeport.sim.energy.document import document
from spikeport.sim.energy.estimate import chosen_prices
from spikeport.sim.energy.formats import format_steps
from spikeport.sim.energy.page import write_page

COMPARISON_SCHEMA = "spikeport-energy-comparison/1"
CONVENTIONS = tables.CONVENTION_COLUMNS[:5]
"""Of the papers; what each counts is told where there is room."""


@dataclass(frozen=True)
class Asked:
    """What `spikeport energy` is to do."""

    net: Path
    """A Program, or a description of shapes, which is a .toml file or the name of a shipped one."""
    input: Path | None
    profiles: tuple[str, ...] = ("cmos45-fp32",)
    compare: tuple[Path, ...] = ()
    """More Programs, on the same samples."""
    activity: Path | None = None
    """A recorded run of the Program instead of a simulation."""
    mapping: Path | None = None
    """Of the Program to cores, from a file instead of the compiler's own."""
    convention: str = "exact"
    ann: str | None = None
    memory: bool = False
    cores: bool = True
    html: Path | None = None
    csv: Path | None = None

    @property
    def command(self) -> str:
        """That a reader of the page can repeat."""
        words: list[object] = ["spikeport", "energy", self.net, "--input", self.input]
        for name, values in (("--profile", self.profiles), ("--compare", self.compare)):
            words += [word for value in values for word in (name, value)]
        words += ["--activity", self.activity] * (self.activity is not None)
        words += ["--mapping", self.mapping] * (self.mapping is not None)
        words += ["--convention", self.convention] * (self.convention != "exact")
        words += ["--ann", self.ann] * (self.ann is not None)
        words += ["--memory", "lemaire"] * self.memory + ["--no-cores"] * (not self.cores)
        words += ["--html", self.html] * (self.html is not None)
        return shlex.join(map(str, words))


@dataclass(frozen=True, eq=False)
class Priced:
    """One Program by one profile."""

    program: Counted
    profile: str
    """What to call it: its name, or its path where two have the same name."""
    energy: Energy
    several: bool
    """Whether there are other Programs."""

    @property
    def name(self) -> str:
        return f"{self.program.name}, {self.profile}" if self.several else self.profile


def energy(asked: Asked) -> Answer:
    """Counts what Programs do on an input, and prices it; or prices a description of shapes."""
    if asked.net.suffix == ".toml" or (str(asked.net) in described_names() and not asked.net.exists()):
        return _described(asked)
    if not asked.net.exists() and not asked.net.suffix:
        known = ", ".join(described_names())
        raise FileMissing(str(asked.net), "no such file", do=f"name a Program, or a network by its shapes: {known}")
    if asked.input is None:
        raise OptionMisused("energy", "input", relation="is missing", do="give the Program's samples, --input X.NPZ")
    if asked.mapping is not None and not asked.cores:
        raise OptionMisused(
            "energy", "--mapping", relation="does not go with", limit="--no-cores", do="leave one of them out"
        )
    profiles = [
        chosen_prices(name, convention=asked.convention, ann=asked.ann, memory=asked.memory)[0]
        for name in asked.profiles
    ]
    called = distinct("profile", [(profile.name, profile.path) for profile in profiles])
    paths = (asked.net, *asked.compare)
    names = distinct("Program", [(path.name, str(path)) for path in paths])
    _check_written(asked)
    ran = [replace(_counted(path, asked), name=name) for path, name in zip(paths, names, strict=True)]
    energies = [
        Priced(one, name, _estimate(one, asked, profile), len(ran) > 1)
        for one in ran
        for name, profile in zip(called, profiles, strict=True)
    ]
    notes = [f"note: {caveat}" for caveat in energies[0].energy.caveats]
    if asked.csv is not None:
        write_csv(asked.csv, [(one.program.name, one.profile, one.energy) for one in energies])
        notes.append(f"{asked.csv} written")
    if asked.html is not None:
        titles, found = [one.name for one in energies], [one.energy for one in energies]
        write_page(asked.html, asked.net.name, ran[0].program, found, names=titles, command=asked.command)
        notes.append(f"{asked.html} written")
    return _answer(asked, ran, energies, notes)


def distinct(what: str, named: Sequence[tuple[str, str]]) -> list[str]:
    """Short names, or the long ones where short ones are alike; InputError where a long one is there twice."""
    short, long = ([names[k] for names in named] for k in range(2))
    for name in long:
        if long.count(name) > 1:
            raise OptionMisused("energy", what, got=name, relation="is given twice", do="leave one of them out")
    return [a if short.count(a) == 1 else b for a, b in named]


def _check_written(asked: Asked) -> None:
    """Fails before long work; nothing that is read is written over."""
    read = [asked.net, asked.input, asked.activity, asked.mapping, *asked.compare, *map(Path, asked.profiles)]
    taken = {path.resolve() for path in read if path is not None}
    for path in (asked.html, asked.csv):
        if path is None:
            continue
        check_file_writable(path)
        if path.resolve() in taken:
            raise PathTaken(
                "energy", "file to write", got=path, relation="is read or written already", do="choose another name"
            )
        taken.add(path.resolve())


def _described(asked: Asked) -> Answer:
    """Shapes have no spikes, no cores and no report."""
    given = {
        "--input": asked.input,
        "--compare": asked.compare,
        "--activity": asked.activity,
        "--mapping": asked.mapping,
        "--ann": asked.ann,
        "--memory": asked.memory,
        "--html": asked.html,
        "--csv": asked.csv,
    }
    if unused := ", ".join(name for name, value in given.items() if value):
        do = "leave it out, or compile the network to a Program"
        raise OptionMisused("energy", "options", got=unused, relation="do not apply to", limit="shapes", do=do)
    return energy_described(str(asked.net), asked.profiles, asked.convention)


def _counted(path: Path, asked: Asked) -> Counted:
    """A recorded run and a mapping are of the first Program."""
    assert asked.input is not None
    recorded, mapping = (asked.activity, asked.mapping) if path is asked.net else (None, None)
    if not asked.cores:
        return counted(path, asked.input, recorded)
    placements, chip = _placed(path, mapping)
    return replace(counted(path, asked.input, recorded, cores_of(placements, chip)), placements=placements)


def _placed(path: Path, mapping: Path | None) -> tuple[CoreMap, Chip]:
    """Where a file, or else the compiler, puts a Program's neurons."""
    program = load_program(path)
    chip = chip_named(program.chip)
    placements = map_cores(program, chip) if mapping is None else read_mapping(mapping, program, chip)
    for placement in placements:
        resource, used = placement.fullest(chip)
        if used > 1:
            say(
                f"warning: {path} does not fit {chip.name}: {placement.group} needs {used:.0%} of the {resource} of a "
                f"core, so this is the energy of no chip; see 'spikeport check {path}'"
            )
    return placements, chip


def _estimate(one: Counted, asked: Asked, profile: Profile) -> Energy:
    return estimate_energy(
        one.counts,
        profile,
        activity=one.activity,
        convention=asked.convention,
        ann=asked.ann,
        memory=asked.memory,
    )


def _answer(asked: Asked, ran: Sequence[Counted], energies: Sequence[Priced], notes: Sequence[str]) -> Answer:
    first = energies[0].energy
    shown = [
        Table("the whole network", ("", "", ""), tables.headline_rows(first)),
        Table("beside the ANN", tables.BASELINE_COLUMNS, tables.baseline_rows(first)),
    ]
    if len(energies) > 1:
        names = [one.name for one in energies]
        compared = tables.compared_rows(names, [one.energy for one in energies])
        shown.append(Table("side by side", tables.COMPARED_COLUMNS, compared))
    shown += [
        Table("the same run by papers' conventions, arithmetic alone", CONVENTIONS, _conventions(first)),
        Table("time", ("", "", ""), tables.latency_rows(first)),
        memory_table(ran[0]),
        Table("published limits", ("", ""), [("", sentence) for sentence in _verdicts(first)]),
    ]
    on_board, notes = _measured(energies[0]), list(notes)
    if on_board is not None and ran[0].board is not None:
        shown.insert(0, measured_table(on_board, first))
        notes += measured_notes(on_board, ran[0].board)
    assert asked.input is not None
    data_of = {"file": str(asked.input), "sha256": sha256(asked.input.read_bytes()).hexdigest()}
    documents = [
        {
            "program": one.program.name,
            "input": data_of,
            **document(one.energy, one.program.program),
            "memory": memory_data(one.program),
            **_measured_data(one),
        }
        for one in energies
    ]
    data = documents[0] if len(documents) == 1 else {"schema": COMPARISON_SCHEMA, "energies": documents}
    counts, several = first.counts, "" if first.counts.samples == 1 else f", mean of {first.counts.samples:,} samples"
    inference = f"one inference of {format_steps(counts.steps)}{several}"
    title = f"{asked.net}: {inference}, at the nominal prices of {first.profile.name}"
    columns, rows = tables.layer_columns(first), tables.layer_rows(first)
    return Answer(data, title, columns, rows, notes, tables=[table for table in shown if table.rows])


def _measured(one: Priced) -> Measured | None:
    return None if one.program.board is None else measured(one.program.board, one.energy.counts.steps)


def _measured_data(one: Priced) -> dict[str, Any]:
    found = _measured(one)
    return {} if found is None else {"measured": measured_data(found)}


def _conventions(energy: Energy) -> list[tuple[str, ...]]:
    return [row[: len(CONVENTIONS)] for row in tables.convention_rows(energy)]


def _verdicts(energy: Energy) -> Iterator[str]:
    yield from (threshold.sentence for threshold in energy.thresholds)
    yield tables.break_even_sentence(energy)
    yield from (check.sentence for check in energy.profile.checks)
