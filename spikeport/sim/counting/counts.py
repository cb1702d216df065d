"""What `count_operations` counts, exact integers: by connection, by layer, in all. Counts of batches add up."""

from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from typing import Any, TypeVar

from spikeport.errors import ArraysDiffer
from spikeport.sim.counting.memory import MemoryBits
from spikeport.sim.counting.neuron_ops import NeuronOps

SCHEMA = "spikeport-counts/2"
DERIVED = ("inactive", "events_in", "sops", "sops_nz", "synapses", "host_macs", "macs_dense", "macs_eff")
"""What a layer's JSON has beside its fields."""
TOTALS = ("updates", "active", "spikes_out", "payload_bits", *DERIVED)
_SUMMED = ("updates", "active", "spikes_out", "payload_bits", "ops", "spikes_per_step", "active_per_step")
_Counted = TypeVar("_Counted", "ConnectionCounts", "EncoderCounts", "LayerCounts", "Counts")


@dataclass(frozen=True)
class ConnectionCounts:
    """One connection over the whole run, all samples."""

    source: str
    target: str
    kind: str
    """`dense`, `sparse` or `conv`."""
    graded: bool
    """Whether each operation multiplies by a payload."""
    inputs: int
    """Source neurons."""
    slots: int
    """Source neurons x steps x samples: as many events as there could have been."""
    events: int
    """Spikes that the source sent; a payload is one, whatever its value."""
    sops: int
    """Synapses with weight 0 included: dense and convolutional cores visit them."""
    sops_nz: int
    """Synapses with a non-zero weight only."""
    synapses: int
    """Also the ANN's MACs for one pass without those on padding."""
    synapses_nz: int
    macs_dense: int
    """The ANN's MACs for one pass, padding included as in the literature."""
    weights: int
    """Mantissas stored: a convolution's kernel once."""
    events_per_step: tuple[int, ...]
    """In each step of the source's window."""
    sops_per_step: tuple[int, ...]
    """Likewise; they belong to the step in which the spike was sent."""

    @property
    def macs_eff(self) -> int:
        """The operations that multiply by a payload."""
        return self.sops if self.graded else 0

    def __add__(self, other: "ConnectionCounts") -> "ConnectionCounts":
        return _add(self, other, "slots", "events", "sops", "sops_nz", "events_per_step", "sops_per_step")


@dataclass(frozen=True)
class EncoderCounts:
    """One encoder on the host over the whole run, all samples."""

    source: str
    target: str
    kind: str
    inputs: int
    """Values that a pass takes in."""
    passes: int
    """Evaluations: one per sample whose input stays the same over all steps, else one per step."""
    macs_dense: int
    """MACs of one pass, padding included."""
    macs_valid: int
    """MACs of one pass, padding excluded."""
    weights: int
    """Mantissas stored: a convolution's kernel once."""
    outputs: int
    """Neurons that a pass gives a bias."""

    @property
    def macs(self) -> int:
        """MACs of all passes, padding included."""
        return self.passes * self.macs_dense

    def __add__(self, other: "EncoderCounts") -> "EncoderCounts":
        return _add(self, other, "passes")


@dataclass(frozen=True)
class LayerCounts:
    """One neuron group and everything that feeds it."""

    name: str
    neurons: int
    neuron: str
    """`lif`, `sigma_delta` or `resonator`."""
    first_step: int
    """Hardware step (from 1) that belongs to the first step of the input."""
    steps: int
    """Counted steps per sample; fewer than the input's if the run ends before the group's window does."""
    updates: int
    """Neurons x steps x samples: Loihi visits every neuron at every step."""
    active: int
    """Those of them that received at least one operation in the step, weight 0 included, or spiked in it."""
    spikes_out: int
    graded: bool
    """Whether it sends payloads."""
    payload_bits: int
    """Bits of the payloads sent: those of their magnitudes, and one more for each sign where the group has signs."""
    ops: NeuronOps
    """Of all updates and spikes: `neuron_ops`."""
    spikes_per_step: tuple[int, ...]
    active_per_step: tuple[int, ...]
    memory: MemoryBits
    connections: tuple[ConnectionCounts, ...]
    encoders: tuple[EncoderCounts, ...]

    @property
    def inactive(self) -> int:
        """Updates of neurons that neither received anything nor spiked."""
        return self.updates - self.active

    @property
    def rate(self) -> Fraction:
        """Spikes per neuron and step."""
        return _ratio(self.spikes_out, self.updates)

    @property
    def input_rate(self) -> Fraction:
        """Spikes per source neuron and step, over all connections into the group."""
        return _ratio(self.events_in, sum(c.slots for c in self.connections))

    @property
    def events_in(self) -> int:
        """Spikes that arrived, over all connections into the group."""
        return sum(c.events for c in self.connections)

    @property
    def sops(self) -> int:
        """Synaptic operations: an addition for each event and each synapse behind it, weight 0 included."""
        return sum(c.sops for c in self.connections)

    @property
    def sops_nz(self) -> int:
        """Those at weights that are not 0."""
        return sum(c.sops_nz for c in self.connections)

    @property
    def synapses(self) -> int:
        """Synapses of all connections into the group."""
        return sum(c.synapses for c in self.connections)

    @property
    def host_macs(self) -> int:
        """MACs of the encoders, all samples."""
        return sum(e.macs for e in self.encoders)

    @property
    def macs_dense(self) -> int:
        """The ANN's MACs for one pass: encoders and connections."""
        return sum(e.macs_dense for e in self.encoders) + sum(c.macs_dense for c in self.connections)

    @property
    def macs_eff(self) -> int:
        """The synaptic operations that multiply by a payload."""
        return sum(c.macs_eff for c in self.connections)

    def __add__(self, other: "LayerCounts") -> "LayerCounts":
        return _add(self, other, *_SUMMED, "connections", "encoders")

    def to_json(self) -> dict[str, Any]:
        """Plain values, those that follow from the others included."""
        values = {**asdict(self), **{name: getattr(self, name) for name in DERIVED}}
        return {**values, "rate": float(self.rate), "input_rate": float(self.input_rate)}


@dataclass(frozen=True)
class Counts:
    """One run. Divide by `samples` for the exact figures of one inference; counts of batches add up."""

    program_sha256: str
    """Of the Program that ran: `saved.fingerprint`."""
    samples: int
    steps: int
    latency: int
    """Hardware steps from the last of a sample to the last of its output."""
    layers: tuple[LayerCounts, ...]

    @property
    def updates(self) -> int:
        """Updates of neurons, all layers."""
        return self._sum("updates")

    @property
    def active(self) -> int:
        """Those of neurons that received something or spiked."""
        return self._sum("active")

    @property
    def inactive(self) -> int:
        """Those of neurons that did neither."""
        return self._sum("inactive")

    @property
    def spikes_out(self) -> int:
        """Spikes, all layers."""
        return self._sum("spikes_out")

    @property
    def payload_bits(self) -> int:
        """Bits of all payloads sent."""
        return self._sum("payload_bits")

    @property
    def events_in(self) -> int:
        """Spikes that arrived at connections; one that goes to two counts twice."""
        return self._sum("events_in")

    @property
    def sops(self) -> int:
        """Synaptic operations: an addition for each event and each synapse behind it, weight 0 included."""
        return self._sum("sops")

    @property
    def sops_nz(self) -> int:
        """Those at weights that are not 0."""
        return self._sum("sops_nz")

    @property
    def synapses(self) -> int:
        """Synapses of all connections."""
        return self._sum("synapses")

    @property
    def host_macs(self) -> int:
        """MACs of the host's encoders, all samples."""
        return self._sum("host_macs")

    @property
    def macs_dense(self) -> int:
        """The ANN's MACs for one pass."""
        return self._sum("macs_dense")

    @property
    def macs_eff(self) -> int:
        """The synaptic operations that multiply by a payload."""
        return self._sum("macs_eff")

    @property
    def ops(self) -> NeuronOps:
        """Arithmetic of all neurons."""
        return sum((layer.ops for layer in self.layers), NeuronOps())

    @property
    def memory(self) -> MemoryBits:
        """What all layers keep on the chip, in bits."""
        return sum((layer.memory for layer in self.layers), MemoryBits())

    @property
    def input_rate(self) -> Fraction:
        """Spikes per source neuron and step, over all connections."""
        connections = [c for layer in self.layers for c in layer.connections]
        return _ratio(sum(c.events for c in connections), sum(c.slots for c in connections))

    @property
    def spikes_per_synapse(self) -> Fraction:
        """Spikes over one synapse in one inference, mean over all synapses."""
        return _ratio(self.sops, self.synapses * self.samples)

    def per_inference(self, count: int) -> Fraction:
        """A count of all samples as one of a sample, exactly."""
        return Fraction(count, self.samples)

    def __add__(self, other: "Counts") -> "Counts":
        return _add(self, other, "samples", "layers")

    def to_json(self) -> dict[str, Any]:
        """Plain values: every layer and the totals; the document `spikeport-counts`."""
        return {
            "schema": SCHEMA,
            "program_sha256": self.program_sha256,
            "samples": self.samples,
            "steps": self.steps,
            "latency": self.latency,
            "layers": [layer.to_json() for layer in self.layers],
            "totals": {name: self._sum(name) for name in TOTALS},
            "ops": asdict(self.ops),
            "memory": asdict(self.memory),
            "input_rate": float(self.input_rate),
            "spikes_per_synapse": float(self.spikes_per_synapse),
        }

    def _sum(self, name: str) -> int:
        return sum(getattr(layer, name) for layer in self.layers)


def _ratio(part: int, whole: int) -> Fraction:
    return Fraction(part, whole) if whole else Fraction(0)


def _add(a: _Counted, b: _Counted, *summed: str) -> _Counted:
    """Adds the named fields, element by element if they are tuples; all others must agree."""
    values: dict[str, Any] = {}
    for field in fields(a):
        x, y = getattr(a, field.name), getattr(b, field.name)
        same_length = not isinstance(x, tuple) or len(x) == len(y)
        if field.name in summed and same_length:
            values[field.name] = tuple(p + q for p, q in zip(x, y, strict=True)) if isinstance(x, tuple) else x + y
        elif x != y:
            raise ArraysDiffer(
                "counts", field.name, got=y, relation="is not", limit=x, do="add counts of one program and equal steps"
            )
    return replace(a, **values)
