"""An `Energy` as sentences and rows of text, so that every page and terminal says the same."""

from collections.abc import Iterator, Sequence
from operator import itemgetter

from spikeport.sim.energy.bottleneck import Bottleneck
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.conventions import CONVENTIONS, convention_named
from spikeport.sim.energy.estimated import Energy
from spikeport.sim.energy.figures import factors
from spikeport.sim.energy.formats import (
    format_bounds,
    format_count,
    format_energy,
    format_factor,
    format_ratio,
    format_time,
)
from spikeport.sim.energy.latency import Latency
from spikeport.sim.energy.terms import TERMS

Row = tuple[str, ...]
NONE = "–"
BASELINE_COLUMNS = ("Baseline", "MACs", "ANN", "SNN", "SNN / ANN", "What it is")
COMPARED_COLUMNS = ("", "SOPs", "SNN", "ANN", "SNN / ANN", "Mean step", "Latency")
CONVENTION_COLUMNS = ("Convention", "MACs", "Accumulates", "Energy", "Times exact", "What it counts", "Source")
ACTIVITY = ("syn_ops", "dendrite_updates", "spikes_in", "axon_out")
CORE_COLUMNS = ("Core", "Group", "Chip", "Tile", "Neurons", *ACTIVITY, "Mean time", "Slowest in")
BUSIEST = 8
"""Cores that the page lists."""
MODELS = {
    "additive": "On each core the times of its operations add up, neurons first, then synapses. A step ends when the "
    "slowest core is done and all cores have agreed on it. The upper bound lets no core do both at once. Messages that "
    "wait for each other on the mesh are left out.",
    "max_affine": "This is a lower bound: the slowest of neurons, synapses, reads, the busiest link and the barrier "
    "sets the time of a step, as if all of them went on at once.",
}
"""Of latency, and what each leaves out."""
WAITS = {
    "neurons": "updates of neurons",
    "spikes": "spikes to send",
    "messages_out": "messages to send",
    "messages_in": "messages to receive",
    "synapses": "synaptic operations",
    "reads": "reads of synaptic memory",
    "link": "the busiest link of the mesh",
    "barrier": "the barrier that ends each step",
}
"""What a step may wait for."""


def ratio_sentence(energy: Energy) -> str:
    """The headline, in plain words."""
    if energy.ratio is None:
        return "The ANN has nothing to compute, so there is no ratio."
    cost = f"one inference costs {format_ratio(energy.ratio)} times what one dense pass of the ANN costs"
    if energy.is_chip:
        return f"By operation counts {cost}: a whole chip against bare arithmetic, not against an ANN's chip."
    return f"At these prices {cost}."


def bounds_sentence(ratio: Bounds, published: Bounds | None) -> str:
    """What the bounds of SNN / ANN say, and what they leave open.

    Args:
        published: `Energy.published_ratio`.
    """
    low, high = ratio.low, ratio.high
    if low is None or high is None:
        if published is None:
            return "No price here has published bounds."
        missing = (
            "published bounds" if low is None and high is None else f"{'a lower' if low is None else 'an upper'} bound"
        )
        known = f"{published.low:.3g} to {published.high:.3g}"
        return f"Not every price has {missing}: it is {known} within those that there are, the others at nominal."
    if high < 1:
        return "The SNN costs less at every price within the bounds."
    if low > 1:
        return "The SNN costs more at every price within the bounds."
    return "The bounds lie on both sides of 1: these prices do not decide which costs less."


def break_even_sentence(energy: Energy) -> str:
    even = energy.break_even
    if even is None:
        return "Nothing that this network pays for grows with its spikes, so there is no break-even."
    if even.spikes_per_synapse < 0:
        return "What does not depend on spikes already costs more than the dense ANN: no spike rate breaks even."
    at = f"{even.spikes_per_synapse:.3g} spikes per synapse and inference, a mean input rate of {even.input_rate:.2%}"
    if even.input_rate > 1:
        return (
            f"By the nominal prices of {energy.profile.name} this network costs less than the dense ANN however often "
            f"it spikes: they would be equal at {at}, which no network reaches."
        )
    return f"By the nominal prices of {energy.profile.name} this network equals the dense ANN at {at}."


def headline_rows(energy: Energy) -> list[Row]:
    """(quantity, value, note) of the whole network, with bounds."""
    counts, each = energy.counts, energy.counts.per_inference
    priced = energy.profile.title
    if energy.arithmetic is not energy.profile:
        priced += f"; MACs by {energy.arithmetic.name}"
    if "memory" in energy.parts:
        priced += "; memory traffic by a model, on both sides"
    rows: list[Row] = [
        ("SNN", format_bounds(energy.snn), priced),
        ("ANN, one dense pass", format_bounds(energy.ann), f"{counts.macs_dense:,} MACs by {energy.arithmetic.title}"),
    ]
    if energy.ratio is not None:
        unlike = "a chip against bare arithmetic. " if energy.is_chip else ""
        rows.append(
            ("SNN / ANN", format_ratio(energy.ratio), unlike + bounds_sentence(energy.ratio, energy.published_ratio))
        )
    if "host_macs" in energy.parts:
        rows.append(("Of the SNN, on the chip", format_bounds(energy.chip), "without what the host computes"))
    if energy.unpriced:
        left = ", ".join(map(str, energy.unpriced))
        rows.append(("Not in the SNN's energy", left, "work without a price or without a count, per inference"))
    rows += [
        ("Convention", energy.convention, convention_named(energy.convention).title),
        ("Synaptic operations", format_count(float(each(counts.sops))), "per inference"),
        ("Spikes per synapse", f"{float(counts.spikes_per_synapse):.3g}", "per inference, mean over the synapses"),
        ("Mean input rate", f"{float(counts.input_rate):.2%}", "spikes per source neuron and step"),
    ]
    rows += _static(energy)
    if energy.latency is not None:
        rows.append(_latency(energy.latency))
    return rows


def _static(energy: Energy) -> Iterator[Row]:
    if energy.static_pj is not None:
        yield "Static energy", format_bounds(energy.static_pj), "of all chips for one period; not in the SNN's energy"


def _latency(latency: Latency) -> Row:
    return "Latency", format_bounds(latency.latency_ns, format_time), "from the first step to the last output"


def layer_columns(energy: Energy) -> Row:
    """Of `layer_rows`."""
    return ("Layer", "SOPs", *(TERMS[name] for name in energy.parts), "SNN", "ANN MACs", "ANN")


def layer_rows(energy: Energy) -> list[Row]:
    """One row for each layer and one for all: amounts of one inference, energies at nominal prices."""
    counts, names = energy.counts, list(energy.parts)
    each = counts.per_inference
    rows: list[Row] = []
    for layer, priced in zip(counts.layers, energy.layers, strict=True):
        parts = (format_energy(priced.parts[n].nominal) if n in priced.parts else NONE for n in names)
        snn, ann = format_energy(priced.total.nominal), format_energy(priced.ann.nominal)
        rows.append((layer.name, format_count(float(each(layer.sops))), *parts, snn, f"{layer.macs_dense:,}", ann))
    sums = (format_energy(part.nominal) for part in energy.parts.values())
    sops, macs = format_count(float(each(counts.sops))), f"{counts.macs_dense:,}"
    last = (*sums, format_energy(energy.snn.nominal), macs, format_energy(energy.ann.nominal))
    return [*rows, ("all layers", sops, *last)]


def baseline_rows(energy: Energy) -> list[Row]:
    return [
        (
            baseline.title,
            f"{baseline.macs:,}",
            format_bounds(baseline.energy_pj),
            format_bounds(baseline.snn_pj),
            NONE if baseline.ratio is None else format_ratio(baseline.ratio),
            baseline.note,
        )
        for baseline in energy.baselines
    ]


def compared_rows(names: Sequence[str], energies: Sequence[Energy]) -> list[Row]:
    """Several Programs or profiles, one row each."""
    rows: list[Row] = []
    for name, energy in zip(names, energies, strict=True):
        sops, latency = format_count(float(energy.counts.per_inference(energy.counts.sops))), energy.latency
        ratio = NONE if energy.ratio is None else format_ratio(energy.ratio)
        times = (NONE, NONE)
        if latency is not None:
            step, whole = latency.step_ns["mean"], latency.latency_ns
            times = (format_bounds(step, format_time), format_bounds(whole, format_time))
        rows.append((name, sops, format_bounds(energy.snn), format_bounds(energy.ann), ratio, *times))
    return rows


def convention_rows(energy: Energy) -> list[Row]:
    rows: list[Row] = []
    for one, factor in zip(energy.sensitivity, factors(energy), strict=True):
        convention = CONVENTIONS[one.convention]
        macs, acs = (NONE if n is None else format_count(float(n)) for n in (one.macs, one.acs))
        price = "no price" if one.energy_pj is None else format_bounds(one.energy_pj)
        times = NONE if factor is None else format_factor(factor)
        rows.append((one.convention, macs, acs, price, times, convention.description, convention.source))
    return rows


def no_latency_sentence(energy: Energy) -> str:
    if not energy.profile.latency_model:
        return f"No latency: {energy.profile.name} has no times of operations."
    return "No latency: it needs to be known which neuron is on which core, and no cores were given."


def latency_rows(energy: Energy) -> list[Row]:
    """(quantity, value, note) of steps, what they wait for, and what follows."""
    latency = energy.latency
    if latency is None:
        return []
    rows: list[Row] = [
        ("Step, shortest", format_bounds(latency.step_ns["min"], format_time), "of all steps of the run"),
        ("Step, mean", format_bounds(latency.step_ns["mean"], format_time), ""),
        ("Step, longest", format_bounds(latency.step_ns["max"], format_time), ""),
        ("Longest step waits for", WAITS[latency.slowest.term], f"busiest core: {_core(latency.slowest)}"),
        (
            "Most often waited for",
            WAITS[latency.usual.term],
            f"in {_share(latency)}; busiest core: {_core(latency.usual)}",
        ),
    ]
    if latency.unpriced:
        rows.append(("Not in these times", ", ".join(latency.unpriced), f"no time in {energy.profile.name}"))
    return [*rows, *_time_rows(energy)]


def _core(waits: Bottleneck) -> str:
    return f"{waits.core} ({waits.group})"


def _share(latency: Latency) -> str:
    return f"{latency.usual.steps:,} of {len(latency.per_step):,} steps"


def _time_rows(energy: Energy) -> Iterator[Row]:
    """What is known of time, and what follows from it."""
    latency = energy.latency
    if latency is None:
        return
    yield "Inference period", format_bounds(latency.inference_ns, format_time), "from one inference to the next"
    yield _latency(latency)
    yield from _static(energy)
    product = energy.delay_product_pj_s
    if product is not None:
        static = "" if energy.static_pj is None else ", static energy included"
        yield (
            "Energy-delay product",
            format_bounds(product, lambda pj_s: f"{format_energy(pj_s)} s"),
            f"energy times latency{static}",
        )


def core_rows(energy: Energy) -> list[Row]:
    """The busiest cores under `CORE_COLUMNS`, counts per inference, under the names of Intel's `Loihi2Activity`.

    Those that take longest come first, or those with the most synaptic operations where there is no latency.
    """
    if energy.activity is None:
        return []
    cores, each = energy.activity.to_json()["cores"], energy.counts.per_inference
    loads = {} if energy.latency is None else {load.core: load for load in energy.latency.loads}
    busiest = sorted(cores, key=itemgetter(*ACTIVITY[:2]), reverse=True)[:BUSIEST]
    rows: list[Row] = []
    for core in [core for number in loads for core in cores if core["core"] == number] or busiest:
        did = (format_count(float(each(core[name]))) for name in ACTIVITY)
        times = (NONE, NONE)
        if loads:
            load = loads[core["core"]]
            times = (format_time(load.ns_mean), f"{load.steps:,} steps")
        tile = ", ".join(map(str, core["tile"]))
        rows.append((str(core["core"]), core["group"], str(core["chip"]), tile, f"{core['neurons']:,}", *did, *times))
    return rows
