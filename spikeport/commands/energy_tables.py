"""Energies as text: one table of layers and terms, totals with their bounds, and lines for CSV."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from spikeport.atomic import replacing
from spikeport.commands.answer import Table
from spikeport.sim.energy import Energy
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.formats import format_bounds, format_count, format_energy, format_ratio, format_time
from spikeport.sim.energy.terms import QUANTITIES

MEMORY = "memory traffic"


def term(name: str) -> str:
    """A term's name in words."""
    return MEMORY if name == "memory" else QUANTITIES[name]


def columns(energy: Energy) -> tuple[str, ...]:
    return ("layer", "spikes in", "rate", "SOPs", *map(term, energy.parts), "SNN", "ANN MACs", "ANN")


def rows(energy: Energy) -> list[tuple[str, ...]]:
    """One line for each layer, per inference, and one for all; nominal prices."""
    counts, names = energy.counts, list(energy.parts)
    each = counts.per_inference
    found: list[tuple[str, ...]] = []
    for layer, priced in zip(counts.layers, energy.layers, strict=True):
        did = (
            format_count(float(each(layer.events_in))),
            f"{float(layer.rate):.1%}",
            format_count(float(each(layer.sops))),
        )
        parts = (format_energy(priced.parts[n].nominal) if n in priced.parts else "–" for n in names)
        snn, ann = format_energy(priced.total.nominal), format_energy(priced.ann.nominal)
        found.append((layer.name, *did, *parts, snn, format_count(layer.macs_dense), ann))
    sums = (format_energy(part.nominal) for part in energy.parts.values())
    sops, macs = format_count(float(each(counts.sops))), format_count(counts.macs_dense)
    last = ("all", "", "", sops, *sums, format_energy(energy.snn.nominal), macs, format_energy(energy.ann.nominal))
    return [*found, last]


def totals(energy: Energy) -> Table:
    """What is told of the whole network, with bounds."""
    found = [("SNN", format_bounds(energy.snn), _priced_by(energy))]
    if "host_macs" in energy.parts:
        found.append(("of it on the chip", format_bounds(energy.chip), "without what the host computes"))
    for baseline in energy.baselines:
        ratio = "" if baseline.ratio is None else f"SNN / ANN {format_ratio(baseline.ratio)}; {baseline.note}"
        found.append((baseline.title, format_bounds(baseline.energy_pj), ratio))
    if energy.static_pj is not None:
        found.append(
            ("static, beside the total", format_bounds(energy.static_pj), "all chips, for one inference's time")
        )
    if energy.latency is not None:
        found += _times(energy)
    return Table("per inference, nominal (low to high); ? is not published", ("", "", ""), found)


def _priced_by(energy: Energy) -> str:
    source = "" if energy.arithmetic is energy.profile else f"; MACs by {energy.arithmetic.name}"
    return f"{energy.profile.name}, convention {energy.convention}{source}"


def _times(energy: Energy) -> Iterator[tuple[str, str, str]]:
    latency = energy.latency
    assert latency is not None
    step = latency.step_ns
    longest = f"{format_time(step['min'].nominal)} to {format_time(step['max'].nominal)} over the steps"
    yield ("step", format_bounds(step["mean"], format_time), f"mean; nominal {longest}; {latency.usual.term}")
    yield ("inference", format_bounds(latency.inference_ns, format_time), "from one to the next")
    yield ("latency", format_bounds(latency.latency_ns, format_time), "from the first step to the last output")
    product = energy.delay_product_pj_s
    if product is not None:
        yield ("energy x latency", f"{product.nominal * 1e-12:.3g} J s", "static power included where it is known")


def sensitivity(energy: Energy) -> Table:
    """Every convention beside the others: arithmetic alone."""
    exact = next((s.energy_pj for s in energy.sensitivity if s.convention == "exact"), None)
    found = []
    for one in energy.sensitivity:
        price = "?" if one.energy_pj is None else format_bounds(one.energy_pj)
        ratio = one.energy_pj.over(exact) if one.energy_pj is not None and exact is not None else None
        macs, acs = ("?" if n is None else format_count(float(n)) for n in (one.macs, one.acs))
        found.append((one.convention, macs, acs, price, "" if ratio is None else f"{ratio.nominal:.2f}"))
    return Table("the same run by the papers' conventions, arithmetic alone", SENSITIVITY, found)


SENSITIVITY = ("convention", "MACs", "ACs", "energy", "times exact")
COMPARED = ("program", "profile", "SOPs", "SNN", "ANN", "SNN / ANN", "step", "latency")


def compared(energies: Sequence[tuple[str, Energy]]) -> Table:
    """Several Programs or profiles, one line each."""
    found = []
    for name, energy in energies:
        sops = format_count(float(energy.counts.per_inference(energy.counts.sops)))
        ratio = "–" if energy.ratio is None else format_ratio(energy.ratio)
        times = ("–", "–")
        if energy.latency is not None:
            times = (
                format_bounds(energy.latency.step_ns["mean"], format_time),
                format_bounds(energy.latency.latency_ns, format_time),
            )
        found.append(
            (name, energy.profile.name, sops, format_bounds(energy.snn), format_bounds(energy.ann), ratio, *times)
        )
    return Table("side by side, per inference", COMPARED, found)


CSV_COLUMNS = ("program", "profile", "convention", "side", "layer", "term", "amount", "low_pj", "nominal_pj", "high_pj")


def write_csv(path: Path, energies: Sequence[tuple[str, Energy]]) -> None:
    """One line for each Program, profile, layer and term, per inference; an empty field is not published."""
    with replacing(path) as name, open(name, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        for program, energy in energies:
            head = (program, energy.profile.name, energy.convention)
            for layer in energy.layers:
                for part, bounds in layer.parts.items():
                    amount = layer.amounts.get(part)
                    writer.writerow(
                        (*head, "snn", layer.name, part, "" if amount is None else float(amount), *_cells(bounds))
                    )
                writer.writerow((*head, "ann", layer.name, "macs", layer.macs_dense, *_cells(layer.ann)))


def _cells(bounds: Bounds) -> tuple[float | str, ...]:
    return tuple("" if x is None else x for x in (bounds.low, bounds.nominal, bounds.high))
