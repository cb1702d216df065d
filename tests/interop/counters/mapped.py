"""A Program with its mapping, synapse by synapse, as SANA-FE's worker gets it.

Synapses are listed here by loops over the definition of each connection, not by the code that counts fan-outs.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from spikeport.chip import LOIHI1
from spikeport.cores import Cores, Cut, flat
from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Dense, Program, Shape
from spikeport.sim.counting import sample_windows

Synapse = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Synapses:
    """One connection; a weight of 0 is a synapse like any other."""

    source: str
    target: str
    kind: str
    """`dense`, `sparse` or `conv`."""
    col: Ints
    """Source neuron of each synapse."""
    row: Ints
    """Target neuron."""
    weight: Ints


def synapses_of(program: Program) -> list[Synapses]:
    return [_listed(c, program.shape_of(c.source), program.shape_of(c.target)) for c in program.connections]


def _listed(connection: Connection, source: Shape, target: Shape) -> Synapses:
    if isinstance(connection, Conv):
        listed = list(_of_conv(connection, source, target))
    elif isinstance(connection, Dense):
        listed = [(j, i, int(connection.weight[i, j])) for i, j in np.ndindex(connection.weight.shape)]
    else:
        listed = list(zip(connection.col.tolist(), connection.row.tolist(), connection.weight.tolist(), strict=True))
    col, row, weight = np.array(listed).T
    kind = type(connection).__name__.lower()
    return Synapses(connection.source, connection.target, kind, col, row, weight << connection.weight_exp)


def _of_conv(conv: Conv, source: Shape, target: Shape) -> Iterator[Synapse]:
    """For each output, each tap of the kernel that lies on the image."""
    per_group = target[0] // conv.groups
    _, channels, height, width = conv.weight.shape
    for o, y, x in np.ndindex(*target):
        for c, i, j in product(range(channels), range(height), range(width)):
            at_y = y * conv.stride[0] - conv.padding[0] + i * conv.dilation[0]
            at_x = x * conv.stride[1] - conv.padding[1] + j * conv.dilation[1]
            if 0 <= at_y < source[1] and 0 <= at_x < source[2]:
                from_channel = o // per_group * channels + c
                col = (from_channel * source[1] + at_y) * source[2] + at_x
                yield col, (o * target[1] + y) * target[2] + x, int(conv.weight[o, c, i, j])


def cores_of(program: Program) -> Cores:
    """Several cores for every group: images are cut along channels and rows, others into three."""
    return Cores(LOIHI1, {g.name: _cut(g.shape) for g in program.groups})


def _cut(shape: Shape) -> Cut:
    if len(shape) == 1:
        return flat(shape[0], -(-shape[0] // 3))
    channels, rows, columns = shape
    return Cut((channels, rows, columns), (-(-channels // 3), -(-rows // 4), columns))


def write_mapped(folder: Path, name: str, program: Program, x: Ints) -> None:
    """The input is on a core of its own, after the groups'.

    NAME.json: `groups` with `name`, `threshold` and `start`, the first step of the sample's window; `connections` with
    `source`, `target`, `kind`. NAME.npz: `x` `(T, B, n)`, `bias:GROUP`, `core:GROUP`, and for connection K `col:K`,
    `row:K`, `weight:K`; `tiles` `(cores, 2)`, x and y of each core's tile, of four cores in the order of the numbers.
    """
    (entry,) = program.inputs
    cores, windows = cores_of(program), sample_windows(program, len(x))
    core = np.arange(cores.count + 1) // cores.chip.cores_per_tile
    groups = [{"name": g.name, "threshold": g.vth, "start": windows[g.name].start} for g in program.lifs]
    arrays = {
        "x": x.reshape(*x.shape[:2], -1),
        "tiles": np.stack([core % cores.chip.mesh[0], core // cores.chip.mesh[0]], axis=1),
        f"core:{entry.name}": np.full(entry.size, cores.count),
    }
    for g in program.lifs:
        arrays[f"core:{g.name}"] = cores.labels(g.name)
        arrays[f"bias:{g.name}"] = (g.bias_mant.astype(np.int64) << g.bias_exp).reshape(-1)
    connections = []
    for k, listed in enumerate(synapses_of(program)):
        connections.append({"source": listed.source, "target": listed.target, "kind": listed.kind})
        arrays |= {f"col:{k}": listed.col, f"row:{k}": listed.row, f"weight:{k}": listed.weight}
    steps = len(x) + program.latency
    about = {"input": entry.name, "steps": steps, "layers": groups, "connections": connections}
    (folder / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n")
    np.savez_compressed(folder / f"{name}.npz", **arrays)
