"""`spikeport map`: where a Program's neurons are, how full the cores, what they do, and what crosses between chips."""

import csv
import shlex
from dataclasses import dataclass
from pathlib import Path

from spikeport.atomic import replacing
from spikeport.chip import chip_named
from spikeport.commands.answer import Answer
from spikeport.commands.mapping.busiest import PROFILES, sentences
from spikeport.commands.mapping.design import mapped, ran
from spikeport.commands.mapping.file import read_mapping, write_mapping
from spikeport.commands.mapping.mesh import text_beside, text_chip, text_system
from spikeport.commands.mapping.page import write_page
from spikeport.commands.mapping.records import Figures, document, flat_records
from spikeport.commands.mapping.runs import opened
from spikeport.commands.mapping.searching import searched, timed
from spikeport.commands.mapping.tables import (
    SHOWN_CORES,
    chip_table,
    core_table_of,
    crossing_table,
    group_table,
    headline,
    over_table,
    search_sentence,
    search_table,
)
from spikeport.commands.samples import check_file_writable
from spikeport.errors import InputError, OptionMisused, PathTaken
from spikeport.program_file import load_program

TEXT_CHIPS = 4
"""As many are drawn in the terminal unasked."""


@dataclass(frozen=True)
class Asked:
    """What `spikeport map` is to do."""

    net: Path
    target: str | None = None
    """The chip that the Program was compiled for if None."""
    input: Path | None = None
    activity: Path | None = None
    """A recorded run instead of a simulation."""
    cores: bool = False
    """List every core."""
    html: Path | None = None
    csv: Path | None = None
    mapping: Path | None = None
    """A mapping from a file instead of the compiler's own."""
    search: bool = False
    """Look for a better one."""
    cores_at_most: int | None = None
    """That the search may take; as many as it begins with if None."""
    profile: str | None = None
    """Whose times say what is busy; the chip's own if None."""
    output: Path | None = None
    """The mapping that is shown, for other commands."""

    @property
    def command(self) -> str:
        """That a reader of the page can repeat."""
        words: list[object] = ["spikeport", "map", self.net]
        words += ["--search"] * self.search
        for name in ("target", "input", "activity", "mapping", "cores_at_most", "profile", "html"):
            value = getattr(self, name)
            words += [f"--{name.replace('_', '-')}", value] * (value is not None)
        return shlex.join(map(str, words))


def map_(asked: Asked) -> Answer:
    """The mapping; exit 1 if not even the largest system holds it, or if the search found none on so few cores.

    Raises:
        FileError, InputError: files that are no such files, or that do not belong together.
    """
    _check_options(asked)
    _check_written(asked)
    program = load_program(asked.net)
    chip = chip_named(asked.target or program.chip)
    profile = timed(asked.profile or PROFILES[chip.name])
    one = mapped(program, chip, None if asked.mapping is None else read_mapping(asked.mapping, program, chip))
    run = opened(program, asked.net, asked.input, asked.activity)
    if asked.search:
        one, done = searched(one, run, profile, asked.cores_at_most)
    else:
        done = None if run is None else ran(one, run.results())
    of = Figures(one, done, asked.profile)
    return _answer(asked, of, _written(asked, of))


def _check_options(asked: Asked) -> None:
    if asked.target is not None:
        chip_named(asked.target)
    if asked.cores_at_most is not None and not asked.search:
        raise OptionMisused("map", "--cores-at-most", relation="needs", limit="--search", do="give it too, or neither")
    if asked.cores_at_most is not None and asked.cores_at_most < 1:
        raise InputError("map", "--cores-at-most", got=asked.cores_at_most, relation="is below", limit=1)
    if asked.profile is None:
        return
    timed(asked.profile)
    if not (asked.search or asked.input or asked.activity):
        relation, do = "needs", "give one of them too, or leave it out"
        raise OptionMisused("map", "--profile", relation=relation, limit="--search or a run", do=do)


def _check_written(asked: Asked) -> None:
    """Fails before long work; nothing that is read is written over."""
    read = [asked.net, asked.input, asked.activity, asked.mapping, Path(asked.profile) if asked.profile else None]
    taken = {path.resolve() for path in read if path is not None}
    for path in (asked.html, asked.csv, asked.output):
        if path is None:
            continue
        check_file_writable(path)
        if path.resolve() in taken:
            relation, do = "is read or written already", "choose another name"
            raise PathTaken("map", "file to write", got=path, relation=relation, do=do)
        taken.add(path.resolve())


def _written(asked: Asked, of: Figures) -> list[str]:
    """Notes on the files that were written."""
    if asked.csv is not None:
        _write_csv(asked.csv, of)
    if asked.html is not None:
        write_page(asked.html, asked.net.name, of, asked.command)
    if asked.output is not None:
        write_mapping(asked.output, of.mapped.core_map)
    return [f"{path} written" for path in (asked.csv, asked.html, asked.output) if path is not None]


def _write_csv(path: Path, of: Figures) -> None:
    """A line for each core; counts of a run are sums over it."""
    with replacing(path) as name, open(name, "w", encoding="utf-8", newline="") as file:
        records = flat_records(of)
        first = next(records)
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(records)


def _answer(asked: Asked, of: Figures, written: list[str]) -> Answer:
    one, groups = of.mapped, group_table(of)
    if asked.cores:
        listed, title = list(range(one.cores.count)), "every core"
    elif of.ran:
        listed, title = of.busiest(SHOWN_CORES), "the cores with the most SOPs"
    else:
        listed, title = one.table.fullest(SHOWN_CORES).tolist(), "the fullest cores"
    tables = [over_table(of), search_table(of), chip_table(of), core_table_of(of, listed, title), crossing_table(of)]
    notes = [*headline(of), search_sentence(of), *sentences(of), "", *_mesh(of, asked.cores), "", *written]
    return Answer(
        document(of, asked.net.name, asked.cores),
        f"{asked.net} on {one.chip.name}: {groups.title}",
        groups.columns,
        groups.rows,
        [note for k, note in enumerate(notes) if note or notes[k - 1]],
        exit_code=int(bool(one.over) or not (one.searched is None or one.searched.kept)),
        tables=[table for table in tables if table.rows],
    )


def _mesh(of: Figures, whole: bool) -> list[str]:
    """Letters as in the table of groups."""
    if not whole and len(of.chips) > TEXT_CHIPS:
        return ["each chip by the group that is on most of its cores (--cores draws every core):", *text_system(of)]
    drawn = [(f"chip {chip}", text_chip(of, chip)) for chip in of.chips]
    lines = ["each core by its group; + several, · none:", *text_beside(drawn)]
    if of.ran is None:
        return lines
    busy = [(f"chip {chip}", text_chip(of, chip, busy=True)) for chip in of.chips]
    return [*lines, "", "each core's SOPs in tenths of the busiest core's:", *text_beside(busy)]
