"""What a counting convention needs to know of one layer in one inference; of a run, or of shapes alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from spikeport.sim.counting.counts import ConnectionCounts, Counts, EncoderCounts, LayerCounts

Kind = Literal["conv", "linear", "sparse", "batch_norm", "neurons", "pool"]
Fed = Literal["analog", "spikes", "graded"]
KINDS: dict[str, Kind] = {"conv": "conv", "dense": "linear", "sparse": "sparse"}
"""Of connections and encoders, by the name that counts give them."""


@dataclass(frozen=True, kw_only=True)
class LayerFacts:
    """One layer, mean over the samples. What does not apply to its kind is 0, and None is unknown."""

    name: str
    kind: Kind
    fed: Fed
    """What its input is by the graph, never by the values seen: analog numbers, spikes (0 or 1), or graded: payloads
    and means of spikes."""
    passes: Fraction = Fraction(0)
    """Evaluations in one inference: one if its analog input stays the same over all steps, else one per step."""
    slots: int = 0
    """Input elements per step: as many events as there could be. 0 if fed by analog numbers."""
    outputs: int = 0
    """Per step."""
    bias: bool = False
    macs_dense: int = 0
    """MACs of one pass, padding included."""
    macs_valid: int = 0
    """MACs of one pass without those on padding: the synapses."""
    macs_by_output: int = 0
    """MACs of one pass if each output took in a whole kernel; above `macs_dense` for transposed convolutions alone."""
    rate: Fraction | None = None
    """Events per slot and step; an event is an element that is not 0."""
    sops: Fraction | None = None
    """Events x synapses behind each, exact, synapses of weight 0 included."""
    elements: int = 0
    """Of batch norm and neurons, and what a pool takes in; per step."""

    @property
    def synaptic(self) -> bool:
        return self.kind in KINDS.values()


def facts_of(counts: Counts) -> tuple[LayerFacts, ...]:
    """The facts of a run: for each layer its encoders, its connections and its neurons, all by the layer's name.

    A Program has batch norm and pools folded into its synapses, so there are none of these. Biases are added by the
    neurons and not counted.
    """
    return tuple(facts for layer in counts.layers for facts in _of_layer(layer, counts))


def _of_layer(layer: LayerCounts, counts: Counts) -> Iterator[LayerFacts]:
    yield from (_of_encoder(encoder, layer, counts) for encoder in layer.encoders)
    yield from (_of_connection(connection, layer, counts) for connection in layer.connections)
    rate = Fraction(layer.spikes_out, layer.updates) if layer.updates else None
    yield LayerFacts(name=layer.name, kind="neurons", fed="analog", rate=rate, elements=layer.neurons)


def _of_encoder(encoder: EncoderCounts, layer: LayerCounts, counts: Counts) -> LayerFacts:
    return LayerFacts(
        name=layer.name,
        kind=KINDS[encoder.kind],
        fed="analog",
        passes=counts.per_inference(encoder.passes),
        outputs=layer.neurons,
        macs_dense=encoder.macs_dense,
        macs_valid=encoder.macs_valid,
        macs_by_output=encoder.macs_dense,
    )


def _of_connection(connection: ConnectionCounts, layer: LayerCounts, counts: Counts) -> LayerFacts:
    groups = {group.name: group.neurons for group in counts.layers}
    inputs = connection.slots // (counts.steps * counts.samples)  # an input's window is never cut, a group's may be
    return LayerFacts(
        name=layer.name,
        kind=KINDS[connection.kind],
        fed="graded" if connection.graded else "spikes",
        passes=Fraction(counts.steps),
        slots=groups.get(connection.source, inputs),
        outputs=layer.neurons,
        macs_dense=connection.macs_dense,
        macs_valid=connection.synapses,
        macs_by_output=connection.macs_dense,
        rate=Fraction(connection.events, connection.slots) if connection.slots else None,
        sops=counts.per_inference(connection.sops),
    )
