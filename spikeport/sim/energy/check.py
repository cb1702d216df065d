"""A profile held against a measurement that it was not made from."""

from dataclasses import dataclass
from typing import Any

from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.formats import format_bounds, format_energy, format_time
from spikeport.sim.energy.toml_section import Section

UNITS = ("pJ", "ns")


@dataclass(frozen=True)
class Check:
    """What the profile estimates of a workload, and what was measured of it."""

    what: str
    unit: str
    """`pJ` or `ns`."""
    estimate: Bounds
    measured: float
    source: str
    """Of the measurement."""
    note: str = ""

    @property
    def off(self) -> float:
        """By how much of the measurement the nominal estimate lies above it; negative below."""
        return self.estimate.nominal / self.measured - 1

    @property
    def within(self) -> bool | None:
        """Whether the measurement lies within the estimate's bounds; None if one of them is unknown."""
        low, high = self.estimate.low, self.estimate.high
        return None if low is None or high is None else low <= self.measured <= high

    @property
    def sentence(self) -> str:
        """Both figures and how they lie to each other, in words."""
        shown = format_energy if self.unit == "pJ" else format_time
        estimate, measured = format_bounds(self.estimate, shown), shown(self.measured)
        side = "above" if self.off >= 0 else "below"
        verdicts = {None: "its bounds are not known", True: "within its bounds", False: "outside its bounds"}
        verdict = verdicts[self.within]
        told = f"{self.what}: estimated {estimate}, measured {measured}, {verdict}"
        return f"{told}; the nominal is {abs(self.off):.0%} {side} it."

    def to_json(self) -> dict[str, Any]:
        """Plain values; numbers in `unit`."""
        return {
            "what": self.what,
            "unit": self.unit,
            "estimate": self.estimate.to_json(),
            "measured": self.measured,
            "nominal_off_by": self.off,
            "within": self.within,
            "source": self.source,
            "note": self.note,
        }


def read_check(section: Section) -> Check:
    """One `[[check]]` table. Raises FileError for a key that is not what it should be."""
    section.only(("what", "unit", "measured", "low", "nominal", "high", "source", "note"))
    low, high = (section.number(name) if name in section.values else None for name in ("low", "high"))
    nominal, measured = section.number("nominal"), section.number("measured")
    if (low is not None and low > nominal) or (high is not None and high < nominal):
        section.refuse("nominal", "is not between low and high")
    if not measured:
        section.refuse("measured", "is not above", 0)
    return Check(
        section.text("what"),
        section.choice("unit", UNITS),
        Bounds(low, nominal, high),
        measured,
        section.text("source"),
        section.text("note", ""),
    )
