"""How the papers count: facts of the layers -> multiply-accumulates (MAC) and accumulates (AC) of one inference.

The same run gives figures that differ by up to three times, so every energy must say how its operations were counted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from spikeport.errors import UnknownName
from spikeport.sim.energy.facts import LayerFacts

NOTHING = Fraction(0)
Rate = Fraction | None


@dataclass(frozen=True)
class Amounts:
    """Operations of one layer, or of many, in one inference. None: a rate is unknown."""

    mac: Fraction | None = NOTHING
    ac: Fraction | None = NOTHING

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(_sum(self.mac, other.mac), _sum(self.ac, other.ac))


@dataclass(frozen=True)
class Convention:
    name: str
    title: str
    source: str
    description: str
    caveats: tuple[str, ...]
    """What a reader of a number by this convention must know."""
    program_caveats: tuple[str, ...]
    """What to add where a compiled Program was counted."""
    function: Callable[[Sequence[LayerFacts], int], tuple[Amounts, ...]]

    def amounts(self, facts: Sequence[LayerFacts], steps: int) -> tuple[Amounts, ...]:
        """One for each of the facts, in their order.

        Args:
            steps: Time steps of one inference.
        """
        return self.function(facts, steps)


def total(amounts: Iterable[Amounts]) -> Amounts:
    return sum(amounts, Amounts())


def convention_named(name: str) -> Convention:
    """Raises InputError with the known names if there is no such convention."""
    if name not in CONVENTIONS:
        raise UnknownName("energy", "convention", got=name, relation="is not one of", limit=", ".join(CONVENTIONS))
    return CONVENTIONS[name]


def exact(facts: Sequence[LayerFacts], steps: int) -> tuple[Amounts, ...]:
    """MACs of the host's passes; one AC per synaptic operation, or one MAC if it multiplies by a payload."""

    def amounts(layer: LayerFacts) -> Amounts:
        if not layer.synaptic:
            return Amounts()
        if layer.fed == "analog":
            return Amounts(mac=layer.passes * layer.macs_dense)
        return Amounts(ac=layer.sops) if layer.fed == "spikes" else Amounts(mac=layer.sops)

    return tuple(amounts(layer) for layer in facts)


def paper_spikformer(facts: Sequence[LayerFacts], steps: int) -> tuple[Amounts, ...]:
    """SOP_l = fr_l T FLOPs_l, FLOPs being MACs; what is fed by analog numbers costs its MACs once."""
    return tuple(_formula(layer, layer.rate, steps) for layer in facts)


def paper_esvae(facts: Sequence[LayerFacts], steps: int) -> tuple[Amounts, ...]:
    """As `paper_spikformer`, but of one firing rate for all layers, and additions and multiplications charged each."""
    rate = mean_rate(facts)
    return tuple(_formula(layer, rate, steps, ops_per_mac=2) for layer in facts)


def paper_syops(facts: Sequence[LayerFacts], steps: int) -> tuple[Amounts, ...]:
    """Rate x dense operations with bias for spikes, all operations as MACs for anything else, at every step."""

    def amounts(layer: LayerFacts) -> Amounts:
        if layer.kind == "batch_norm":
            return Amounts(mac=Fraction(2 * layer.elements * steps))
        if layer.kind == "neurons":
            return Amounts(ac=Fraction(layer.elements * steps))
        operations = layer.elements if layer.kind == "pool" else layer.macs_by_output + layer.bias * layer.outputs
        if layer.fed == "spikes":
            return Amounts(ac=_product(layer.rate, operations * steps))
        return Amounts(mac=Fraction(operations * steps))

    return tuple(amounts(layer) for layer in facts)


def mean_rate(facts: Sequence[LayerFacts]) -> Rate:
    """Events per slot and step over all layers that are fed by spikes; None if one of their rates is unknown."""
    fed = [layer for layer in facts if layer.synaptic and layer.fed != "analog"]
    slots, events = sum(layer.slots for layer in fed), NOTHING
    for layer in fed:
        if layer.rate is None:
            return None
        events += layer.rate * layer.slots
    return events / slots if slots else NOTHING


def _formula(layer: LayerFacts, rate: Rate, steps: int, ops_per_mac: int = 1) -> Amounts:
    operations = ops_per_mac * layer.macs_dense
    if not layer.synaptic:
        return Amounts()
    if layer.fed == "analog":
        return Amounts(mac=Fraction(operations))
    return Amounts(ac=_product(rate, operations * steps))


def _sum(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return None if a is None or b is None else a + b


def _product(rate: Rate, count: int) -> Fraction | None:
    return None if rate is None else rate * count


_GRADED = "Graded spikes and means of spikes are charged as accumulates, although each multiplies a weight by a number."
_FOLDED = "Batch norm counts as folded into the weights. Neurons and pools cost nothing."
_ONCE = "The first layer is charged for one step, which holds only if its input is the same at all steps."
_FORMULA = (
    "A mean rate times all MACs is not a count: with padding it is too high where spikes lie at the border, and it may "
    "be too low where they lie in the middle."
)

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        convention.name: convention
        for convention in (
            Convention(
                "exact",
                "Exact count of the run",
                "events x fan-out of each neuron; padding, stride, dilation and groups respected",
                "Each spike is one accumulate for each synapse that it reaches, weight 0 included. Graded spikes are "
                "MACs. What the host computes is MACs, as often as it is computed, padding included.",
                (
                    _FOLDED,
                    "Accumulates need a run, or 'sops' of each layer: shapes and rates do not say what spiked.",
                ),
                ("Updates of neurons are counted on their own, and priced where a profile has a price.",),
                exact,
            ),
            Convention(
                "paper-spikformer",
                "Spikformer: firing rate x steps x MACs",
                "Zhou et al., ICLR 2023 (Spikformer); Zhou et al., arXiv:2304.11954 (Spikingformer), eqs. 19-20",
                "SOP = fr x T x MACs of the layer, fr the rate of its input, each an accumulate. What is fed by analog "
                "numbers costs its MACs once.",
                (_FORMULA, _ONCE, _FOLDED, _GRADED),
                (),
                paper_spikformer,
            ),
            Convention(
                "paper-esvae",
                "ESVAE: one firing rate x steps x (additions + multiplications)",
                "Zhan et al., ESVAE, section IV-E and eq. 12",
                "SOP = fr x T x FLOPs with one firing rate for all layers, events over slots; FLOPs are additions and "
                "multiplications. What is fed by analog numbers costs its FLOPs once.",
                (
                    "FLOPs are 2 per MAC, and each is charged the price of a whole MAC or accumulate: a factor of 2 "
                    "over the Spikformer convention at equal rates.",
                    "The text does not say how layers are weighted in its mean rate; here each input counts alike.",
                    _FORMULA,
                    _ONCE,
                    _FOLDED,
                    _GRADED,
                ),
                (),
                paper_esvae,
            ),
            Convention(
                "paper-syops",
                "syops: what the syops counter reports",
                "Chen et al., syops-counter 0.0.5; its MACs are those of DA-LIF's Table III",
                "Mean rate x dense operations, bias included, as accumulates for layers fed by spikes; all operations "
                "of every step as MACs for any other input. Batch norm is 2 MACs per element and step, a neuron 1 "
                "accumulate per step, a pool its input.",
                (
                    _FORMULA,
                    "Batch norm counts as it stands, not folded.",
                    "A transposed convolution is charged as if each output took in a whole kernel: stride x stride "
                    "times too much.",
                    "syops tells spikes from other numbers by the values it sees; here the graph says it.",
                ),
                (
                    "In a Program batch norm and pools are folded into the synapses and biases into the neurons, so "
                    "none of them is charged: the count is below what syops gives for the network that was trained.",
                ),
                paper_syops,
            ),
        )
    }
)
