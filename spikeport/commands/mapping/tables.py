"""A mapping in rows of text, for the terminal and the page."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from spikeport.commands.answer import Table
from spikeport.commands.mapping.mesh import letter_of
from spikeport.commands.mapping.records import (
    DONE,
    Figures,
    core_record,
    group_record,
    names,
)
from spikeport.deploy.cores.activity import ASSUMED_RATE

SHOWN_CORES, SHOWN_CHIPS = 8, 32
TITLES = {"neuron groups": "groups on it", "synapses": "synapse words", "axons out": "axon map"}
"""Resources as the compile logs of Loihi 2 call them."""
Row = tuple[str, ...]


def headline(of: Figures) -> list[str]:
    """Whether it fits, and what one chip does not hold: of the compiler's mapping, as `spikeport check` says it."""
    one = of.mapped
    chip, cores = one.chip.name, f"{one.cores.count:,} core{'' if one.cores.count == 1 else 's'}"
    size = f"{cores} on {one.chips:,} chip{'' if one.chips == 1 else 's'}"
    if one.over:
        over = names(f"{v.id} at {v.layer}, {v.value:,} against {v.limit:,}" for v in one.over)
        return [f"Does not fit {chip}: {over}. It would take {size}.", *_more_cores(of)]
    if not one.of_chip:
        return [f"Fits one {chip}: {cores} of {one.chip.cores_per_chip}.", *_more_cores(of)]
    over = names(f"{v.id}, {v.value:,} against {v.limit:,}" for v in one.of_chip)
    largest = f"the largest system has {one.chip.chips_per_system:,}"
    said = "'spikeport check' holds a network to one chip and says no"
    if not one.own:
        said = "One chip does not hold this mapping"
    return [f"Takes {size}; {largest}.", f"{said}: {over}.", *_more_cores(of)]


def _more_cores(of: Figures) -> Iterator[str]:
    """What was asked of a search and is not so."""
    found = of.mapped.searched
    if found is not None and not found.kept:
        most, cores = f"{found.cores_at_most:,} core{'' if found.cores_at_most == 1 else 's'}", f"{found.after.cores:,}"
        yield f"No mapping on at most {most} was found; this one has {cores}, the fewest that were."


def group_table(of: Figures) -> Table:
    """A row for each group: of each resource the most that one of its cores needs; and all of them."""
    resources = tuple(of.mapped.table.needs)
    rows: list[Row] = []
    for place, group in enumerate(of.mapped.program.groups):
        record = group_record(of, group.name)
        needs = _needs(of, record["fullest_core"])
        used = (f"{record['used_mean']:.0%}", record["limited_by"])
        chips = _ranges(record["chips"])
        head = (letter_of(place), group.name, f"{record['cores']:,}", chips, f"{group.size:,}")
        rows.append((*head, *needs, *used, *_did(of, record, ("messages", "off_chip"))))
    total = sum(group.size for group in of.mapped.program.groups)
    sums = (f"{int(of.mapped.table.needs[name].sum()):,}" for name in resources)
    mean = f"{of.mapped.table.used.mean():.0%}"
    cores, chips = f"{of.mapped.cores.count:,}", f"{of.mapped.chips:,} in all"
    rows.append(("", "all cores, sums", cores, chips, f"{total:,}", *sums, mean, "", *_sent_in_all(of)))
    titles = [TITLES.get(name, name) for name in resources]
    columns = ("", "group", "x cores", "chips", "size", *titles, "mean core", "limited by")
    columns += ("messages a step", "off chip") if of.ran else ()
    return Table("the most that a core of each group needs, and what part of the limit that is", columns, rows)


def core_table_of(of: Figures, cores: Iterable[int], title: str) -> Table:
    resources = tuple(of.mapped.table.needs)
    rows = []
    for core in cores:
        record = core_record(of, core)
        x, y = record["tile"]
        needs = _needs(of, record["needs"])
        place = (str(record["core"]), "+".join(record["groups"]), str(record["chip"]), f"{x}, {y}")
        rows.append((*place, *needs, f"{record['used']:.0%}", record["limited_by"], *_did(of, record, tuple(of.done))))
    titles = [TITLES.get(name, name) for name in resources]
    columns = ("core", "groups", "chip", "tile", *titles, "used", "limited by")
    did = ("spikes a step", "SOPs a step", "messages in", "messages out") if of.ran else ()
    return Table(title, (*columns, *did), rows)


def chip_table(of: Figures) -> Table:
    """Each chip, or of many those with the most SOPs, or the fullest."""
    records = of.chip_records
    title, by = "each chip", "sops" if of.ran else "used_mean"
    if len(records) > SHOWN_CHIPS:
        words = "with the most SOPs" if of.ran else "whose cores are fullest"
        title = f"of {len(records):,} chips the {SHOWN_CORES} {words}"
        records = sorted(records, key=lambda record: -record[by])[:SHOWN_CORES]
    rows = []
    for record in records:
        groups = names(f"{name} {n}" for name, n in record["groups"].items())
        cores = f"{record['cores']} of {of.mapped.chip.cores_per_chip}"
        head = (str(record["chip"]), cores, f"{record['neurons']:,}", f"{record['synapse_words']:,}")
        rows.append((*head, f"{record['used_mean']:.0%}", *_did(of, record, DONE[:2]), groups))
    did = ("spikes a step", "SOPs a step") if of.ran else ()
    columns = ("chip", "cores", "neurons", "synapse words", "mean core", *did, "groups and their cores")
    return Table(title, columns, rows)


def crossing_table(of: Figures) -> Table:
    """The connections that cross between chips."""
    rows = []
    for record in of.crossing_records:
        if not record["across"]:
            continue
        worst = max(record["chips"], key=lambda pair: pair[2])
        most = f"{worst[0]} to {worst[1]}: {_each(of, worst[2])}"
        counts = (_each(of, count) for count in (record["inside"], record["across"]))
        share = f"{record['across'] / (record['inside'] + record['across']):.0%}"
        pairs = f"{len(record['chips']):,}"
        rows.append((record["source"], record["target"], *counts, share, pairs, most))
    what = "messages a step" if of.ran else "messages of one step at most, if every neuron fires"
    columns = ("from", "to", "inside chips", "across chips", "share", "pairs of chips", "most between two chips")
    return Table(f"connections that cross between chips, {what}", columns, rows)


def search_table(of: Figures) -> Table:
    """Before and after; no rows where nothing was searched."""
    found = of.mapped.searched
    if found is None:
        return Table("", ("", "before", "after"), [])
    both = (found.before, found.after)
    rows: list[Row] = [
        ("cores", *(f"{each.cores:,}" for each in both)),
        ("chips", *(f"{each.chips:,}" for each in both)),
        ("busiest core, a step", *(f"{each.busiest_ns / 1e3:,.4g} µs" for each in both)),
        ("fullest core", *(f"{each.fullest:.1%}" for each in both)),
        ("hops in a step", *(_or_not(each.hops) for each in both)),
        ("messages to other chips in a step", *(_or_not(each.off_chip) for each in both)),
    ]
    return Table("what the search changed", ("", "before", "after"), rows)


def search_sentence(of: Figures) -> str:
    """What the search went by; empty where nothing was searched."""
    found = of.mapped.searched
    if found is None:
        return ""
    what = (
        "the activity of the run" if found.measured else f"a spike of every neuron in {ASSUMED_RATE:.0%} of the steps"
    )
    return f"The search went by {what}, at the times of {found.profile}; figures of a step are means."


def _or_not(value: float | None) -> str:
    return "not counted" if value is None else f"{value:,.1f}"


def over_table(of: Figures) -> Table:
    rows = [(v.id, v.layer, f"{v.value:,}", f"{v.limit:,}", v.unit, v.remedy) for v in of.mapped.over]
    return Table("what is over", ("rule", "layer", "value", "limit", "unit", "remedy"), rows)


def _needs(of: Figures, needs: dict[str, int]) -> Iterator[str]:
    limits = of.mapped.table.limits
    for name, need in zip(of.mapped.table.needs, needs.values(), strict=True):
        share = need / max(limits[name], 1) if name in limits else 0.0
        yield f"{need:,} ({share:.{1 if share >= 0.001 else 2}%})" if share else f"{need:,}"


def _each(of: Figures, count: int) -> str:
    """Messages of a step: the mean of a run, or the most without one."""
    return f"{of.per_step(count):,.1f}" if of.ran else f"{count:,}"


def _did(of: Figures, record: dict[str, Any], counts: Sequence[str]) -> Row:
    """Counts of a step in the mean; nothing without a run."""
    return tuple(f"{of.per_step(record[name]):,.1f}" for name in counts if of.ran)


def _sent_in_all(of: Figures) -> Row:
    if of.ran is None:
        return ()
    activity = of.ran.activity
    return tuple(f"{of.per_step(sum(sent.values())):,.1f}" for sent in (activity.messages, activity.off_chip))


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers: `0-3, 7`; the first and the last where there are many gaps."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    if len(runs) > 4:
        return f"{len(numbers):,} of {numbers[0]}-{numbers[-1]}"
    return names(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)
