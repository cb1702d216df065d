"""Which core has the most synaptic operations, and why: more messages, or more synapses behind each."""

from dataclasses import dataclass

from spikeport.commands.mapping.records import Figures
from spikeport.sim.energy.estimate import chosen_prices
from spikeport.sim.energy.latency import estimate_latency

PROFILES = {"loihi1": "loihi1-sanafe", "loihi2": "loihi2-estimate"}
"""Whose times say what a step waits for."""


@dataclass(frozen=True)
class Busiest:
    """The core with the most SOPs, beside the mean of all cores in use."""

    core: int
    """Its place among the cores in use."""
    sops: int
    """Of the whole run."""
    most_in_a_step: int
    share: float
    """Of all SOPs."""
    times_mean: float
    """Of the mean core's SOPs."""
    messages_times: float
    """The messages that it hears, likewise."""
    each: float
    """SOPs behind a message that it hears."""
    each_times: float
    """That, over the mean of all messages."""


def busiest(of: Figures) -> Busiest | None:
    """None without a run, or where nothing happened."""
    if of.ran is None or not of.ran.sops.any():
        return None
    sops, heard, (core,) = of.ran.sops, of.ran.messages_in, of.busiest(1)
    each = float(sops[core] / heard[core])
    return Busiest(
        core=core,
        sops=int(sops[core]),
        most_in_a_step=int(of.ran.activity.all_sops[:, core].max()),
        share=float(sops[core] / sops.sum()),
        times_mean=float(sops[core] / sops.mean()),
        messages_times=float(heard[core] / heard.mean()),
        each=each,
        each_times=float(each * heard.sum() / sops.sum()),
    )


def sentences(of: Figures) -> list[str]:
    """For people; empty without a run."""
    found = busiest(of)
    if of.ran is None:
        return []
    if found is None:
        return ["Nothing was sent: no core had a synaptic operation."]
    table, core = of.mapped.table, found.core
    x, y = of.tiles[core]
    where = f"core {of.numbers[core]} ({'+'.join(table.groups[core])}; chip {of.chip_of[core]}, tile {x}, {y})"
    said = [
        f"Busiest: {where}, with {of.per_step(found.sops):,.1f} SOPs a step and {found.most_in_a_step:,} at most,"
        f" {found.share:.1%} of all and {found.times_mean:.2f} times the mean core.",
        f"Why: {_why(found)}.",
    ]
    said += [sentence for sentence in (_alike(of, core), _waits(of)) if sentence]
    return said


def _why(found: Busiest) -> str:
    messages = f"it hears {found.messages_times:.2f} times the messages of the mean core"
    each = f"behind each are {found.each:,.1f} SOPs, {found.each_times:.2f} times the mean"
    first, second = (messages, each) if found.messages_times >= found.each_times else (each, messages)
    text = f"{first}, and {second}"
    return text.replace("behind each are", "behind each message that it hears are", 1) if first is each else text


def _alike(of: Figures, core: int) -> str:
    """Whether it stands out among the cores of its own groups."""
    assert of.ran is not None
    groups = of.mapped.table.groups
    peers = [k for k, names in enumerate(groups) if names == groups[core]]
    if len(peers) < 2:
        return "No other core has these neurons' group." if len(groups[core]) == 1 else ""
    times = float(of.ran.sops[core] / of.ran.sops[peers].mean())
    return f"The {len(peers):,} cores of {'+'.join(groups[core])} have {1 / times:.0%} of its SOPs in the mean."


def _waits(of: Figures) -> str:
    """The busiest core by time, where SOPs are not all that takes time."""
    assert of.ran is not None
    name = of.profile or PROFILES[of.mapped.chip.name]
    latency = estimate_latency(of.ran.activity, chosen_prices(name)[0], of.mapped.program.latency)
    if latency is None:
        return ""
    usual = latency.usual
    return (
        f"By the times of {name}, {usual.steps / of.ran.steps:.0%} of the steps wait for core {usual.core}"
        f" ({usual.group}): {usual.term.replace('_', ' ')}."
    )
