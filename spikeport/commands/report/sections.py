"""Every section of a report, in its order; each is there, whatever is known."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from spikeport.commands.report import accuracy, confusion, energy, layers, rasters, traces
from spikeport.commands.report.blocks import Section, Words, missing
from spikeport.commands.report.conformed import conformance
from spikeport.commands.report.known import Known
from spikeport.commands.report.mapped import mapping
from spikeport.commands.report.overview import overview
from spikeport.commands.report.phases import joined
from spikeport.commands.report.pictures import pictures
from spikeport.commands.report.pipeline import pipeline
from spikeport.commands.report.reproduce import reproduce
from spikeport.progress import counted

NO_PROGRAM = "This run has no Program: compile it, and give the Program instead."


def sections(known: Known) -> list[Section]:
    """Of a Program, of an autoencoder's two, or of a training run and what it compiles to."""
    return [draw() for draw in counted(_drawings(known), "drawing", "sections")]


def _drawings(known: Known) -> list[Callable[[], Section]]:
    programs = [one.program for one in (known, *known.phases.values()) if one.program is not None]
    return [
        partial(overview, known),
        partial(pipeline, known.stages),
        partial(accuracy.accuracy, known),
        *(partial(_as_it_is, section) for section in known.training),
        *(partial(_of_each, known, make) for make in (_layers, _rasters, _traces)),
        partial(_answers, known),
        partial(_energy, known),
        partial(_of_each, known, _mapping),
        partial(conformance, programs, known.compared),
        partial(reproduce, known.command, known.commands),
    ]


def _as_it_is(section: Section) -> Section:
    return section


def _of_each(known: Known, make: Callable[[Known], Section]) -> Section:
    return joined({name: make(phase) for name, phase in known.phases.items()}) if known.phases else make(known)


def _layers(known: Known) -> Section:
    if known.program is None:
        return missing(layers.NAME, layers.TITLE, _needed(known))
    return layers.layers(known.program, known.ran)


def _rasters(known: Known) -> Section:
    if known.program is None or known.ran is None:
        return missing(rasters.NAME, rasters.TITLE, _needed(known))
    return rasters.rasters(known.program, known.ran.one, _first(known))


def _traces(known: Known) -> Section:
    if known.program is None or known.ran is None:
        return missing(traces.NAME, traces.TITLE, _needed(known))
    return traces.traces(known.program, known.ran.one)


def _answers(known: Known) -> Section:
    return confusion.confusion(known.ran) if known.painted is None else pictures(known.painted)


def _energy(known: Known) -> Section:
    if known.no_program and not known.phases:
        return Section(energy.NAME, energy.TITLE, [Words(known.no_program, "missing"), *known.priced])
    found = _of_each(known, lambda one: energy.energy(one.energies))
    whole = energy.together({name: phase.energies for name, phase in known.phases.items()})
    return replace(found, blocks=[*whole, *found.blocks, *known.priced])


def _mapping(known: Known) -> Section:
    return missing("mapping", "Mapping to cores", _needed(known)) if known.mapping is None else mapping(known.mapping)


def _needed(known: Known) -> str:
    return "Give samples: --input X.NPZ." if known.program is not None else known.no_program or NO_PROGRAM


def _first(known: Known) -> str:
    """What the drawn sample is."""
    assert known.ran is not None
    labels, answers = known.ran.samples.labels, known.ran.answers
    label = "" if labels is None else f" Its label is {labels[0]}."
    answer = "" if answers is None else f" The network answers {answers[0]}."
    return f"The first sample.{label}{answer}"
