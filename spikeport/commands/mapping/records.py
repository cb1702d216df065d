"""A mapping in plain values, for JSON, CSV and tables alike: each core, chip and group, and what crosses chips."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from spikeport.commands.mapping.design import Mapped, Ran, Searched
from spikeport.sim.counting.chip_messages import Crossing, chip_messages

SCHEMA = "spikeport-map/1"
DONE = ("spikes", "sops", "messages_in", "messages_out")
"""Of a core in a run."""


@dataclass(frozen=True, eq=False)
class Figures:
    """A mapping, and a run on it if there was one; what is the same for all cores is made once."""

    mapped: Mapped
    ran: Ran | None
    profile: str | None = None
    """Whose times say what a step waits for; the chip's own if None."""

    @cached_property
    def numbers(self) -> list[int]:
        return self.mapped.cores.numbers.tolist()

    @cached_property
    def chip_of(self) -> list[int]:
        """The number of each core's chip."""
        return self.mapped.cores.chips().tolist()

    @cached_property
    def chips(self) -> list[int]:
        """Numbers of the chips in use."""
        return sorted(set(self.chip_of))

    @cached_property
    def of_chip(self) -> dict[int, list[int]]:
        """The cores of each chip, by their places among those in use."""
        found: dict[int, list[int]] = {chip: [] for chip in self.chips}
        for core, chip in enumerate(self.chip_of):
            found[chip].append(core)
        return found

    @cached_property
    def tiles(self) -> list[list[int]]:
        return self.mapped.cores.tiles().tolist()

    @cached_property
    def neurons(self) -> list[int]:
        """Of each core, without the room that blocks leave empty."""
        return self.mapped.cores.neurons.tolist()

    @cached_property
    def needs(self) -> dict[str, list[int]]:
        return {name: needed.tolist() for name, needed in self.mapped.table.needs.items()}

    @cached_property
    def used(self) -> list[float]:
        return self.mapped.table.used.tolist()

    @cached_property
    def done(self) -> dict[str, list[int]]:
        """Of each core, over the whole run."""
        return {} if self.ran is None else {name: getattr(self.ran, name).tolist() for name in DONE}

    @cached_property
    def crossings(self) -> tuple[Crossing, ...]:
        """Of the run; without one, what a step brings at most: every neuron fires once."""
        return chip_messages(self.mapped.program, self.mapped.cores) if self.ran is None else self.ran.crossings

    @cached_property
    def chip_records(self) -> list[dict[str, Any]]:
        return [chip_record(self, chip) for chip in self.chips]

    @cached_property
    def crossing_records(self) -> list[dict[str, Any]]:
        return [crossing_record(self, crossing) for crossing in self.crossings]

    def busiest(self, count: int) -> list[int]:
        """The cores with the most SOPs; of equals the first."""
        assert self.ran is not None
        return np.argsort(-self.ran.sops, kind="stable")[:count].tolist()

    def per_step(self, count: int) -> float:
        return 0.0 if self.ran is None else float(Fraction(count, self.ran.steps))


def core_record(of: Figures, core: int) -> dict[str, Any]:
    """One core; counts of a run are sums over it."""
    table = of.mapped.table
    return {
        "core": of.numbers[core],
        "chip": of.chip_of[core],
        "tile": of.tiles[core],
        "groups": list(table.groups[core]),
        "neurons": of.neurons[core],
        "needs": {_key(name): needed[core] for name, needed in of.needs.items()},
        "used": round(of.used[core], 4),
        "limited_by": table.limited_by[core],
        **{name: counts[core] for name, counts in of.done.items()},
    }


def chip_record(of: Figures, chip: int) -> dict[str, Any]:
    """One chip: its cores' sums, and how many of them each group is on."""
    cores, table = of.of_chip[chip], of.mapped.table
    on = Counter(group for core in cores for group in table.groups[core])
    return {
        "chip": chip,
        "cores": len(cores),
        "neurons": sum(of.neurons[core] for core in cores),
        "synapse_words": sum(of.needs["synapses"][core] for core in cores),
        "used_mean": round(sum(of.used[core] for core in cores) / len(cores), 4),
        "used_most": round(max(of.used[core] for core in cores), 4),
        "groups": dict(on),
        **{name: sum(counts[core] for core in cores) for name, counts in of.done.items() if "messages" not in name},
    }


def group_record(of: Figures, group: str) -> dict[str, Any]:
    """One group: of each resource the most that one of its cores needs; what else is on them counts."""
    table = of.mapped.table
    cores = table.of_group(group)
    fullest = int(cores[table.used[cores].argmax()])
    found: dict[str, Any] = {
        "group": group,
        "neurons": int(of.mapped.program.group(group).size),
        "cores": len(cores),
        "shared_cores": sum(len(table.groups[core]) > 1 for core in cores.tolist()),
        "chips": sorted({of.chip_of[core] for core in cores.tolist()}),
        "limited_by": table.limited_by[fullest],
        "used": round(float(table.used[fullest]), 4),
        "used_mean": round(float(table.used[cores].mean()), 4),
        "fullest_core": {_key(name): int(needed[cores].max()) for name, needed in table.needs.items()},
    }
    if of.ran is not None:
        activity = of.ran.activity
        found |= {"messages": activity.messages[group], "off_chip": activity.off_chip[group]}
    return found


def crossing_record(of: Figures, crossing: Crossing) -> dict[str, Any]:
    """One connection; by pairs of chips what leaves its chip."""
    pairs = crossing.messages.tocoo()
    ends = zip(*(axis.tolist() for axis in (*pairs.coords, pairs.data)), strict=True)
    return {
        "source": crossing.source,
        "target": crossing.target,
        "inside": crossing.inside,
        "across": crossing.across,
        "chips": [[of.chips[a], of.chips[b], n] for a, b, n in ends if a != b],
    }


def document(of: Figures, program: str, cores: bool) -> dict[str, Any]:
    """Everything, for programs.

    Args:
        cores: Whether every core is listed.
    """
    one = of.mapped
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "program": program,
        "target": one.chip.name,
        "fits": not one.over,
        "over": [asdict(v) for v in one.over],
        "fits_one_chip": not one.of_chip,
        "violations": [asdict(v) for v in one.of_chip],
        "cores_used": one.cores.count,
        "chips_used": one.chips,
        "chip": {
            "cores": one.chip.cores_per_chip,
            "cores_per_tile": one.chip.cores_per_tile,
            "mesh": list(one.chip.mesh),
            "chips_per_system": one.chip.chips_per_system,
        },
        "search": None if one.searched is None else _search(one.searched),
        "limits": {_key(name): one.table.limits.get(name) for name in one.table.needs},
        "groups": [group_record(of, group.name) for group in one.program.groups],
        "chips": of.chip_records,
        "between_chips": {
            "counted": "most of a step, if every neuron fires" if of.ran is None else "messages of the whole run",
            "connections": of.crossing_records,
        },
        "activity": None if of.ran is None else _activity(of, of.ran),
    }
    if cores:
        found["cores"] = [core_record(of, core) for core in range(one.cores.count)]
    return found


def _search(found: Searched) -> dict[str, Any]:
    return {
        "activity": "measured" if found.measured else "assumed",
        "profile": found.profile,
        "cores_at_most": found.cores_at_most,
        "kept": found.kept,
        "before": asdict(found.before),
        "after": asdict(found.after),
    }


def _activity(of: Figures, ran: Ran) -> dict[str, Any]:
    activity = ran.activity
    return {
        "samples": activity.samples,
        "steps": activity.steps,
        **{name: int(getattr(ran, name).sum()) for name in DONE[:2]},
        "messages": sum(activity.messages.values()),
        "off_chip": sum(activity.off_chip.values()),
        "busiest_link": int(activity.busiest_link.max(initial=0)),
        "busiest": [core_record(of, core) for core in of.busiest(1)],
    }


def flat_records(of: Figures) -> Iterator[dict[str, Any]]:
    """Every core with plain values alone, for CSV."""
    for core in range(of.mapped.cores.count):
        record = core_record(of, core)
        needs, (x, y) = record.pop("needs"), record.pop("tile")
        groups, neurons = record.pop("groups"), record.pop("neurons")
        head = {"core": record.pop("core"), "chip": record.pop("chip"), "tile_x": x, "tile_y": y}
        held = {"held": neurons, **needs}
        yield {**head, "groups": "+".join(groups), **held, **record}


def _key(resource: str) -> str:
    return resource.replace(" ", "_")


def names(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))
