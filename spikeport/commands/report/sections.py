"""Every section of a report, in its order; each is there, whatever is known."""

from collections.abc import Callable, Iterator
from functools import partial

from spikeport.commands.report import accuracy, confusion, layers, rasters, traces
from spikeport.commands.report.blocks import Section, missing
from spikeport.commands.report.conformed import conformance
from spikeport.commands.report.energy import energy
from spikeport.commands.report.known import Known
from spikeport.commands.report.mapped import mapping
from spikeport.commands.report.overview import overview
from spikeport.commands.report.pipeline import pipeline
from spikeport.commands.report.reproduce import reproduce
from spikeport.progress import counted

NO_PROGRAM = "This run has no Program: compile it, and give the Program instead."


def sections(known: Known) -> list[Section]:
    """Of a Program, or of a training run and the Program that it compiles to."""
    return [draw() for draw in counted(list(_drawings(known)), "drawing", "sections")]


def _drawings(known: Known) -> Iterator[Callable[[], Section]]:
    program, ran, figures = known.program, known.ran, known.mapping
    samples = "Give samples: --input X.NPZ." if program is not None else known.no_program or NO_PROGRAM
    yield lambda: overview(known)
    yield lambda: pipeline(known.stages)
    yield lambda: accuracy.accuracy(known)
    yield from (partial(_as_it_is, section) for section in known.training)
    if program is None:
        yield lambda: missing(layers.NAME, layers.TITLE, samples)
    else:
        yield lambda: layers.layers(program, ran)
    if program is None or ran is None:
        yield from (partial(missing, part.NAME, part.TITLE, samples) for part in (rasters, traces))
    else:
        yield lambda: rasters.rasters(program, ran.one, _first(known))
        yield lambda: traces.traces(program, ran.one)
    yield lambda: confusion.confusion(ran)
    yield lambda: energy(known.energies)
    yield lambda: missing("mapping", "Mapping to cores", samples) if figures is None else mapping(figures)
    yield lambda: conformance(program, known.compared)
    yield lambda: reproduce(known.command, known.commands)


def _as_it_is(section: Section) -> Section:
    return section


def _first(known: Known) -> str:
    """What the drawn sample is."""
    assert known.ran is not None
    labels, answers = known.ran.samples.labels, known.ran.answers
    label = "" if labels is None else f" Its label is {labels[0]}."
    answer = "" if answers is None else f" The network answers {answers[0]}."
    return f"The first sample.{label}{answer}"
