"""`spikeport bench mapping`: mappings beside the naive one, on every network of the zoo."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeport.bench.sim import machine
from spikeport.chip import Chip, chip_named
from spikeport.commands.answer import Answer, say
from spikeport.commands.bench.bench import markdown
from spikeport.commands.bench.zoo import Sample, names, sample
from spikeport.commands.mapping.searched import activity_of, busiest_ns, mapped
from spikeport.deploy.cores import CoreMap, map_cores
from spikeport.deploy.cores.loads import limits_of
from spikeport.deploy.cores.mesh import cost, places_of
from spikeport.deploy.cores.naive import least_cores, naive_map
from spikeport.deploy.cores.problem import Problem, Seated
from spikeport.deploy.cores.search import messages_between
from spikeport.errors import UnknownName
from spikeport.sim.energy import Profile, profile_named

SCHEMA = "spikeport-bench-mapping/1"
PROFILE = "loihi2-estimate"
CHIP = "loihi2"
QUICK = ("digits", "digits-alif")
WAYS = ("naive", "packed", "searched")
COLUMNS = ("network", "neurons", "cores", "busiest core", "fullest core", "hops in a step", "least", "fewer, lower",
           "search")  # fmt: skip


def bench_mapping(nets: Sequence[str], quick: bool, wheel: Path | None, output: Path | None) -> Answer:
    """Maps each network three ways; in `quick` form two small ones.

    Raises:
        InputError: a network that there is none of.
    """
    if unknown := [net for net in nets if net not in names()]:
        raise UnknownName("bench", "network", got=unknown[0], relation="is not one of", limit=", ".join(names()))
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, Any]] = []
    data = {"schema": SCHEMA, "machine": machine(), "chip": CHIP, "profile": PROFILE, "networks": found}
    for name in nets or (QUICK if quick else names()):
        say(name)
        found.append(measured(sample(name, wheel), chip_named(CHIP), profile_named(PROFILE)))
        if output is not None:  # after each, for all of them take long
            _write(output, data)
    notes = list(_notes(data))
    if output is not None:
        notes.append(f"wrote {output / 'mapping.json'} and {output / 'mapping.md'}")
    return Answer(data, "spikeport bench mapping", COLUMNS, [_row(one) for one in found], notes)


def _write(output: Path, data: Mapping[str, Any]) -> None:
    (output / "mapping.json").write_text(json.dumps(data, indent=1) + "\n")
    (output / "mapping.md").write_text(markdown([_row(one) for one in data["networks"]], list(_notes(data)), COLUMNS))


def measured(one: Sample, chip: Chip, profile: Profile) -> dict[str, Any]:
    """The naive mapping, the greedy one that packs blocks, and what the search finds on fewer cores than the naive."""
    naive, packed = naive_map(one.program, chip), map_cores(one.program, chip)
    start = time.perf_counter()
    searched = mapped(one.program, chip, one.result, profile, start=packed, cores=max(1, naive.cores - 1))
    seconds = time.perf_counter() - start
    maps = dict(zip(WAYS, (naive, packed, searched), strict=True))
    found = {way: _facts(one, core_map, profile) for way, core_map in maps.items()}
    return {
        "name": one.name,
        "neurons": sum(group.size for group in one.program.groups),
        "least_cores": least_cores(one.program, chip),
        **found,
        "fewer": found["searched"]["cores"] < found["naive"]["cores"],
        "lower": found["searched"]["busiest_ns"] < found["naive"]["busiest_ns"],
        "search_s": seconds,
    }


def _facts(one: Sample, core_map: CoreMap, profile: Profile) -> dict[str, Any]:
    """Of a mapping, all by the run but memory."""
    ns = busiest_ns(one.program, one.result, core_map, profile)
    assert ns is not None  # the profile has times
    problem = Problem(one.program, core_map.chip, activity_of(one.program, one.result, profile))
    messages = messages_between(problem, Seated(core_map.where.cuts, core_map.where.of_block))
    numbers = core_map.where.numbers
    limits = limits_of(core_map.chip)
    return {
        "cores": core_map.cores,
        "chips": core_map.chips,
        "busiest_ns": ns,
        "fullest": max(float(core_map.loads[name].max()) / limit for name, limit in limits.items()),
        "words": float(core_map.loads["synapses"].max()) / limits["synapses"],
        "hops": cost(places_of(core_map.chip, int(numbers.max()) + 1), numbers, messages),
    }


def _row(one: Mapping[str, Any]) -> list[str]:
    def beside(key: str, form: str) -> str:
        return " / ".join(format(one[way][key], form) for way in WAYS)

    return [
        one["name"],
        f"{one['neurons']:,}",
        beside("cores", ","),
        " / ".join(f"{one[way]['busiest_ns'] / 1e3:.3g}" for way in WAYS) + " µs",
        " / ".join(f"{one[way]['fullest']:.0%}" for way in WAYS),
        beside("hops", ",.0f"),
        f"{one['least_cores']:,}",
        ", ".join("yes" if one[key] else "no" for key in ("fewer", "lower")),
        f"{one['search_s']:.1f} s",
    ]


def _notes(data: Mapping[str, Any]) -> Iterator[str]:
    yield ", ".join(f"{key} {value}" for key, value in data["machine"].items())
    yield (
        "naive / packed / searched: one layer after the other, each core filled in row-major order and with one layer "
        "alone; the greedy mapping, small blocks of which share cores; what the search finds on at most one core less "
        "than the naive mapping has"
    )
    yield (
        f"busiest core: mean time in a step, by {data['profile']} and a count of one sample; fullest core: of neurons, "
        f"axons and words, what is used most, of its limit on a {data['chip']}"
    )
    yield "hops in a step: between cores, mean; a message to another chip counts as 32"
    yield "least: no mapping has fewer cores, for that many are full of what whole layers ask for"
    for one in data["networks"]:
        if not (one["fewer"] and one["lower"]):
            yield f"{one['name']}: {_why(one)}"


def _why(one: Mapping[str, Any]) -> str:
    """Where a goal is not met."""
    if not one["fewer"]:
        if one["naive"]["cores"] <= one["least_cores"]:
            return f"the naive mapping has the fewest cores that there can be, {one['naive']['cores']}"
        return f"no mapping on fewer than {one['naive']['cores']} cores was found; the bound is {one['least_cores']}"
    return "on fewer cores, the busiest has as much to do"
