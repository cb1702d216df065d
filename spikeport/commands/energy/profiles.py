"""`spikeport profiles`: what operations cost, by whom, and how sure that is."""

from spikeport.commands.answer import Answer
from spikeport.sim.energy.profile import Constant, Profile, profile_named, profile_names

COLUMNS = ("profile", "scope", "prices, pJ", "times, ns", "what it is")
CONSTANT_COLUMNS = ("constant", "low", "nominal", "high", "evidence", "source", "year", "note")


def profiles(name: str | None) -> Answer:
    """All shipped profiles, or every constant of one."""
    return _all() if name is None else _one(profile_named(name))


def _all() -> Answer:
    found = [profile_named(name) for name in profile_names()]
    rows = [(p.name, p.scope, ", ".join(p.energy_pj), ", ".join(p.latency_ns) or "–", p.title) for p in found]
    notes = ["'spikeport profiles NAME' shows each constant with its source; NAME may be a .toml file of yours"]
    return Answer({"profiles": [p.to_json() for p in found]}, "", COLUMNS, rows, notes)


def _one(profile: Profile) -> Answer:
    rows = [
        *(_row(f"{key}, pJ", constant) for key, constant in profile.energy_pj.items()),
        *(_row(f"{key}, ns", constant) for key, constant in profile.latency_ns.items()),
        *(_row(f"barrier of {barrier.tiles} tiles, ns", barrier.constant) for barrier in profile.barrier),
    ]
    for name, constant in (
        ("static, W per chip", profile.static_w_per_chip),
        ("link, bits per ns", profile.link_bits_per_ns),
    ):
        if constant is not None:
            rows.append(_row(name, constant))
    notes = [text for text in (profile.banner, profile.note) if text]
    return Answer(
        {"schema": "spikeport-profile/1", **profile.to_json()},
        f"{profile.name}: {profile.title}",
        CONSTANT_COLUMNS,
        rows,
        notes,
    )


def _row(name: str, constant: Constant) -> tuple[str, ...]:
    value, year = constant.value, "" if constant.year is None else str(constant.year)
    limits = ("?" if x is None else f"{x:g}" for x in (value.low, value.nominal, value.high))
    return (name, *limits, constant.evidence, constant.source, year, constant.note)
