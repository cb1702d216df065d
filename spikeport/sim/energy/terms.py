"""What a layer did in one inference, as amounts of what a profile may have a price for.

A quantity has one or more ways to be priced, because the published tables cut the same work differently: Davies et
al. (2018) price active and inactive neurons, SANA-FE an access and an update.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from spikeport.sim.counting.cores import CoreActivity
from spikeport.sim.counting.counts import Counts, LayerCounts


@dataclass(frozen=True)
class Line:
    """An amount, and the prices that are meant for it, the best first."""

    amount: Fraction
    prices: tuple[str, ...]


Way = tuple[Line, ...]


@dataclass(frozen=True)
class Quantity:
    """One kind of work of one layer in one inference."""

    name: str
    """A name of `QUANTITIES`."""
    ways: tuple[Way, ...]
    """The first way whose lines all have a price is taken."""
    counted: bool = True
    """False: nobody knows how much of it there was."""

    @property
    def amount(self) -> Fraction:
        """Of the first way."""
        return sum((line.amount for line in self.ways[0]), Fraction(0))


QUANTITIES = {
    "host_macs": "MACs on the host",
    "sops": "synaptic operations",
    "graded_macs": "synaptic operations with a payload",
    "neuron_updates": "neuron updates",
    "spikes": "spikes sent",
    "messages": "messages to cores",
    "hops": "hops between tiles",
    "off_chip": "messages to other chips",
    "macs": "MACs",
    "acs": "accumulates",
}
"""Every quantity, in words."""
TERMS = {**QUANTITIES, "memory": "memory traffic"}
"""Every part of an energy, in words."""


def quantities(layer: LayerCounts, counts: Counts, activity: CoreActivity | None) -> tuple[Quantity, ...]:
    """Of one layer in one inference, mean over the samples; what did not happen is left out."""
    each = counts.per_inference
    found = [
        _one("host_macs", each(layer.host_macs), "mac"),
        *_synapses(layer, counts),
        Quantity(
            "neuron_updates",
            (
                (
                    Line(each(layer.active), ("neuron_active",)),
                    Line(each(layer.inactive), ("neuron_inactive",)),
                ),
                (
                    Line(each(layer.updates), ("neuron_access",)),
                    Line(each(layer.active), ("neuron_update",)),
                ),
                (Line(each(layer.updates), ("neuron_access",)),),
            ),
        ),
        _one("spikes", each(layer.spikes_out), "spike_out"),
        *_network(layer, counts, activity),
    ]
    return tuple(quantity for quantity in found if quantity.amount or not quantity.counted)


def _one(name: str, amount: Fraction, *prices: str) -> Quantity:
    return Quantity(name, ((Line(amount, prices),),))


def _synapses(layer: LayerCounts, counts: Counts) -> Iterator[Quantity]:
    """An accumulate is what a binary spike costs; a payload takes a multiplication as well."""
    for name, graded, last in (("sops", False, "ac"), ("graded_macs", True, "mac")):
        sums: dict[str, Fraction] = defaultdict(Fraction)
        for connection in layer.connections:
            if connection.graded is graded:
                sums[connection.kind] += counts.per_inference(connection.sops)
        if sums:
            yield Quantity(name, (tuple(Line(n, (f"sop_{kind}", "sop", last)) for kind, n in sums.items()),))


def _network(layer: LayerCounts, counts: Counts, activity: CoreActivity | None) -> Iterator[Quantity]:
    """Messages and their ways over the mesh; without cores nobody knows them."""
    if activity is None:
        nothing = Line(Fraction(0), ("message",))
        yield Quantity("messages", ((nothing,),), counted=False)
        yield Quantity("hops", ((Line(Fraction(0), ("hop_x",)), Line(Fraction(0), ("hop_y",))),), counted=False)
        return
    sent = (counts.per_inference(of[layer.name]) for of in (activity.messages, activity.hops_x, activity.hops_y))
    messages, hops_x, hops_y = sent
    yield _one("messages", messages, "message")
    yield Quantity("hops", ((Line(hops_x, ("hop_x",)), Line(hops_y, ("hop_y",))),))
    yield _one("off_chip", counts.per_inference(activity.off_chip[layer.name]), "off_chip")
