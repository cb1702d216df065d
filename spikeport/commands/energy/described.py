"""`spikeport energy NET.TOML`: what papers' conventions make of a network that is known by its shapes."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from spikeport.commands.answer import Answer, Table
from spikeport.errors import OptionMisused, PriceMissing
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.conventions import CONVENTIONS, Amounts, Convention, convention_named
from spikeport.sim.energy.described import Described, described_named
from spikeport.sim.energy.formats import format_bounds, format_count, format_ratio, format_steps
from spikeport.sim.energy.price import price_of
from spikeport.sim.energy.profile import Profile, profile_named
from spikeport.sim.energy.terms import Line, Quantity

SCHEMA = "spikeport-described-energy/1"
COLUMNS = ("layer", "MACs", "ACs", "SNN", "ANN MACs")
SUMMARY = ("convention", "MACs", "ACs", "SNN", "SNN / ANN")
UNKNOWN = "?"


@dataclass(frozen=True)
class _Priced:
    """Operations of one inference and what they cost; None where a rate is unknown or a price is missing."""

    name: str
    amounts: Amounts
    energy_pj: Bounds | None

    def to_json(self) -> dict[str, Any]:
        mac, ac = (None if n is None else float(n) for n in (self.amounts.mac, self.amounts.ac))
        return {"name": self.name, "macs": mac, "acs": ac, "energy_pj": self.energy_pj and self.energy_pj.to_json()}


def energy_described(name: str, profiles: Sequence[str], convention: str) -> Answer:
    """Counts and prices a description; its rates stand for spikes that nobody simulated.

    Raises:
        FileError: no such description. InputError: more than one profile, or one without prices for arithmetic.
    """
    if len(profiles) > 1:
        raise OptionMisused("energy", "profiles", got=len(profiles), relation="are more than", limit=1, do="name one")
    profile, chosen, described = profile_named(profiles[0]), convention_named(convention), described_named(name)
    if not {"mac", "ac"} <= set(profile.energy_pj):
        do = "name a profile of arithmetic, such as cmos45-fp32"
        raise PriceMissing(
            "energy", "profile", got=profile.name, relation="has no price for", limit="MACs and ACs", do=do
        )
    layers = _layers(described, chosen, profile)
    totals = [_total(described, one, profile) for one in CONVENTIONS.values()]
    ann_pj = profile.energy_pj["mac"].value.times(described.macs_dense)
    rows = [
        _row(layer, str(format_count(fact.macs_dense))) for layer, fact in zip(layers, described.facts, strict=True)
    ]
    rows.append(_row(next(t for t in totals if t.name == chosen.name), format_count(described.macs_dense), "all"))
    unknown = any(one.energy_pj is None for one in totals)
    notes = [
        f"ANN, one dense pass: {format_count(described.macs_dense)} MACs, {format_bounds(ann_pj)} ({profile.name})",
        *(f"note: {text}" for text in (described.note, profile.note, *chosen.caveats) if text),
        *(("note: ? needs a rate or a number of operations that the description does not state",) if unknown else ()),
        "note: this is arithmetic on shapes and stated rates; no spike was simulated",
    ]
    data = {
        "schema": SCHEMA,
        "network": {"name": described.name, "T": described.steps, "sha256": described.sha256},
        "profile": profile.to_json(),
        "convention": chosen.name,
        "layers": [layer.to_json() for layer in layers],
        "convention_sensitivity": [total.to_json() for total in totals],
        "ann": {"macs": described.macs_dense, "energy_pj": ann_pj.to_json()},
    }
    title = f"{described.name}: {format_steps(described.steps)}, convention {chosen.name}, {profile.name}"
    side = Table("by convention, per inference", SUMMARY, [_summary(total, ann_pj) for total in totals])
    return Answer(data, title, COLUMNS, rows, notes, tables=(side,))


def _layers(described: Described, convention: Convention, profile: Profile) -> list[_Priced]:
    facts = described.facts
    found = zip(facts, convention.amounts(facts, described.steps), strict=True)
    return [_Priced(fact.name, amounts, _price(amounts, profile)) for fact, amounts in found]


def _total(described: Described, convention: Convention, profile: Profile) -> _Priced:
    amounts = sum(convention.amounts(described.facts, described.steps), Amounts())
    return _Priced(convention.name, amounts, _price(amounts, profile))


def _price(amounts: Amounts, profile: Profile) -> Bounds | None:
    if amounts.mac is None or amounts.ac is None:
        return None
    return price_of(Quantity("acs", ((Line(amounts.mac, ("mac",)), Line(amounts.ac, ("ac",))),)), profile)


def _row(priced: _Priced, ann_macs: str, name: str = "") -> tuple[str, ...]:
    return (name or priced.name, _count(priced.amounts.mac), _count(priced.amounts.ac), _pj(priced.energy_pj), ann_macs)


def _summary(total: _Priced, ann_pj: Bounds) -> tuple[str, ...]:
    ratio = None if total.energy_pj is None else total.energy_pj.over(ann_pj)
    counts = (_count(total.amounts.mac), _count(total.amounts.ac))
    return (total.name, *counts, _pj(total.energy_pj), UNKNOWN if ratio is None else format_ratio(ratio))


def _count(n: Fraction | None) -> str:
    return UNKNOWN if n is None else format_count(float(n))


def _pj(energy_pj: Bounds | None) -> str:
    return UNKNOWN if energy_pj is None else format_bounds(energy_pj)
