"""What an image costs a spiking autoencoder and the ANN of its size: counts of `train`, prices of `sim`."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

from spikeport.errors import PriceMissing
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.conventions import CONVENTIONS, Amounts, Convention, total
from spikeport.sim.energy.facts import Fed, Kind, LayerFacts
from spikeport.sim.energy.formats import format_bounds, format_count, format_ratio
from spikeport.sim.energy.price import price_of
from spikeport.sim.energy.profile import Profile, profile_named
from spikeport.sim.energy.terms import Line, Quantity
from spikeport.train.measures import Operations
from spikeport.train.measures.layer_operations import LayerOperations
from spikeport.train.measures.page import EnergyTable

COLUMNS = ("task", "convention", "MACs", "ACs", "SNN", "ANN MACs", "ANN", "SNN / ANN")
NOTES = (
    "Spikes are followed to their synapses. FSVAE's latent networks are evaluated once per step, with a state; its "
    "published code evaluates all steps so far at each step.",
    "The ANN has the same channels and computes once, without a posterior or prior network.",
    "A paper's convention takes mean rates times shapes; exact counts the very spikes.",
)


@dataclass(frozen=True)
class PricedTask:
    """One task by one convention."""

    task: str
    convention: str
    amounts: Amounts
    snn_pj: Bounds
    ann_macs: int
    ann_pj: Bounds

    def to_json(self) -> dict[str, Any]:
        ratio = self.snn_pj.over(self.ann_pj)
        return {
            "task": self.task,
            "convention": self.convention,
            "macs": float(cast(Fraction, self.amounts.mac)),
            "acs": float(cast(Fraction, self.amounts.ac)),
            "snn_pj": self.snn_pj.to_json(),
            "ann_macs": self.ann_macs,
            "ann_pj": self.ann_pj.to_json(),
            "ratio": ratio and ratio.to_json(),
        }

    def row(self) -> tuple[str, ...]:
        mac, ac = (format_count(float(cast(Fraction, n))) for n in (self.amounts.mac, self.amounts.ac))
        ratio = self.snn_pj.over(self.ann_pj)
        ann = (format_count(self.ann_macs), format_bounds(self.ann_pj))
        return (
            self.task,
            self.convention,
            mac,
            ac,
            format_bounds(self.snn_pj),
            *ann,
            ratio and format_ratio(ratio) or "?",
        )


def arithmetic_profile(name: str) -> Profile:
    """Raises InputError if there is no such profile, or it has no price for MACs or accumulates."""
    profile = profile_named(name)
    if not {"mac", "ac"} <= set(profile.energy_pj):
        do = "name a profile of arithmetic, such as cmos45-fp32"
        what = "has no price for"
        raise PriceMissing("evaluate", "profile", got=profile.name, relation=what, limit="MACs and ACs", do=do)
    return profile


def priced_tasks(
    tasks: tuple[Operations, Operations], ann: tuple[Operations, Operations], profile: Profile
) -> tuple[PricedTask, ...]:
    """Each task by each convention, of one image.

    Args:
        tasks, ann: Reconstruction and generation.
        profile: An `arithmetic_profile`.
    """
    pairs = list(zip(tasks, ann, strict=True))
    return tuple(_priced(snn, of_ann, one, profile) for snn, of_ann in pairs for one in CONVENTIONS.values())


def energy_table(priced: tuple[PricedTask, ...], profile: Profile, samples: int) -> EnergyTable:
    """For people."""
    notes = (f"Means over {samples:,} images, prices of {profile.name}.", *NOTES)
    return EnergyTable(COLUMNS, [one.row() for one in priced], notes)


def facts_of(operations: Operations) -> tuple[LayerFacts, ...]:
    """The layers as the conventions take them, means over the samples."""
    return tuple(_facts(layer, operations) for layer in operations.layers)


def _facts(layer: LayerOperations, of: Operations) -> LayerFacts:
    spikes = layer.fed == "spikes"
    return LayerFacts(
        name=layer.name,
        kind=cast(Kind, layer.kind),
        fed=cast(Fed, layer.fed),
        passes=Fraction(layer.passes),
        slots=layer.slots,
        outputs=layer.outputs,
        bias=layer.bias,
        macs_dense=layer.macs_dense,
        macs_valid=layer.macs_valid,
        macs_by_output=layer.macs_by_output,
        elements=layer.elements,
        rate=Fraction(layer.events, layer.slots * of.steps * of.samples) if spikes else None,
        sops=Fraction(layer.sops, of.samples) if spikes else None,
    )


def _priced(snn: Operations, ann: Operations, convention: Convention, profile: Profile) -> PricedTask:
    amounts = total(convention.amounts(facts_of(snn), snn.steps))
    assert amounts.mac is not None and amounts.ac is not None  # every rate was counted
    lines = (Line(amounts.mac, ("mac",)), Line(amounts.ac, ("ac",)))
    snn_pj = price_of(Quantity("acs", (lines,)), profile)
    assert snn_pj is not None
    ann_pj = profile.energy_pj["mac"].value.times(ann.macs)
    return PricedTask(snn.task, convention.name, amounts, snn_pj, ann.macs, ann_pj)
