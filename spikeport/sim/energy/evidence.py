"""What an energy rests on: each price with its evidence and source, and how a profile did against measurements."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from spikeport.sim.energy.check import Check
from spikeport.sim.energy.estimate import INTEGERS
from spikeport.sim.energy.estimated import Energy
from spikeport.sim.energy.profile import Constant, Profile, profile_named

PRICE_COLUMNS = ("Term", "Low", "Nominal", "High", "Unit", "Evidence", "Source, note")
Row = tuple[str, ...]


@dataclass(frozen=True)
class Prices:
    """A profile's prices that were used, and where they are from."""

    profile: Profile
    rows: list[Row]
    """Under `PRICE_COLUMNS`; the last are numbers of `about`, from 1."""
    about: list[str]
    """Sources and notes."""


def price_tables(energies: Sequence[Energy]) -> list[Prices]:
    """Of each profile that priced something, the main one first."""
    found: dict[str, Prices] = {}
    for energy in energies:
        found.setdefault(energy.profile.sha256, _prices(energy.profile, _used(energy)))
    for profile in (*(energy.arithmetic for energy in energies), profile_named(INTEGERS)):
        arithmetic = [(term, "pJ", profile.energy_pj[term]) for term in ("mac", "ac") if term in profile.energy_pj]
        found.setdefault(profile.sha256, _prices(profile, arithmetic))
    return list(found.values())


def _used(energy: Energy) -> Iterator[tuple[str, str, Constant]]:
    """(term, unit, constant); times and static power where they were used."""
    profile = energy.profile
    yield from ((term, "pJ", constant) for term, constant in profile.energy_pj.items())
    if energy.latency is not None:
        yield from ((term, "ns", constant) for term, constant in profile.latency_ns.items())
        for barrier in profile.barrier:
            yield f"barrier, {barrier.tiles} tile{'' if barrier.tiles == 1 else 's'}", "ns", barrier.constant
        if profile.link_bits_per_ns is not None:
            yield "link", "bits/ns", profile.link_bits_per_ns
    if energy.static_pj is not None and profile.static_w_per_chip is not None:
        yield "static, each chip", "W", profile.static_w_per_chip


def _prices(profile: Profile, used: Iterable[tuple[str, str, Constant]]) -> Prices:
    """Equal sources and equal notes are listed once."""
    rows: list[Row] = []
    numbers: dict[str, str] = {}
    for term, unit, constant in used:
        about = [numbers.setdefault(text, str(len(numbers) + 1)) for text in _about(constant)]
        value = constant.value
        limits = ("not published" if x is None else f"{x:.4g}" for x in (value.low, value.nominal, value.high))
        rows.append((term, *limits, unit, constant.evidence, ", ".join(about)))
    return Prices(profile, rows, list(numbers))


def _about(constant: Constant) -> Iterator[str]:
    """Source and note."""
    year = "" if constant.year is None or str(constant.year) in constant.source else f", {constant.year}"
    yield f"{constant.source}{year}"
    if constant.note:
        yield constant.note


def check_rows(profiles: Sequence[Profile]) -> list[Row]:
    """(profile, how it compares with a measurement, source) of each check."""
    rows: list[Row] = []
    for profile in profiles:
        rows += [(f"{profile.name}:", check.sentence, _sources(check)) for check in profile.checks]
        if not profile.checks:
            rows.append((f"{profile.name}:", "not held against any measurement.", ""))
    return rows


def _sources(check: Check) -> str:
    return f"{check.source}. {check.note}" if check.note else f"{check.source}."
