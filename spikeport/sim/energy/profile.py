"""What operations cost on one kind of hardware, each price with its evidence and its source; read from TOML.

    [profile]                    name, title, scope, and optionally technology_nm, note, banner,
                                 latency_model, barrier_between
    [energy_pj.TERM]             pJ of one operation: nominal, evidence, source, and optionally low, high, year, note
    [latency_ns.TERM]            ns of one operation on one core, alike
    [[barrier_ns]]               ns to synchronise that many `tiles`, alike
    [static_w_per_chip]          W of a chip that does nothing, alike
    [link_bits_per_ns]           bits per ns over a link of the mesh, alike

A limit that a file does not give was not published. Nothing in a file is executed.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from spikeport.errors import FileError, InputError
from spikeport.sim.energy.bounds import Bounds

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

MAX_BYTES = 1 << 20
MAX_VALUE = 1e15
MAX_TEXT = 2000
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
    path: str
    sha256: str
    """Of the file's bytes."""

    def to_json(self) -> dict[str, Any]:
        plain = ("name", "title", "scope", "technology_nm", "note", "banner", "barrier_between", "latency_model")
        return {
            **{name: getattr(self, name) for name in (*plain, "path", "sha256")},
            "energy_pj": {term: constant.to_json() for term, constant in self.energy_pj.items()},
            "latency_ns": {term: constant.to_json() for term, constant in self.latency_ns.items()},
            "barrier_ns": [{"tiles": b.tiles, **b.constant.to_json()} for b in self.barrier],
            "static_w_per_chip": self.static_w_per_chip and self.static_w_per_chip.to_json(),
            "link_bits_per_ns": self.link_bits_per_ns and self.link_bits_per_ns.to_json(),
        }


def profile_names() -> tuple[str, ...]:
    """Of the profiles inside the package."""
    return tuple(sorted(e.name.removesuffix(".toml") for e in SHIPPED.iterdir() if e.name.endswith(".toml")))


def profile_named(name: str) -> Profile:
    """A shipped profile by its name, or any other by the path of its .toml file.

    Raises InputError if there is no such profile, FileError if the file is not a profile.
    """
    if name in profile_names():
        return parse_profile(f"spikeport/sim/energy/profiles/{name}.toml", (SHIPPED / f"{name}.toml").read_bytes())
    if not name.endswith(".toml"):
        known, do = ", ".join(profile_names()), "name one of them, or the path of a .toml file"
        raise InputError("energy", "profile", got=_shown(name), relation="is not one of", limit=known, do=do)
    try:
        if not Path(name).is_file():
            raise FileError(name, "is not a file")
        with open(name, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(_shown(name), "cannot be read", got=error) from error
    return parse_profile(name, content)


def parse_profile(path: str, content: bytes) -> Profile:
    """The profile that the file's bytes spell. Raises FileError, which names the file and the key at fault."""
    if len(content) > MAX_BYTES:
        raise FileError(path, "size", relation="exceeds", limit=f"{MAX_BYTES} bytes", do="name a profile")
    try:
        table = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:  # tomllib's own error, no UTF-8, endless digits, endless brackets
        raise FileError(path, "is not TOML", got=_shown(str(error))) from error
    top = _Section(path, "", table)
    top.only("profile", "energy_pj", "latency_ns", "barrier_ns", "static_w_per_chip", "link_bits_per_ns")
    head = top.section("profile")
    head.only(
        "name", "title", "scope", "technology_nm", "note", "banner", "latency_model", "barrier_between"
    )  # fmt: skip
    if not _NAME.fullmatch(name := head.text("name")):
        head.refuse("name", "is not", "letters, digits, '-', '_' and '.', 64 at most")
    profile = Profile(
        name=name,
        title=head.text("title"),
        scope=head.choice("scope", SCOPES),
        technology_nm=head.integer("technology_nm", 1, 100_000),
        note=head.text("note", ""),
        banner=head.text("banner", ""),
        energy_pj=_constants(top, "energy_pj", ENERGY_TERMS),
        latency_ns=_constants(top, "latency_ns", LATENCY_TERMS),
        barrier=_barrier(top),
        barrier_between=head.choice("barrier_between", BETWEEN, ""),
        latency_model=head.choice("latency_model", LATENCY_MODELS, ""),
        static_w_per_chip=_constant(top.section("static_w_per_chip")) if "static_w_per_chip" in table else None,
        link_bits_per_ns=_constant(top.section("link_bits_per_ns")) if "link_bits_per_ns" in table else None,
        path=path,
        sha256=sha256(content).hexdigest(),
    )
    _check(profile)
    return profile


def _check(profile: Profile) -> None:
    """What the keys must be to each other."""

    def refuse(what: str, relation: str, limit: str, do: str = "") -> NoReturn:
        raise FileError(profile.path, what, relation=relation, limit=limit, do=do)

    if not profile.energy_pj:
        refuse("energy_pj", "has", "no terms", "give at least one, such as [energy_pj.sop]")
    if profile.scope == "all_in":
        for term in profile.energy_pj.keys() - {"sop"}:
            refuse(f"energy_pj.{term}", "is already inside", "sop, since profile.scope is all_in")
        if profile.static_w_per_chip:
            refuse("static_w_per_chip", "is already inside", "sop, since profile.scope is all_in")
    for key, terms in (("energy_pj", profile.energy_pj), ("latency_ns", profile.latency_ns)):
        by_state, by_change = ([t for t in names if t in terms] for names in (_NEURONS[:2], _NEURONS[2:]))
        if by_state and by_change:
            refuse(f"{key}.{by_state[0]}", "would count neurons twice beside", f"{key}.{by_change[0]}")
    timed = bool(profile.latency_ns or profile.barrier)
    for name, given, needed in (("latency_model", profile.latency_model, timed),
                                ("barrier_between", profile.barrier_between, bool(profile.barrier))):  # fmt: skip
        if bool(given) != needed:
            key = "latency_ns or barrier_ns" if name == "latency_model" else "barrier_ns"
            refuse(f"profile.{name}", "is missing beside" if needed else "needs", key)


def _constants(top: "_Section", name: str, terms: tuple[str, ...]) -> Mapping[str, Constant]:
    """In the order of `terms`."""
    if name not in top.values:
        return MappingProxyType({})
    section = top.section(name)
    section.only(*terms)
    return MappingProxyType({t: _constant(section.section(t)) for t in terms if t in section.values})


def _barrier(top: "_Section") -> tuple[Barrier, ...]:
    rows = top.values.get("barrier_ns", [])
    if not isinstance(rows, list):
        top.refuse("barrier_ns", "is not", "a list of tables, [[barrier_ns]]")
    barriers: dict[int, Barrier] = {}
    for i in range(len(rows)):
        row = _Section(top.file, f"barrier_ns.{i}", rows[i]) if isinstance(rows[i], dict) else None
        if row is None:
            top.refuse("barrier_ns", "is not", "a list of tables, [[barrier_ns]]")
        tiles = row.integer("tiles", 1, 1_000_000)
        if tiles is None:
            row.refuse("tiles", "is missing")
        if tiles in barriers:
            row.refuse("tiles", "is there", "already")
        barriers[tiles] = Barrier(tiles, _constant(row, "tiles"))
    return tuple(barriers[tiles] for tiles in sorted(barriers))


def _constant(section: "_Section", *beside: str) -> Constant:
    section.only("low", "nominal", "high", "evidence", "source", "year", "note", *beside)
    low, nominal, high = (section.number(name) for name in ("low", "nominal", "high"))
    if nominal is None:
        section.refuse("nominal", "is missing")
    if low is not None and low > nominal:
        section.refuse("low", "exceeds nominal", nominal)
    if high is not None and high < nominal:
        section.refuse("high", "is below nominal", nominal)
    return Constant(
        Bounds(low, nominal, high),
        section.choice("evidence", EVIDENCE),
        section.text("source"),
        section.integer("year", 1900, 2200),
        section.text("note", ""),
    )


@dataclass(frozen=True)
class _Section:
    """One table of a file, and how its keys are read: each is what it should be, or an error names it."""

    file: str
    key: str
    values: dict[str, Any]

    def refuse(self, name: str, relation: str, limit: object = None, do: str = "") -> NoReturn:
        what, got = f"{self.key}.{name}".strip("."), self.values.get(name)
        shown = None if got is None else _shown(got)
        raise FileError(self.file, what, got=shown, relation=relation, limit=limit, do=do)

    def only(self, *names: str) -> None:
        for name in self.values:
            if name not in names:
                where = f"{self.key}: unknown key".lstrip(": ")
                raise FileError(self.file, where, got=_shown(name), relation="is not one of", limit=", ".join(names))

    def section(self, name: str) -> "_Section":
        if not isinstance(self.values.get(name), dict):
            self.refuse(name, "is not a table" if name in self.values else "is missing")
        return _Section(self.file, f"{self.key}.{name}".strip("."), self.values[name])

    def text(self, name: str, default: str | None = None) -> str:
        """One line, whatever the line breaks of the file."""
        value = self.values.get(name, default)
        if value is None:
            self.refuse(name, "is missing")
        line = " ".join(value.split()) if isinstance(value, str) else ""
        if not isinstance(value, str) or not line.isprintable() or len(line) > MAX_TEXT:
            self.refuse(name, "is not", f"printable text of at most {MAX_TEXT} characters")
        if not line and default is None:
            self.refuse(name, "is empty")
        return line

    def choice(self, name: str, options: tuple[str, ...], default: str | None = None) -> str:
        value = self.values.get(name, default)
        if value is None:
            self.refuse(name, "is missing", do=f"give one of {', '.join(options)}")
        if name in self.values and value not in options:
            self.refuse(name, "is not one of", ", ".join(options))
        return str(value)

    def number(self, name: str) -> float | None:
        value = self.values.get(name)
        if value is None:
            return None
        if type(value) not in (int, float) or not 0 <= value <= MAX_VALUE:
            self.refuse(name, "is not", f"a number from 0 to {MAX_VALUE:g}")
        return float(value) + 0.0  # no -0.0

    def integer(self, name: str, least: int, most: int) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if type(value) is not int or not least <= value <= most:
            self.refuse(name, "is not", f"an integer from {least} to {most}")
        return value


def _shown(value: object) -> str:
    """Anything from a file within an error: ASCII, one line, short."""
    text = ascii(value)
    return text if len(text) <= 64 else f"{text[:61]}..."
