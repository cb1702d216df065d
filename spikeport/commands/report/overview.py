"""The first section: what it is, and the figures that matter most."""

from collections.abc import Iterator, Sequence

from spikeport.commands.compiling.compile import size_of
from spikeport.commands.mapping.records import Figures
from spikeport.commands.mapping.tables import headline as mapping_lines
from spikeport.commands.report.blocks import Block, Facts, Section, Words
from spikeport.commands.report.known import Known, number, share
from spikeport.commands.report.observed import Observed
from spikeport.commands.report.pictures import Painted
from spikeport.program import Program
from spikeport.sim.energy import Energy
from spikeport.sim.energy.formats import format_bounds, format_count, format_ratio

Row = tuple[str, str, str]


def overview(known: Known) -> Section:
    blocks: list[Block] = [Words(text, "banner") for text in known.warnings]
    facts = Facts("The most important figures", overview_rows(known), unseen=True)
    return Section("overview", "Overview", [*blocks, facts])


def overview_rows(known: Known) -> list[Row]:
    """(quantity, value, note) for people; a terminal prints the same."""
    ran, rows = known.ran, [*known.facts]
    if ran is not None and ran.right is not None:
        rows.append(("Simulator accuracy", share(ran.right, ran.batch), "the Program that goes on the chip"))
    rows += error_rows(known.painted)
    rows += [(f"{one.against[0].upper()}{one.against[1:]} and simulator", one.said, one.what) for one in known.compared]
    if known.program is not None:
        rows += _of_program(known.program)
    if known.mapping is not None:
        rows += _of_mapping(known.mapping)
    if ran is not None:
        rows += _of_run(ran)
    rows += _of_energies(known.energies)
    for name, phase in known.phases.items():
        rows += [(f"{name.capitalize()}: {_within(what)}", value, note) for what, value, note in overview_rows(phase)]
    return rows


def _within(text: str) -> str:
    """In a sentence: the first letter small, but for MACs."""
    return text if text[1:2].isupper() else f"{text[0].lower()}{text[1:]}"


def error_rows(painted: Painted | None) -> Iterator[Row]:
    """Of reconstructions, where there are any."""
    if painted is not None and painted.error is not None:
        note = f"{number(len(painted.given), 'picture')}, pixels in [-1, 1]; by {painted.whose}"
        yield "Mean squared error of reconstructions", f"{painted.error:.4f}", note


def _of_program(program: Program) -> Iterator[Row]:
    yield "Network", size_of(program), f"for {program.chip}, overflow by the profile {program.profile}"
    lag = f"output {number(program.latency, 'step')} after the input"
    yield "Length of a step", f"{program.dt_s * 1e3:g} ms", lag


def _of_mapping(figures: Figures) -> Iterator[Row]:
    first, *more = mapping_lines(figures)
    yield "On the chip", first, " ".join(more)


def _of_run(ran: Observed) -> Iterator[Row]:
    given = f"the first {ran.batch:,} of {ran.given:,}" if ran.given > ran.batch else f"{ran.batch:,}"
    yield "Samples", f"{given}, {number(ran.steps, 'step')} each", ran.samples.path.name
    counts = ran.counts
    each = counts.per_inference
    yield "Spikes", format_count(float(each(counts.spikes_out))), "per inference, of all neurons"
    nonzero = f"per inference; {format_count(float(each(counts.sops_nz)))} without weights of zero"
    yield "Synaptic operations (SOPs)", format_count(float(each(counts.sops))), nonzero
    if counts.host_macs:
        yield "MACs on the host", format_count(float(each(counts.host_macs))), "per inference; the first layer"
    yield "MACs of the ANN", f"{counts.macs_dense:,}", "the same network, one dense pass"


def _of_energies(energies: Sequence[Energy]) -> Iterator[Row]:
    for energy in energies:
        note = "an estimate from counts, see Energy"
        if energy.ratio is not None:
            unlike = f", a chip ({format_bounds(energy.chip)}) against bare arithmetic" if energy.is_chip else ""
            note = f"{format_ratio(energy.ratio)} times the ANN's {format_bounds(energy.ann)}{unlike}; {note}"
        yield f"Energy by {energy.profile.name}", format_bounds(energy.snn), note
