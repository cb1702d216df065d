"""Quantities x a profile's prices: picojoules, and what has no price."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from spikeport.sim.energy.bounds import ZERO, Bounds
from spikeport.sim.energy.profile import Profile
from spikeport.sim.energy.terms import QUANTITIES, Quantity, Way


@dataclass(frozen=True)
class Unpriced:
    """Work that the total leaves out, because the profile has no price for it or nobody counted it."""

    name: str
    amount: Fraction | None
    """In one inference; None: not counted."""

    def __str__(self) -> str:
        what = QUANTITIES.get(self.name, self.name)
        return f"{what} (not counted)" if self.amount is None else f"{what} ({_count(self.amount)})"


def price_of(quantity: Quantity, profile: Profile) -> Bounds | None:
    """In pJ, by the first way that the profile has all prices of; None if there is none.

    A profile that is `all_in` has no price for anything but synaptic operations, because that one holds the rest.
    """
    if not quantity.counted:
        return None
    return next((found for way in quantity.ways if (found := _price(way, profile)) is not None), None)


def _price(way: Way, profile: Profile) -> Bounds | None:
    total = ZERO
    for line in way:
        key = next((key for key in line.prices if key in profile.energy_pj), None)
        if key is None and line.amount:
            return None
        if key is not None:
            total += profile.energy_pj[key].value.times(line.amount)
    return total


def unpriced_of(left: Iterable[Quantity]) -> tuple[Unpriced, ...]:
    """One entry for each name, amounts added up over the layers."""
    amounts: dict[str, Fraction | None] = {}
    for quantity in left:
        before = amounts.get(quantity.name, Fraction(0))
        known = quantity.counted and before is not None
        amounts[quantity.name] = before + quantity.amount if known and before is not None else None
    return tuple(Unpriced(name, amount) for name, amount in amounts.items())


def total(parts: Iterable[Bounds]) -> Bounds:
    return sum(parts, ZERO)


def in_order(parts: Mapping[str, Bounds]) -> dict[str, Bounds]:
    """By the order of `QUANTITIES`."""
    return {name: parts[name] for name in QUANTITIES if name in parts}


def _count(value: Fraction) -> str:
    return f"{int(value):,}" if value.denominator == 1 else f"{float(value):,.1f}"
