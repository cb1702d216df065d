"""`spikeport report`: a Program, an autoencoder's bundle or a training run as one HTML file."""

from pathlib import Path

from spikeport.autoencoder_file import FILES, is_bundle
from spikeport.commands.answer import Answer
from spikeport.commands.report.known import Known
from spikeport.commands.report.of_bundle import of_bundle
from spikeport.commands.report.of_program import Asked, of_program
from spikeport.commands.report.page import write_page
from spikeport.commands.report.sections import sections
from spikeport.commands.samples import check_file_writable
from spikeport.errors import FileMissing, InputError, PathTaken

READ = (*FILES, "recipe.toml", "weights.pt", "history.json", "checkpoint.pt")
"""Of a bundle's or a run's folder."""


def report(asked: Asked) -> Answer:
    """Writes the page; exit 1 if a value that was compared differs.

    Raises:
        FileError, InputError: files that are no such files, or that do not belong together.
    """
    _check(asked)
    if is_bundle(asked.subject):
        known = of_bundle(asked)
    elif asked.subject.is_dir():
        from spikeport.commands.report.of_run import of_run  # brings torch

        known = of_run(asked)
    else:
        known = of_program(asked)
    return written(asked.output, known)


def written(path: Path, known: Known) -> Answer:
    """The page in its file, and what a terminal says of it."""
    found = sections(known)
    write_page(path, known.title, known.lede, found)
    differing = sum(one.differing for one in known.compared)
    data = {
        "subject": known.subject,
        "report": str(path),
        "bytes": path.stat().st_size,
        "sections": [section.name for section in found],
        "compared": [{"against": c.against, "values": c.values, "differing": c.differing} for c in known.compared],
    }
    notes = [f"{one.against}: {one.said}" for one in known.compared]
    title = f"{path} written: {len(found)} sections, {path.stat().st_size / 1e3:,.0f} kB"
    return Answer(data, title, notes=notes, exit_code=int(differing > 0))


def _check(asked: Asked) -> None:
    """Fails before long work; nothing that is read is written over."""
    if not asked.subject.exists():
        do = "name a Program, NET.H5, a bundle's folder, or a training run's"
        raise FileMissing(str(asked.subject), "no such file", do=do)
    if asked.samples < 0:
        raise InputError("report", "samples", got=asked.samples, relation="are below", limit=0, do="0 takes all")
    check_file_writable(asked.output)
    inside = {(asked.subject / name).resolve() for name in READ} if asked.subject.is_dir() else set()
    read = inside | {path.resolve() for path in (asked.subject, asked.input, asked.run, asked.nir) if path is not None}
    if asked.output.resolve() in read:
        raise PathTaken("report", "file to write", got=asked.output, relation="is read", do="choose another name")
