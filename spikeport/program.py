"""`Program`: the one data structure that all back ends share. Integers only.

A Program runs in hardware time: steps are counted from 1, and every connection takes
one step plus its delay. `latency` says by how many steps the output lags the input.
Every part checks itself when it is made, so a Program that exists can be loaded on a core.
"""

from dataclasses import dataclass, field, fields, is_dataclass
from math import prod
from typing import Literal, TypeAlias

import numpy as np

from spikeport import fixed
from spikeport.checks import (
    check_array,
    check_array_range,
    check_choice,
    check_distinct,
    check_name,
    check_positive,
    check_range,
    check_shape,
    check_text,
    freeze,
)
from spikeport.connections import PORTS as PORTS
from spikeport.connections import Connection as Connection
from spikeport.connections import Conv as Conv
from spikeport.connections import Dense as Dense
from spikeport.connections import IntArray as IntArray
from spikeport.connections import Shape as Shape
from spikeport.connections import Sparse as Sparse
from spikeport.errors import ProgramError, ProgramShape, ProgramType, ProgramWiring
from spikeport.neurons import LIF as LIF
from spikeport.neurons import Group as Group
from spikeport.neurons import Resonator as Resonator
from spikeport.neurons import SigmaDelta as SigmaDelta
from spikeport.profiles import PROFILES, check_profile
from spikeport.profiles import Profile as Profile

InputKind: TypeAlias = Literal["spike", "graded", "bias"]
Reads: TypeAlias = Literal["s", "v"]


@dataclass(frozen=True)
class Input:
    """Where data enters: integers of `shape` at each of T steps."""

    name: str
    shape: Shape
    kind: InputKind
    """`spike`: 0 or 1, sent at the step itself. `graded`: payloads, sent likewise. `bias`: see `Encoder`."""
    low: int = 0
    high: int = 1
    """The values are in [low, high]; anything else is refused."""

    def __post_init__(self) -> None:
        check_name(self.name)
        check_shape(self.name, self.shape)
        check_choice(self.name, "input kind", self.kind, ("spike", "graded", "bias"))
        low, high = (-fixed.PAYLOAD_MAX, fixed.PAYLOAD_MAX) if self.kind == "graded" else (-(2**15), 2**16 - 1)
        for bound in ("low", "high"):
            check_range(self.name, bound, getattr(self, bound), low, high)
        if self.low >= self.high:
            raise ProgramError(self.name, "low", got=self.low, relation="is not below high", limit=self.high)
        if self.kind == "spike" and (self.low, self.high) != (0, 1):
            raise ProgramError(
                self.name, "range of a spike input", got=(self.low, self.high), relation="is not", limit=(0, 1)
            )

    @property
    def size(self) -> int:
        """Values that come in a step of a sample."""
        return prod(self.shape)


@dataclass(frozen=True, eq=False)
class Encoder:
    """The first layer, computed on the host and loaded as the target's bias.

        bias_mant = round_shift((weight * x << weight_exp) + offset, shift)

    replaces the target's own `bias_mant` at each step of the input. Integers, so every host agrees.
    """

    synapses: Dense | Conv
    """From a `bias` input to a group; its delay is 0."""
    offset: IntArray
    """Shape of the target, int32."""
    shift: int = 0
    """In [0, 24]; halves are rounded up."""

    def __post_init__(self) -> None:
        where = f"encoder {self.synapses.source} -> {self.synapses.target}"
        if not isinstance(self.synapses, Dense | Conv):
            kind = type(self.synapses).__name__
            raise ProgramType(where, "synapses", got=kind, relation="are not", limit="Dense or Conv")
        if not isinstance(self.synapses.delay, int) or self.synapses.delay != 0:
            raise ProgramError(where, "delay on the host", got=self.synapses.delay, relation="is not", limit=0)
        check_range(where, "shift", self.shift, 0, fixed.STATE_BITS)
        check_array_range(where, "offset", self.offset, -(2**31), 2**31 - 1)
        freeze(self, "offset", np.int32)


@dataclass(frozen=True)
class Output:
    """What group `source` sends at each step, handed out, or its membrane v: the readout of a leaky integrator.

    `classes` > 0: neurons vote in equal blocks, one per class; the values of a block are added up, the largest wins.

    v is that of the end of the step, 0 where a spike has just cleared it. A readout is not to spike, so its threshold
    is the highest, 131071 (`LIF.integrates`). That alone does not keep it silent: v is compared with
    vth << 6 = 8388544 and saturates at 8388607, so a v above the former spikes, and 0 is read. Under `strict` such a
    spike is an `OverflowDetected`, and what is read is always the whole sum; `lava` and `loihi1` go on from 0.
    A group with a lower threshold spikes as ever, under every profile, and v is read all the same.
    """

    name: str
    source: str
    classes: int = 0
    reads: Reads = "s"
    """`s`: spikes or payloads. `v`: of a `LIF`; times its `v_unit` it is in the float model's unit."""

    def __post_init__(self) -> None:
        check_name(self.name)
        check_choice(self.name, "reads", self.reads, ("s", "v"))
        check_range(self.name, "classes", self.classes, 0, 2**31 - 1)


@dataclass(frozen=True, eq=False)
class Program:
    """What a chip, Lava and the simulators run. Groups are in data-flow order."""

    groups: tuple[Group, ...]
    connections: tuple[Connection, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    encoders: tuple[Encoder, ...] = ()
    latency: int = 0
    """Output step t is hardware step t + latency."""
    dt_s: float = 1e-4
    chip: str = "loihi2"
    profile: Profile = "strict"
    """What happens to a value that leaves its word: an error, or what Lava or a Loihi 1 does (`profiles`)."""
    nir_sha256: str = ""
    """SHA-256 of the NIR file that this was compiled from; empty if there was none."""
    _sizes: dict[str, Shape] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        nodes: list[Input | Group] = [*self.inputs, *self.groups]
        check_distinct("names used twice", [node.name for node in nodes])
        check_distinct("outputs of one name", [output.name for output in self.outputs])
        check_distinct("groups with two encoders", [encoder.synapses.target for encoder in self.encoders])
        object.__setattr__(self, "_sizes", {node.name: node.shape for node in nodes})
        for missing, what in ((self.groups, "neuron group"), (self.inputs, "input"), (self.outputs, "output")):
            if not missing:
                raise ProgramWiring("program", f"no {what}")
        check_range("program", "latency", self.latency, 0, 2**20)
        check_positive("program", "dt_s", self.dt_s)
        object.__setattr__(self, "dt_s", float(self.dt_s))
        check_text("program", "chip", self.chip)
        check_text("program", "nir_sha256", self.nir_sha256)
        check_choice("program", "profile", self.profile, PROFILES)
        for connection in self.connections:
            self._check_connection(connection, kinds=("spike", "graded"))
        for encoder in self.encoders:
            self._check_encoder(encoder)
        for output in self.outputs:
            self._check_output(output)
        self.check_profile(self.profile)

    def check_profile(self, profile: Profile) -> None:
        """Raises ProgramError if this profile has no arithmetic for what is in here."""
        graded = [entry.name for entry in self.inputs if entry.kind == "graded"]
        graded += [f"{c.source} -> {c.target}" for c in self.connections if c.graded]
        check_profile(profile, self.groups, graded)

    def has_profile(self, profile: Profile) -> bool:
        """Whether `check_profile` passes."""
        try:
            self.check_profile(profile)
        except ProgramError:
            return False
        return True

    def shape_of(self, name: str) -> Shape:
        """Shape of the input or group of that name."""
        return self._sizes[name]

    @property
    def lifs(self) -> tuple[LIF, ...]:
        """Its groups, if all of them are `LIF`; raises ProgramError otherwise."""
        others = [g for g in self.groups if not isinstance(g, LIF)]
        if others:
            kind = type(others[0]).__name__
            raise ProgramWiring(others[0].name, "kind of neuron", got=kind, relation="is not", limit="LIF")
        return tuple(g for g in self.groups if isinstance(g, LIF))

    @property
    def read_v(self) -> frozenset[str]:
        """The groups of which an output reads v."""
        return frozenset(output.source for output in self.outputs if output.reads == "v")

    @property
    def integrators(self) -> frozenset[str]:
        """Those of them that are not to spike: under `strict` a spike is an overflow (`Output`)."""
        lifs = (g for g in self.groups if isinstance(g, LIF) and g.integrates)
        return self.read_v & {g.name for g in lifs}

    def group(self, name: str) -> Group:
        """The group of that name; StopIteration where there is none."""
        return next(g for g in self.groups if g.name == name)

    def _check_connection(self, connection: Connection, kinds: tuple[InputKind, ...]) -> None:
        where = f"{connection.source} -> {connection.target}"
        if connection.source not in self._sizes:
            raise ProgramWiring(where, "source", got=connection.source, relation="is not in the program")
        if connection.target not in {g.name for g in self.groups}:
            raise ProgramWiring(where, "target", got=connection.target, relation="is not a neuron group")
        check_choice(where, "port", connection.port, self.group(connection.target).ports)
        entry = next((i for i in self.inputs if i.name == connection.source), None)
        if entry is not None and entry.kind not in kinds:
            raise ProgramWiring(where, "input kind", got=entry.kind, relation="is not", limit=" or ".join(kinds))
        source, target = self._sizes[connection.source], self._sizes[connection.target]
        match connection:
            case Conv():
                found = connection.output_shape(source)
                if found != target:
                    raise ProgramShape(
                        where, "shape of the convolution", got=found, relation="is not the target's", limit=target
                    )
            case Dense():
                found = connection.weight.shape
                if found != (prod(target), prod(source)):
                    raise ProgramShape(
                        where, "weight shape", got=found, relation="is not", limit=(prod(target), prod(source))
                    )
            case Sparse():
                for name, index, size in (("row", connection.row, prod(target)), ("col", connection.col, prod(source))):
                    if index.size and index.max() >= size:
                        raise ProgramWiring(where, name, got=int(index.max()), relation="is not below", limit=size)

    def _check_encoder(self, encoder: Encoder) -> None:
        synapses = encoder.synapses
        where = f"encoder {synapses.source} -> {synapses.target}"
        if synapses.source not in {i.name for i in self.inputs}:
            raise ProgramWiring(where, "source", got=synapses.source, relation="is not an input")
        self._check_connection(synapses, kinds=("bias",))
        if not isinstance(self.group(synapses.target), LIF):
            got = type(self.group(synapses.target)).__name__
            raise ProgramWiring(where, "target", got=got, relation="is not", limit="LIF: no other kind loads a bias")
        check_array(where, "offset", encoder.offset, self._sizes[synapses.target])

    def _check_output(self, output: Output) -> None:
        if output.source not in {g.name for g in self.groups}:
            raise ProgramWiring(output.name, "source", got=output.source, relation="is not a neuron group")
        if output.reads == "v" and not isinstance(source := self.group(output.source), LIF):
            got = type(source).__name__
            raise ProgramWiring(output.name, "source", got=got, relation="is not", limit="LIF: no other kind has a v")
        size = prod(self._sizes[output.source])
        if output.classes and size % output.classes:
            raise ProgramShape(
                output.name, "neurons", got=size, relation="do not divide by classes", limit=output.classes
            )


def identical(a: object, b: object) -> bool:
    """Whether two Programs, or two parts of one, hold the same values in every field."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(identical(x, y) for x, y in zip(a, b, strict=True))
    if is_dataclass(a) and type(a) is type(b):
        return all(identical(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return type(a) is type(b) and a == b
