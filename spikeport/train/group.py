"""`SpikingGroup`: several synapses into one group of neurons, on a grid that is carried; a part of a `SpikingNetwork`.

In eval mode it follows the chip's integer rule; in training mode the same rounded values with straight-through
gradients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, prod

import torch
from torch import Tensor, nn

from spikeport import fixed
from spikeport.errors import InputError, LayerInvalid
from spikeport.program import Shape
from spikeport.train import grid, integer_rule, quant
from spikeport.train.neurons import AbstractNeuron
from spikeport.train.surrogate import spike
from spikeport.train.synapses import AnySynapse, QuantConv2d


@dataclass(frozen=True, eq=False)
class GroupIntegers:
    """What one group is on the chip. Integers as torch int64 tensors or Python ints."""

    weights: tuple[Tensor, ...]
    """Per synapse, in its shape: mantissa << exponent. Of an image: `|k| <= 127`."""
    bias: Tensor
    """Broadcasts to the group's shape; in steps of v, multiples of 2^bias_exp. Of an image: the encoder's offset."""
    bias_exp: int
    dv: int
    vth: int
    unit: float
    """What weight 1 (64 steps of v) is worth in the float model."""
    encoder_shift: int | None = None
    du: int = fixed.DECAY_ONE - 1


@dataclass(frozen=True, eq=False)
class Afferent:
    """What enters a group from one source. Its synapse has no bias of its own."""

    source: str
    synapse: AnySynapse
    exp: int = 0
    """Exponent of the mantissas, in [0, 7]."""
    lag: int = 0
    """Steps that a spike takes; at least 1 where it comes back to its own group."""
    fixed: bool = False
    """Whether training leaves the weights alone."""


class SpikingGroup(nn.Module):
    """spikes of several sources -> synapses -> sum -> neurons -> spikes.

    Args:
        name: Its name in the network.
        shape: Of the neurons.
        into: What enters; at least one.
        bias: Float, in the group's shape or one that broadcasts to it.
        neuron: Its threshold, decay and reset, one of each.
        least: The unit below which the grid never goes, a power of two; weights of 8 bits need no finer one than a
            256th of the largest.
        keep_u: What a step keeps of the current, in [0, 1); 0: it lasts one step. Learns if above 0.
        fires: Whether the neurons send spikes; else v is read.
    """

    def __init__(
        self,
        name: str,
        shape: Shape,
        into: Sequence[Afferent],
        bias: Tensor,
        neuron: AbstractNeuron,
        *,
        least: float = 2.0**-12,
        keep_u: float = 0.0,
        fires: bool = True,
    ) -> None:
        super().__init__()
        if not into:
            raise LayerInvalid(name, "is fed by nothing", do="connect it, or leave it out")
        if not 0 <= keep_u < 1:
            raise InputError(name, "keep_u", got=keep_u, relation="is not in", limit="[0, 1)")
        if any(a.lag < 1 for a in into if a.source == name):
            raise LayerInvalid(name, "lag of its own spikes", relation="is below", limit=1)
        self.name = name
        self.shape = shape
        self.into = tuple(into)
        self.synapses = nn.ModuleList(a.synapse for a in into)
        for a in into:
            a.synapse.weight.requires_grad_(not a.fixed)
        self.bias = nn.Parameter(bias)
        self.neuron = neuron
        self.fires = fires
        self.current = keep_u > 0
        if self.current:
            self.keep_u_raw = nn.Parameter(torch.tensor(log(keep_u / (1 - keep_u))))
        self.register_buffer("least", torch.tensor(least))
        self.least: Tensor

    @property
    def reset(self) -> str:
        """Whether a spike sets v to 0 ("zero"), or takes the threshold off ("subtract")."""
        return self.neuron.dynamics.reset

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of what enters it, in order."""
        return tuple(a.source for a in self.into)

    def integers(self) -> GroupIntegers:
        """The group as the chip holds it; ExportError where no chip can."""
        with torch.no_grad():
            weights, bias = [w.double() for w in self._weights()], self.bias.double()
            for weight in weights:
                quant.legal_weight(self.name, weight, bias)
            unit = grid.unit_of(weights, self._exps(), self.least)
            step, exp = quant.bias_step(bias, unit)
            mant = torch.round(bias / step).clamp(-fixed.BIAS_MANT_MAX, fixed.BIAS_MANT_MAX).long()
            whole = tuple(grid.whole(w, e, unit, self.least) for w, e in zip(weights, self._exps(), strict=True))
            dv = quant.legal_decay(self.name, self.neuron.keep().double(), self.neuron.keep_max)
            vth = fixed.VTH_MAX
            if self.fires:
                vth = quant.legal_threshold(self.name, self.neuron.threshold().double(), unit)
            du = fixed.DECAY_ONE - 1 - round(float(self._keep_u()) * fixed.DECAY_ONE)
            return GroupIntegers(whole, mant << exp, exp, dv, vth, float(unit), du=du)

    def v_unit(self) -> Tensor:
        """What a step of v is worth, a scalar without gradient."""
        return grid.unit_of(self._weights(), self._exps(), self.least) / (1 << fixed.ACT_SHIFT)

    def forgets(self) -> bool:
        """Whether a step keeps nothing of u, and of v no more than the least part."""
        return not self.current and int(self.integers().dv) == fixed.DECAY_ONE - 1

    def begin(self, values: Mapping[str, Tensor]) -> "Running":
        """The group before its first step.

        Args:
            values: `(T, B, *source shape)` of all sources outside of its own loop.
        """
        return self._rounded(values) if self.training else self._integer(values)

    def _rounded(self, values: Mapping[str, Tensor]) -> "Running":
        weights = self._weights()
        unit = grid.unit_of(weights, self._exps(), self.least)
        weights = [grid.rounded(w, e, unit, self.least) for w, e in zip(weights, self._exps(), strict=True)]
        threshold = quant.quantize_threshold(self.neuron.threshold(), unit) if self.fires else None
        keep_v = quant.quantize_keep(self.neuron.keep(), self.neuron.keep_max)
        neurons = _RoundedNeurons(
            self, keep_v, quant.quantize_keep(self._keep_u()) if self.current else None, threshold
        )
        neurons.v_step = self.v_unit()
        return Running(self, weights, quant.quantize_bias(self.bias, unit), neurons, values)

    def _integer(self, values: Mapping[str, Tensor]) -> "Running":
        for a in self.into:
            if a.source in values:
                integer_rule.check_spikes(values[a.source])
        ints = self.integers()
        keeps = fixed.keep_v(ints.dv), ints.vth, fixed.keep_u(ints.du)
        neurons = integer_rule.IntegerNeurons(*keeps, subtract=self.reset == "subtract", fires=self.fires)
        return Running(self, ints.weights, ints.bias, neurons, values)

    def _keep_u(self) -> Tensor:
        """On its grid, in [1/4096, 4095/4096] where there is a current."""
        if not self.current:
            return torch.zeros(())
        return quant.quantize_keep(torch.sigmoid(self.keep_u_raw.double()))

    def _weights(self) -> list[Tensor]:
        return [a.synapse.weight for a in self.into]

    def _exps(self) -> list[int]:
        return [a.exp for a in self.into]


class Running:
    """A group while it is stepped. Values of integers are int64, of rounded floats in the weights' type."""

    def __init__(
        self,
        group: SpikingGroup,
        weights: Sequence[Tensor],
        bias: Tensor,
        neurons: "integer_rule.IntegerNeurons | _RoundedNeurons",
        values: Mapping[str, Tensor],
    ) -> None:
        self.group, self.bias, self.neurons = group, bias, neurons
        self.batch = next(iter(values.values())).shape[1]
        self.whole = not bias.is_floating_point()
        self.inner = [(a, w) for a, w in zip(group.into, weights, strict=True) if a.source not in values]
        self.sent: list[Tensor] = []
        self.read: list[Tensor] = []
        self.arriving: Tensor | None = None
        for a, weight in zip(group.into, weights, strict=True):
            if a.source in values:
                found = self._late(self._applied(a, values[a.source], weight), a.lag)
                self.arriving = found if self.arriving is None else self.arriving + found

    def step(self, t: int, others: Mapping[str, "Running"]) -> None:
        """Takes step t, in which all of `others` that it hears at once have gone before."""
        a = self.arriving[t] if self.arriving is not None else None
        for afferent, weight in self.inner:
            sent = others[afferent.source].sent
            if 0 <= t - afferent.lag < len(sent):
                found = self._applied(afferent, sent[t - afferent.lag][None], weight)[0]
                a = found if a is None else a + found
        if a is None:  # nothing has come back yet
            a = self.bias.new_zeros(self.batch, *self.group.shape)
        s = self.neurons(a, self.bias)
        self.sent.append(s)
        if not self.group.fires:
            assert isinstance(self.neurons.v, Tensor)
            self.read.append(self.neurons.v)

    def found(self) -> Tensor:
        """Spikes `(T, B, *shape)`, or v in steps, in the weights' type."""
        values = torch.stack(self.sent if self.group.fires else self.read).to(self.group.bias.dtype)
        return values / self.neurons.v_step if isinstance(self.neurons, _RoundedNeurons) and self.read else values

    def _applied(self, a: Afferent, x: Tensor, weight: Tensor) -> Tensor:
        merged = for_synapse(a.synapse, x.flatten(0, 1))
        if self.whole:
            y = integer_rule.accumulate(a.synapse, merged, weight).long()
        else:
            y = a.synapse.apply_weight(merged.to(weight.dtype), weight, None)
        return y.reshape(*x.shape[:2], *self.group.shape)

    def _late(self, x: Tensor, lag: int) -> Tensor:
        return x if not lag else torch.cat([torch.zeros_like(x[:lag]), x[:-lag]])


class _RoundedNeurons:
    """The group's neurons on floats that are on its grid, one step at a time."""

    v_step: Tensor

    def __init__(self, group: SpikingGroup, keep_v: Tensor, keep_u: Tensor | None, threshold: Tensor | None) -> None:
        self.group, self.keep_v, self.keep_u, self.threshold = group, keep_v, keep_u, threshold
        self.u: Tensor | int = 0
        self.v: Tensor | int = 0

    def __call__(self, a: Tensor, bias: Tensor) -> Tensor:
        self.u = a if self.keep_u is None else self.keep_u * self.u + a
        v = self.keep_v * self.v + self.u + bias
        if self.threshold is None:
            self.v = v
            return torch.zeros_like(v)
        dynamics = self.group.neuron.dynamics
        s = spike(v, self.threshold, dynamics.surrogate)
        held = s.detach() if dynamics.detach_reset else s
        self.v = v - held * self.threshold if self.group.reset == "subtract" else v * (1 - held)
        return s


def for_synapse(synapse: AnySynapse, x: Tensor) -> Tensor:
    """`(N, *source shape)` as the synapse takes it; neurons are flattened row by row."""
    return x if isinstance(synapse, QuantConv2d) else x.reshape(len(x), prod(x.shape[1:]))
