"""What operations cost on one kind of hardware, each price with its evidence and its source; read from TOML.

    [profile]                    name, title, scope, and optionally technology_nm, note, banner,
                                 latency_model, barrier_between
    [energy_pj.TERM]             pJ of one operation: nominal, evidence, source, and optionally low, high, year, note
    [latency_ns.TERM]            ns of one operation on one core, alike
    [[barrier_ns]]               ns to synchronise that many `tiles`, alike
    [static_w_per_chip]          W of a chip that does nothing, alike
    [link_bits_per_ns]           bits per ns over a link of the mesh, alike
    [[check]]                    an estimate by these prices beside a measurement: what, unit, measured, nominal,
                                 source, and optionally low, high, note

A limit that a file does not give was not published. Nothing in a file is executed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from spikeport.errors import UnknownName
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.check import Check, read_check
from spikeport.sim.energy.toml_section import Section, parse_toml, read_bytes, shown

SHIPPED = files("spikeport.sim.energy") / "profiles"

SCOPES = ("per_term", "all_in")
EVIDENCE = ("measured", "fitted", "simulated", "derived", "assumed")
LATENCY_MODELS = ("additive", "max_affine")
BETWEEN = ("linear", "step")

_SOPS = ("sop", "sop_dense", "sop_sparse", "sop_conv")
_NEURONS = ("neuron_active", "neuron_inactive", "neuron_access", "neuron_update")
_HOPS = ("hop_x", "hop_y")
ENERGY_TERMS = ("mac", "ac", *_SOPS, *_NEURONS, "spike_out", "message", *_HOPS)
LATENCY_TERMS = (*_SOPS, *_NEURONS, "spike_out", "message_out", "message_in", *_HOPS, "read")

_SINGLE = ("static_w_per_chip", "link_bits_per_ns")

MAX_TILES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Constant:
    """One published number, and how it came about."""

    value: Bounds
    evidence: str
    """One of `EVIDENCE`: measured on silicon, fitted to measurements, simulated, derived by arithmetic, or assumed."""
    source: str
    year: int | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values, all constants with their evidence and source."""
        about = {"evidence": self.evidence, "source": self.source, "year": self.year, "note": self.note}
        return {**self.value.to_json(), **about}


@dataclass(frozen=True)
class Barrier:
    """How long the cores of so many tiles take to agree that a step is over, ns."""

    tiles: int
    constant: Constant


@dataclass(frozen=True, eq=False)
class Profile:
    """One kind of hardware. What is missing from a mapping has no published price."""

    name: str
    title: str
    scope: str
    """`per_term`: prices add up. `all_in`: the price of a SOP holds everything else, at one operating point."""
    technology_nm: int | None
    note: str
    banner: str
    """What must stand wherever a number of this profile is shown; may be empty."""
    energy_pj: Mapping[str, Constant]
    """By term of `ENERGY_TERMS`. `sop` is the price of every kind of synapse that has none of its own."""
    latency_ns: Mapping[str, Constant]
    """By term of `LATENCY_TERMS`, of one core."""
    barrier: tuple[Barrier, ...]
    """By tiles, increasing."""
    barrier_between: str
    """`linear` between the entries, or `step`: the entry below holds. Empty without a barrier."""
    latency_model: str
    """One of `LATENCY_MODELS`; empty without latencies."""
    static_w_per_chip: Constant | None
    link_bits_per_ns: Constant | None
    checks: tuple[Check, ...]
    """Against measurements that none of these constants was made from."""
    path: str
    sha256: str
    """Of the file's bytes."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, all constants with their evidence and source."""
        plain = ("name", "title", "scope", "technology_nm", "note", "banner", "barrier_between", "latency_model")
        return {
            **{name: getattr(self, name) for name in (*plain, "path", "sha256")},
            "energy_pj": {term: constant.to_json() for term, constant in self.energy_pj.items()},
            "latency_ns": {term: constant.to_json() for term, constant in self.latency_ns.items()},
            "barrier_ns": [{"tiles": b.tiles, **b.constant.to_json()} for b in self.barrier],
            "static_w_per_chip": self.static_w_per_chip and self.static_w_per_chip.to_json(),
            "link_bits_per_ns": self.link_bits_per_ns and self.link_bits_per_ns.to_json(),
            "checks": [check.to_json() for check in self.checks],
        }


def profile_names() -> tuple[str, ...]:
    """Names of the shipped profiles, in the alphabet's order."""
    return tuple(sorted(e.name.removesuffix(".toml") for e in SHIPPED.iterdir() if e.name.endswith(".toml")))


def profile_named(name: str) -> Profile:
    """A shipped profile by its name, or any other by the path of its .toml file.

    Raises InputError if there is no such profile, FileError if the file is not a profile.
    """
    if name in profile_names():
        return parse_profile(f"spikeport/sim/energy/profiles/{name}.toml", (SHIPPED / f"{name}.toml").read_bytes())
    if name.endswith(".toml"):
        return parse_profile(name, read_bytes(name))
    known, do = ", ".join(profile_names()), "name one of them, or the path of a .toml file"
    raise UnknownName("energy", "profile", got=shown(name), relation="is not one of", limit=known, do=do)


def parse_profile(path: str, content: bytes) -> Profile:
    """The profile that a file's bytes spell. Raises FileError, which names the file and the key at fault."""
    top = parse_toml(path, content)
    top.only(("profile", "energy_pj", "latency_ns", "barrier_ns", "check", *_SINGLE))
    head = top.section("profile")
    head.only(("name", "title", "scope", "technology_nm", "note", "banner", "latency_model", "barrier_between"))
    if not _NAME.fullmatch(head.text("name")):
        head.refuse("name", "is not", "1 to 64 letters, digits, '-', '_' and '.'")
    static, link = (_constant(top.section(name)) if name in top.values else None for name in _SINGLE)
    profile = Profile(
        name=head.text("name"),
        title=head.text("title"),
        scope=head.choice("scope", SCOPES),
        technology_nm=head.integer("technology_nm", 1, 100_000) if "technology_nm" in head.values else None,
        note=head.text("note", ""),
        banner=head.text("banner", ""),
        energy_pj=_constants(top, "energy_pj", ENERGY_TERMS),
        latency_ns=_constants(top, "latency_ns", LATENCY_TERMS),
        barrier=_barrier(top),
        barrier_between=head.choice("barrier_between", BETWEEN, ""),
        latency_model=head.choice("latency_model", LATENCY_MODELS, ""),
        static_w_per_chip=static,
        link_bits_per_ns=link,
        checks=tuple(read_check(section) for section in top.sections("check")),
        path=path,
        sha256=sha256(content).hexdigest(),
    )
    _check_energy(profile, top)
    _check_latency(profile, top, head)
    return profile


def _check_energy(profile: Profile, top: Section) -> None:
    if not profile.energy_pj:
        top.refuse("energy_pj", "has no terms", do="give one at least, such as [energy_pj.sop]")
    if profile.scope == "per_term":
        return
    for term in (term for term in profile.energy_pj if term != "sop"):
        top.section("energy_pj").refuse(term, "is inside sop already", do='leave it out, or say scope = "per_term"')
    if profile.static_w_per_chip:
        top.refuse("static_w_per_chip", "is inside sop already", do='leave it out, or say scope = "per_term"')


def _check_latency(profile: Profile, top: Section, head: Section) -> None:
    timed = bool(profile.latency_ns or profile.barrier)
    if timed != bool(profile.latency_model):
        head.refuse("latency_model", "is missing" if timed else "has no latency_ns and no barrier_ns to go with")
    if bool(profile.barrier) != bool(profile.barrier_between):
        head.refuse("barrier_between", "is missing" if profile.barrier else "has no barrier_ns to go with")


def _constants(top: Section, name: str, terms: tuple[str, ...]) -> Mapping[str, Constant]:
    """In the order of `terms`. Neurons are priced by their state, or by what is done to them, not by both."""
    if name not in top.values:
        return MappingProxyType({})
    section = top.section(name)
    section.only(terms)
    by_state, by_work = ([t for t in pair if t in section.values] for pair in (_NEURONS[:2], _NEURONS[2:]))
    if by_state and by_work:
        section.refuse(by_state[0], "counts neurons twice beside", section.at(by_work[0]), "leave out one of them")
    return MappingProxyType({t: _constant(section.section(t)) for t in terms if t in section.values})


def _barrier(top: Section) -> tuple[Barrier, ...]:
    barriers: dict[int, Barrier] = {}
    for row in top.sections("barrier_ns"):
        tiles = row.integer("tiles", 1, MAX_TILES)
        if tiles in barriers:
            row.refuse("tiles", "is there already")
        barriers[tiles] = Barrier(tiles, _constant(row, "tiles"))
    return tuple(barriers[tiles] for tiles in sorted(barriers))


def _constant(section: Section, *beside: str) -> Constant:
    section.only((*beside, "nominal", "low", "high", "evidence", "source", "year", "note"))
    nominal = section.number("nominal")
    low, high = (section.number(name) if name in section.values else None for name in ("low", "high"))
    if low is not None and low > nominal:
        section.refuse("low", "exceeds nominal", nominal)
    if high is not None and high < nominal:
        section.refuse("high", "is below nominal", nominal)
    return Constant(
        Bounds(low, nominal, high),
        section.choice("evidence", EVIDENCE),
        section.text("source"),
        section.integer("year", 1900, 2200) if "year" in section.values else None,
        section.text("note", ""),
    )
