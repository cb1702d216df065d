"""`mapping.json`: which core has which neurons, and what each core is charged."""

import json
from typing import Any

import numpy as np

from spikeport.chip import chip_named
from spikeport.deploy.cores import cores_of, map_cores
from spikeport.deploy.cores.loads import limits_of
from spikeport.program import Program


def mapping_file(program: Program) -> bytes:
    """The core map of the Program's own chip.

    A group is cut into blocks of `block` along the axes of `shape`, channels first, then rows, then columns; `cores`
    has the number of each block's core, and `loads` what each block takes of a core's limits.

    Raises:
        InputError: the Program names no chip that there is.
    """
    chip = chip_named(program.chip)
    core_map = map_cores(program, chip)
    cores = cores_of(core_map, chip)
    groups = []
    for placement in core_map:
        cut, numbers = placement.cut, cores.labels(placement.group)
        _, first = np.unique(cut.labels(), return_index=True)
        said: dict[str, Any] = {"name": placement.group, "shape": cut.shape, "block": cut.block}
        said["cores"] = numbers[first].tolist()
        said["loads"] = {resource: placement.loads[resource].tolist() for resource in limits_of(chip)}
        groups.append(said)
    used = {number for said in groups for number in said["cores"]}
    head = {"chip": chip.name, "cores": len(used), "limits": limits_of(chip), "groups": groups}
    return (json.dumps(head, indent=1) + "\n").encode("ascii")
