"""What each core of a chip does in each hardware step of a run, and what crosses the mesh between them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from spikeport.cores import Cores
from spikeport.errors import ArraysDiffer
from spikeport.fixed import Ints

SCHEMA = "spikeport-cores/1"
KINDS = ("dense", "sparse", "conv")


@dataclass(frozen=True, eq=False)
class CoreActivity:
    """Integers over hardware time of a chip that shows each sample over and over, so that it is followed by itself.

    The rows of a sample stand together: step i of sample b of a node whose window starts at step `first` is row
    b * steps + (first - 1 + i) modulo steps. So a sample's rows do not depend on what it is counted with. Every array
    is int64, `(rows, cores)` unless it says otherwise; cores are those in use (`Cores.numbers`).
    """

    cores: Cores
    samples: int
    steps: int
    """Of the input, per sample."""
    sops: Mapping[str, Ints]
    """By kind of connection, on the core that has the synapses, in the step in which the spike was sent."""
    active: Ints
    """Neurons that received an operation in the step, or spiked in it."""
    spikes: Ints
    messages_in: Ints
    """One for each spike with a synapse on the core, those of inputs included."""
    messages_out: Ints
    """One for each spike and core that it has a synapse on."""
    neurons: Ints
    """Updated in every step, `(cores,)`."""
    busiest_link: Ints
    """Messages over the link of the mesh that has most in a step, `(rows,)`. The links of a core to its router, and
    those between chips, are not among them."""
    routes: Ints
    """Messages between cores of one chip by their hops, `(rows, hops in x, hops in y)`."""
    messages: Mapping[str, int]
    """That a group sent, over the whole run."""
    hops_x: Mapping[str, int]
    hops_y: Mapping[str, int]
    """Tiles that they crossed; those within a tile cross none."""
    off_chip: Mapping[str, int]
    """Messages to another chip, which have no hops."""

    @property
    def rows(self) -> int:
        """Samples times steps: the first axis of every array."""
        return self.samples * self.steps

    @property
    def all_sops(self) -> Ints:
        """Synaptic operations of all kinds, `(rows, cores)`."""
        return sum(self.sops.values(), np.zeros_like(self.active))

    @cached_property
    def tiles(self) -> int:
        """In use, on all chips."""
        return len(np.unique(np.column_stack([self.cores.chips(), self.cores.tiles()]), axis=0))

    def __add__(self, other: "CoreActivity") -> "CoreActivity":
        """The rows of `other` after these, as of one run with the samples of both.

        Raises InputError unless both have the same cores and as many steps.
        """
        for what, a, b in (
            ("chip", self.cores.chip, other.cores.chip),
            ("cuts", dict(self.cores.cuts), dict(other.cores.cuts)),
            ("seats", *(cores.numbers[cores.of_block].tolist() for cores in (self.cores, other.cores))),
            ("steps", self.steps, other.steps),
        ):
            if a != b:
                do = "add what one program did on one map of cores"
                raise ArraysDiffer("activity", what, got=b, relation="is not", limit=a, do=do)
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("active", "spikes", "messages_in", "messages_out", "busiest_link", "routes"):
            values[name] = np.concatenate([getattr(self, name), getattr(other, name)])
        for name in ("messages", "hops_x", "hops_y", "off_chip"):
            values[name] = {group: n + getattr(other, name)[group] for group, n in getattr(self, name).items()}
        values["sops"] = {kind: np.concatenate([sops, other.sops[kind]]) for kind, sops in self.sops.items()}
        values["samples"] += other.samples
        return CoreActivity(**values)

    def to_json(self) -> dict[str, Any]:
        """Sums over the run, core by core, under the names of Intel's `Loihi2Activity`."""
        columns = {
            "chip": self.cores.chips(),
            "neurons": self.neurons,
            "syn_ops": self.all_sops.sum(axis=0),
            "dendrite_updates": self.neurons * self.rows,
            "spikes_in": self.messages_in.sum(axis=0),
            "axon_out": self.messages_out.sum(axis=0),
        }
        listed = {name: values.tolist() for name, values in columns.items()}
        tiles, numbers = self.cores.tiles().tolist(), self.cores.numbers.tolist()
        return {
            "schema": SCHEMA,
            "samples": self.samples,
            "steps": self.steps,
            "tiles": self.tiles,
            "cores": [
                {"core": core, "group": group, "tile": tile, **{name: values[k] for name, values in listed.items()}}
                for k, (core, group, tile) in enumerate(zip(numbers, self.cores.groups, tiles, strict=True))
            ],
            "groups": {
                name: {
                    "messages": self.messages[name],
                    "hops_x": self.hops_x[name],
                    "hops_y": self.hops_y[name],
                    "off_chip": self.off_chip[name],
                }
                for name in self.messages
            },
        }
