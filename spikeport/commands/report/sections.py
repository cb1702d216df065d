"""Every section of a report, in its order; each is there, whatever is known."""

from collections.abc import Callable
from dataclasses import replace

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

NO_PROGRAM = "This run has no Program: compile it, and give the Program instead."


def sections(known: Known) -> list[Section]:
    """Of a Program, of an autoencoder's two, or of a training run and what it compiles to."""
    shown = confusion.confusion(known.ran) if known.painted is None else pictures(known.painted)
    programs = [one.program for one in (known, *known.phases.values()) if one.program is not None]
    return [
        overview(known),
        pipeline(known.stages),
        accuracy.accuracy(known),
        *known.training,
        *_of_each(known, _activity),
        shown,
        *_energy(known),
        *_of_each(known, _mapping),
        conformance(programs, known.compared),
        reproduce(known.command, known.commands),
    ]


def _of_each(known: Known, make: Callable[[Known], list[Section]]) -> list[Section]:
    return joined({name: make(phase) for name, phase in known.phases.items()}) if known.phases else make(known)


def _activity(known: Known) -> list[Section]:
    """What the layers are, and what they did."""
    program, ran = known.program, known.ran
    if program is None:
        return [missing(part.NAME, part.TITLE, _needed(known)) for part in (layers, rasters, traces)]
    found = [layers.layers(program, ran)]
    if ran is None:
        return found + [missing(part.NAME, part.TITLE, _needed(known)) for part in (rasters, traces)]
    return [*found, rasters.rasters(program, ran.one, _first(known)), traces.traces(program, ran.one)]


def _energy(known: Known) -> list[Section]:
    if known.no_program and not known.phases:
        return [Section(energy.NAME, energy.TITLE, [Words(known.no_program, "missing"), *known.priced])]
    (found,) = _of_each(known, lambda one: [energy.energy(one.energies)])
    whole = energy.together({name: phase.energies for name, phase in known.phases.items()})
    return [replace(found, blocks=[*whole, *found.blocks, *known.priced])]


def _mapping(known: Known) -> list[Section]:
    if known.mapping is None:
        return [missing("mapping", "Mapping to cores", _needed(known))]
    return [mapping(known.mapping)]


def _needed(known: Known) -> str:
    return "Give samples: --input X.NPZ." if known.program is not None else known.no_program or NO_PROGRAM


def _first(known: Known) -> str:
    """What the drawn sample is."""
    assert known.ran is not None
    labels, answers = known.ran.samples.labels, known.ran.answers
    label = "" if labels is None else f" Its label is {labels[0]}."
    answer = "" if answers is None else f" The network answers {answers[0]}."
    return f"The first sample.{label}{answer}"
