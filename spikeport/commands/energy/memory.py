"""What layers ask of memory: bits of the plain content, and by the chip's format how full the fullest core is."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from spikeport.chip import chip_named
from spikeport.commands.answer import Table
from spikeport.commands.compiling.fitting import placement_data
from spikeport.commands.running.counted import Counted
from spikeport.deploy.cores import LIMITS, Placement
from spikeport.sim.counting.memory import MemoryBits

CONTENT = ("weights", "indices", "delays", "biases", "state", "settings")


def memory_data(one: Counted) -> dict[str, Any]:
    """For programs; `cores` is null without a mapping."""
    chip = chip_named(one.program.chip)
    return {
        "bits": {layer.name: {**asdict(layer.memory), "total": layer.memory.total} for layer in one.counts.layers},
        "total_bits": one.counts.memory.total,
        "cores": [placement_data(placement, chip) for placement in one.placements or ()] or None,
        "limits": {name.replace(" ", "_"): getattr(chip, limit) for name, limit in LIMITS.items()},
    }


def memory_table(one: Counted) -> Table:
    """For people: one row for each layer, one for all."""
    placed = {placement.group: placement for placement in one.placements or ()}
    rows = [(layer.name, *_bits(layer.memory), *_fullest(one, placed.get(layer.name))) for layer in one.counts.layers]
    cores = "–" if one.placements is None else str(one.placements.cores)
    rows.append(("all layers", *_bits(one.counts.memory), cores, *("" for _ in LIMITS)))
    columns = ("Layer", *CONTENT, "cores", *LIMITS)
    return Table(f"memory in bits, and what the fullest core of a {one.program.chip} uses of its limits", columns, rows)


def _bits(memory: MemoryBits) -> Sequence[str]:
    return [f"{bits:,}" for bits in asdict(memory).values()]


def _fullest(one: Counted, placement: Placement | None) -> Sequence[str]:
    if placement is None:
        return ["–"] * (1 + len(LIMITS))
    chip = chip_named(one.program.chip)
    used = [f"{placement.most(name) / getattr(chip, limit):.1%}" for name, limit in LIMITS.items()]
    return [str(placement.cores), *used]
