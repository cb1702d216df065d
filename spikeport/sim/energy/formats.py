"""Counts, energies, times and ratios as text: three digits, the unit that fits, and bounds where they are known."""

from collections.abc import Callable
from math import inf

from spikeport.sim.energy.bounds import Bounds

_ENERGIES = (("J", 1e12), ("mJ", 1e9), ("µJ", 1e6), ("nJ", 1e3), ("pJ", 1.0))
_TIMES = (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0))


def format_count(value: float) -> str:
    """A mean count: whole numbers without a fraction, others with one digit."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def format_steps(count: int) -> str:
    return f"{count:,} step{'' if count == 1 else 's'}"


def format_energy(pj: float) -> str:
    return _in_units(pj, _ENERGIES)


def format_time(ns: float) -> str:
    return _in_units(ns, _TIMES)


def format_bounds(bounds: Bounds, each: Callable[[float], str] = format_energy) -> str:
    """`nominal (low to high)`; `?` is a bound that nobody published; no brackets where both are missing."""
    if bounds.low is None and bounds.high is None:
        return each(bounds.nominal)
    if bounds.low == bounds.nominal == bounds.high:
        return each(bounds.nominal)
    low, high = ("?" if x is None else each(x) for x in (bounds.low, bounds.high))
    return f"{each(bounds.nominal)} ({low} to {high})"


def format_factor(value: float) -> str:
    """A ratio: three digits."""
    return _three(value)


def format_ratio(bounds: Bounds) -> str:
    return format_bounds(bounds, format_factor)


def _in_units(value: float, units: tuple[tuple[str, float], ...]) -> str:
    name, scale = next((unit for unit in units if value >= unit[1]), units[-1])
    return f"{_three(value / scale)} {name}"


def _three(value: float) -> str:
    """Three digits, never in powers of ten below a thousand."""
    if value == 0 or not value < inf:
        return f"{value:g}"
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"
