"""Every section of a report, in its order; each is there, whatever is known."""

from spikeport.commands.report import accuracy, confusion, layers, rasters, traces
from spikeport.commands.report.blocks import Section, missing
from spikeport.commands.report.conformed import conformance
from spikeport.commands.report.energy import energy
from spikeport.commands.report.known import Known
from spikeport.commands.report.mapped import mapping
from spikeport.commands.report.overview import overview
from spikeport.commands.report.pipeline import pipeline
from spikeport.commands.report.reproduce import reproduce

NO_PROGRAM = "This run has no Program: compile it, and give the Program instead."


def sections(known: Known) -> list[Section]:
    """Of a Program, or of a training run and the Program that it compiles to."""
    program, ran = known.program, known.ran
    samples = "Give samples: --input X.NPZ." if program is not None else known.no_program or NO_PROGRAM
    found = [overview(known), pipeline(known.stages), accuracy.accuracy(known), *known.training]
    if program is None:
        found.append(missing(layers.NAME, layers.TITLE, samples))
    else:
        found.append(layers.layers(program, ran))
    if program is None or ran is None:
        found += [missing(part.NAME, part.TITLE, samples) for part in (rasters, traces)]
    else:
        found += [rasters.rasters(program, ran.one, _first(known)), traces.traces(program, ran.one)]
    found.append(confusion.confusion(ran))
    found.append(energy(known.energies))
    found.append(missing("mapping", "Mapping to cores", samples) if known.mapping is None else mapping(known.mapping))
    return [*found, conformance(program, known.compared), reproduce(known.command, known.commands)]


def _first(known: Known) -> str:
    """What the drawn sample is."""
    assert known.ran is not None
    labels, answers = known.ran.samples.labels, known.ran.answers
    label = "" if labels is None else f" Its label is {labels[0]}."
    answer = "" if answers is None else f" The network answers {answers[0]}."
    return f"The first sample.{label}{answer}"
