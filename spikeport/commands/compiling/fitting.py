"""What `spikeport check` says of cores and what would fit."""

from typing import Any

from spikeport.chip import Chip
from spikeport.commands.answer import Table
from spikeport.deploy.cores import LIMITS, Placement
from spikeport.deploy.remedies import Advice, Remedy
from spikeport.deploy.rules import Design


def placement_data(placement: Placement, chip: Chip) -> dict[str, Any]:
    """One layer's parts, as if each had a core of its own: what the fullest of them uses, in counts."""
    resource, used = placement.fullest(chip)
    shares = {name.replace(" ", "_"): placement.most(name) for name in LIMITS}
    return {
        "layer": placement.group,
        "neurons": placement.neurons,
        "cores": placement.cores,
        "limited_by": resource,
        "used": round(used, 4),
        "fullest_core": shares,
    }


def cores_table(design: Design) -> Table:
    """A row for each layer: how full its fullest core is, and of what most."""
    chip = design.chip
    rows = []
    for placement in design.cores:
        used = [f"{100 * placement.most(name) / getattr(chip, limit):.1f}%" for name, limit in LIMITS.items()]
        resource = placement.fullest(chip)[0]
        rows.append((placement.group, f"{placement.neurons:,}", str(placement.cores), resource, *used))
    columns = ("layer", "neurons", "cores", "limited by", *LIMITS)
    shared = ", several parts of layers on some" if design.cores.cores < len(design.cores.seats) else ""
    title = f"{design.cores.cores} of {chip.cores_per_chip} cores of a {chip.name}{shared}; of a core:"
    return Table(title, columns, rows)


def advice_data(advice: Advice | None) -> dict[str, Any]:
    """What would fit; empty lists for a network that does."""
    if advice is None:
        return {"changes": [], "together": None, "tried": 0}
    together = remedy_data(advice.together) if advice.together else None
    return {"changes": [remedy_data(r) for r in advice.remedies], "together": together, "tried": advice.tried}


def remedy_data(remedy: Remedy) -> dict[str, Any]:
    return {
        "change": remedy.change,
        "fits": remedy.fits,
        "chip": remedy.after.chip.name,
        "cores": remedy.cores,
        "cores_there": remedy.after.chip.cores_per_chip,
        "mends": [{"id": rule, "layer": layer} for rule, layer in remedy.mends],
        "left": [{"id": rule, "layer": layer} for rule, layer in remedy.left],
    }
