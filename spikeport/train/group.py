"""`SpikingGroup`: several synapses into one group of neurons, on a grid that is carried; a layer of a `SpikingNetwork`.

Its forward in eval mode is the chip's integer rule; in training mode the same rounded values with straight-through
gradients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from spikeport import fixed
from spikeport.errors import InputError
from spikeport.program import Shape
from spikeport.train import grid, integer_rule, quant
from spikeport.train.neurons import AbstractNeuron
from spikeport.train.synapses import AnySynapse, QuantConv2d


@dataclass(frozen=True, eq=False)
class GroupIntegers:
    """What one group is on the chip. Integers as torch int64 tensors or Python ints."""

    weights: tuple[Tensor, ...]
    """Per synapse, in its shape: mantissa << exponent. Of an image: |k| <= 127."""
    bias: Tensor
    """Broadcasts to the group's shape; in steps of v, multiples of 2^bias_exp. Of an image: the encoder's offset."""
    bias_exp: int
    dv: int
    vth: int
    unit: float
    """What weight 1 (64 steps of v) is worth in the float model."""
    encoder_shift: int | None = None


class SpikingGroup(nn.Module):
    """spikes of several sources -> synapses -> sum -> neurons -> spikes.

    A source may be the group itself: then spikes of step t arrive at t + 1 + lag.

    Args:
        name: Its name in the network.
        shape: Of the neurons.
        synapses: Without biases of their own; each with its source's name.
        bias: Float, in the group's shape or one that broadcasts to it.
        neuron: Its threshold and decay, one of each.
        exps: Exponent in [0, 7] of each synapse's mantissas.
        least: The unit below which the grid never goes, a power of two.
        lag: Steps that a spike to the group itself takes beyond one.
    """

    def __init__(
        self,
        name: str,
        shape: Shape,
        synapses: Sequence[tuple[str, AnySynapse]],
        bias: Tensor,
        neuron: AbstractNeuron,
        *,
        exps: Sequence[int],
        least: float,
        lag: int = 0,
    ) -> None:
        super().__init__()
        if not synapses or len(exps) != len(synapses):
            raise InputError(name, "exponents", got=len(exps), relation="are not", limit="one for each of its synapses")
        self.name = name
        self.shape = shape
        self.sources = tuple(source for source, _ in synapses)
        self.synapses = nn.ModuleList(synapse for _, synapse in synapses)
        self.bias = nn.Parameter(bias)
        self.neuron = neuron
        self.exps = tuple(exps)
        self.lag = lag
        self.register_buffer("least", torch.tensor(least))
        self.least: Tensor

    def forward(self, sources: Mapping[str, Tensor]) -> Tensor:
        """`(T, B, *source shape)` spikes by source to `(T, B, *shape)`."""
        return self._forward_rounded(sources) if self.training else self._forward_integer(sources)

    def integers(self) -> GroupIntegers:
        """The group as the chip holds it; ExportError where no chip can."""
        with torch.no_grad():
            weights, bias = [w.double() for w in self._weights()], self.bias.double()
            for weight in weights:
                quant.legal_weight(self.name, weight, bias)
            unit = grid.unit_of(weights, self.exps, self.least)
            step, exp = quant.bias_step(bias, unit)
            mant = torch.round(bias / step).clamp(-fixed.BIAS_MANT_MAX, fixed.BIAS_MANT_MAX).long()
            whole = tuple(grid.whole(w, e, unit, self.least) for w, e in zip(weights, self.exps, strict=True))
            dv = quant.legal_decay(self.name, self.neuron.keep().double(), self.neuron.keep_max)
            vth = quant.legal_threshold(self.name, self.neuron.threshold().double(), unit)
            return GroupIntegers(whole, mant << exp, exp, dv, vth, float(unit))

    def _forward_rounded(self, sources: Mapping[str, Tensor]) -> Tensor:
        weights = self._weights()
        unit = grid.unit_of(weights, self.exps, self.least)
        weights = [grid.rounded(w, e, unit, self.least) for w, e in zip(weights, self.exps, strict=True)]
        x = self._first(sources).to(self.bias.dtype)
        current = x.new_zeros(*x.shape[:2], *self.shape) + quant.quantize_bias(self.bias, unit)
        for source, synapse, weight in zip(self.sources, self._synapses(), weights, strict=True):
            if source != self.name:
                current = current + self._applied(synapse, sources[source].to(weight.dtype), weight)
        keep = quant.quantize_keep(self.neuron.keep(), self.neuron.keep_max)
        threshold = quant.quantize_threshold(self.neuron.threshold(), unit)
        spikes: Tensor = self.neuron(current, keep, threshold, self._feedback(weights))
        return spikes

    def _forward_integer(self, sources: Mapping[str, Tensor]) -> Tensor:
        ints, x = self.integers(), self._first(sources)
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            total = torch.zeros(*x.shape[:2], *self.shape, dtype=torch.int64, device=x.device)
            for source, synapse, weight in zip(self.sources, self._synapses(), ints.weights, strict=True):
                if source != self.name:
                    integer_rule.check_spikes(sources[source])
                    total += self._summed(synapse, sources[source], weight)
            feedback = self._feedback(ints.weights)
            return integer_rule.fire(total, ints.bias, ints.dv, ints.vth, feedback).to(self.bias.dtype)

    def _feedback(self, weights: Sequence[Tensor]) -> "_Feedback | None":
        if self.name not in self.sources:
            return None
        place = self.sources.index(self.name)
        return _Feedback(self, self._synapses()[place], weights[place])

    def _weights(self) -> list[Tensor]:
        return [synapse.weight for synapse in self._synapses()]

    def _synapses(self) -> list[AnySynapse]:
        return list(self.synapses)  # type: ignore[arg-type]

    def _first(self, sources: Mapping[str, Tensor]) -> Tensor:
        return sources[next(name for name in self.sources if name != self.name)]

    def _applied(self, synapse: AnySynapse, x: Tensor, weight: Tensor) -> Tensor:
        y = synapse.apply_weight(for_synapse(synapse, x.flatten(0, 1)), weight, None)
        return y.reshape(*x.shape[:2], *self.shape)

    def _summed(self, synapse: AnySynapse, x: Tensor, weight: Tensor) -> Tensor:
        y = integer_rule.accumulate(synapse, for_synapse(synapse, x.flatten(0, 1)), weight)
        return y.reshape(*x.shape[:2], *self.shape)


@dataclass(frozen=True, eq=False)
class _Feedback:
    """What a group's own spikes bring into its next step."""

    group: SpikingGroup
    synapse: AnySynapse
    weight: Tensor

    def __call__(self, spikes: Sequence[Tensor]) -> Tensor:
        group = self.group
        if len(spikes) <= group.lag:
            return torch.zeros_like(spikes[0], dtype=self.weight.dtype)
        x = spikes[-1 - group.lag][None]
        if self.weight.is_floating_point():
            return group._applied(self.synapse, x, self.weight)[0]
        return group._summed(self.synapse, x, self.weight)[0]


def for_synapse(synapse: AnySynapse, x: Tensor) -> Tensor:
    """`(N, *source shape)` as the synapse takes it; neurons are flattened row by row."""
    return x if isinstance(synapse, QuantConv2d) else x.reshape(len(x), prod(x.shape[1:]))
