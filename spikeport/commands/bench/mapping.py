"""`spikeport bench mapping`: mappings beside the naive one, on every network of the zoo."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeport.bench.sim import machine
from spikeport.chip import Chip, chip_named
from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.bench.kept import keep, markdown, prepare
from spikeport.commands.bench.zoo import Sample, names, pixels_of, sample
from spikeport.commands.mapping.searched import activity_of, busiest_ns, mapped
from spikeport.deploy.cores import CoreMap, map_cores
from spikeport.deploy.cores.loads import limits_of
from spikeport.deploy.cores.mesh import places_of
from spikeport.deploy.cores.naive import least_cores, least_ns, naive_map
from spikeport.deploy.cores.problem import Problem, Seated
from spikeport.deploy.cores.work import traffic_of
from spikeport.errors import FileKind, FileMismatch, UnknownName
from spikeport.progress import counted
from spikeport.sim.energy import Profile, profile_named

SCHEMA = "spikeport-bench-mapping/2"
PROFILE = "loihi2-estimate"
CHIP = "loihi2"
COUNTED = 10_000
"""Cores of a naive mapping, up to which a count core by core takes less than some 2 GB."""
PAIRS = 1_000_000
"""Of cores, whose ways are added up at once."""
QUICK = ("digits", "digits-alif")
WAYS = ("naive", "packed", "searched")
COLUMNS = ("network", "neurons", "cores", "busiest core", "fullest core", "hops in a step", "least cores",
           "least busy", "fewer, lower", "search, CPU")  # fmt: skip


def bench_mapping(nets: Sequence[str], quick: bool, wheel: Path | None, output: Path | None) -> Answer:
    """Maps each network three ways, those of large pictures last; in `quick` form two small ones.

    Of some networks alone, the rows of all others stay that are in the file.

    Raises:
        UnknownName: a network that there is none of, or rows in the file that do not belong beside new ones.
        FileError: the file is no such table, or cannot be written.
    """
    if unknown := [net for net in nets if net not in names()]:
        raise UnknownName("bench", "network", got=unknown[0], relation="is not one of", limit=", ".join(names()))
    chosen = nets or (QUICK if quick else ())
    head = {"schema": SCHEMA, "machine": machine(), "chip": CHIP, "profile": PROFILE}
    found = kept_rows(output / "mapping.json", head) if output is not None and chosen else {}
    prepare(output)
    wanted = sorted(dict.fromkeys(chosen or names()), key=pixels_of)
    kept = len(found.keys() - set(wanted))
    for name in counted(wanted, "mapping", "networks"):
        say(name)
        found[name] = measured(sample(name, wheel), chip_named(CHIP), profile_named(PROFILE))
        data = _table(head, found)
        rows, notes = [_row(one) for one in data["networks"]], list(_notes(data))
        wrote = keep(output, "mapping", data, markdown(rows, notes, COLUMNS))  # after each, for all of them take long
    if kept:
        notes.append(f"{kept} of {'another network' if kept == 1 else 'other networks'} as in the file before")
    return Answer(data, "spikeport bench mapping", COLUMNS, rows, notes + wrote)


def kept_rows(path: Path, head: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The file's rows by network; none where there is no file.

    Raises:
        FileError: it is no such table.
        FileMismatch: it was measured with something else.
    """
    if not path.exists():
        return {}
    try:
        data = json.loads(path.read_text())
        before, rows = {key: data[key] for key in head}, {one["name"]: one for one in data["networks"]}
        parts = {**before, **_parts(before["machine"])}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileKind(str(path), "is no table of mappings", do="write to another folder") from error
    for key, now in {**head, **_parts(head["machine"])}.items():
        if key != "machine" and parts.get(key) != now:
            do = "measure all networks anew, or write to another folder"
            raise FileMismatch(str(path), key, got=parts.get(key), relation="is not", limit=now, do=do)
    return rows


def _parts(machine: Mapping[str, str]) -> dict[str, str]:
    """What has to be the same of two: all but how busy it was."""
    return {key: value for key, value in machine.items() if key != "load before"}


def _table(head: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {**head, "networks": [found[name] for name in names() if name in found]}


def measured(one: Sample, chip: Chip, profile: Profile) -> dict[str, Any]:
    """The naive mapping, the greedy one that packs blocks, and what the search finds on fewer cores than the naive."""
    naive, packed = naive_map(one.program, chip), map_cores(one.program, chip)
    start = time.process_time()
    searched = mapped(one.program, chip, one.result, profile, start=packed, cores=max(1, naive.cores - 1))
    seconds = time.process_time() - start
    maps = dict(zip(WAYS, (naive, packed, searched), strict=True))
    activity, counted = activity_of(one.program, one.result, profile), naive.cores <= COUNTED
    problem = Problem(one.program, chip, activity)
    found = {way: _facts(one, core_map, problem, profile if counted else None) for way, core_map in maps.items()}
    return {
        "name": one.name,
        "neurons": sum(group.size for group in one.program.groups),
        "least_cores": least_cores(one.program, chip),
        "least_ns": least_ns(one.program, activity, max(1, naive.cores - 1)),
        "counted": counted,
        **found,
        "fewer": found["searched"]["cores"] < found["naive"]["cores"],
        "lower": found["searched"]["busiest_ns"] < found["naive"]["busiest_ns"],
        "search_s": seconds,
    }


def _facts(one: Sample, core_map: CoreMap, problem: Problem, profile: Profile | None) -> dict[str, Any]:
    """Of a mapping, all by the run but memory; without a profile, the busiest core is that of the means."""
    seated = Seated(core_map.where.cuts, core_map.where.of_block)
    ns = busiest_ns(one.program, one.result, core_map, profile) if profile else problem.busiest(seated)
    assert ns is not None  # the profile has times
    limits = limits_of(core_map.chip)
    return {
        "cores": core_map.cores,
        "chips": core_map.chips,
        "busiest_ns": ns,
        "fullest": max(float(core_map.loads[name].max()) / limit for name, limit in limits.items()),
        "words": float(core_map.loads["synapses"].max()) / limits["synapses"],
        "hops": _hops(problem, core_map),
    }


def _hops(problem: Problem, core_map: CoreMap) -> float:
    """In a step, way by way: a naive mapping has hundreds of millions of pairs of cores."""
    where, found = core_map.where, 0.0
    number, places = where.numbers[where.of_block], places_of(core_map.chip, int(where.numbers.max()) + 1)
    for name in where.cuts:
        for target, traffic in traffic_of(problem.program, problem.activity, name, where.cuts):
            for first in range(0, len(traffic.messages), PAIRS):
                source, to, messages = (one[first : first + PAIRS] for one in traffic)
                ways = places.ways(number[where.first[name] + source], number[where.first[target] + to])
                found += float(ways @ messages)
    return found


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
        f"{one['least_ns'] / 1e3:.3g} µs",
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
    yield "least cores: no mapping has fewer, for that many are full of what whole layers ask for"
    yield (
        "least busy: no mapping on one core less than the naive one leaves less to its busiest core, for all there is "
        "to do, but for messages, is then in equal shares"
    )
    if means := [one["name"] for one in data["networks"] if not one["counted"]]:
        yield (
            f"{', '.join(means)}: the busiest core by each core's means over the run, for a count of the naive "
            f"mapping's more than {COUNTED:,} cores, step by step, takes up to 10 GB and more"
        )
    for one in data["networks"]:
        if not (one["fewer"] and one["lower"]):
            yield f"{one['name']}: {_why(one)}"


def _why(one: Mapping[str, Any]) -> str:
    """Where a goal is not met."""
    if not one["fewer"]:
        if one["naive"]["cores"] <= one["least_cores"]:
            return f"the naive mapping has the fewest cores that there can be, {one['naive']['cores']}"
        return f"no mapping on fewer than {one['naive']['cores']} cores was found; the bound is {one['least_cores']}"
    least, naive, found = (
        x / 1e3 for x in (one["least_ns"], one["naive"]["busiest_ns"], one["searched"]["busiest_ns"])
    )
    return (
        f"on {one['searched']['cores']:,} cores the busiest has {found:.4g} µs, and {naive:.4g} µs in the naive "
        f"mapping; none on one core less than that can have below {least:.4g} µs"
    )
