"""`SpikingLayer`: synapse, batch norm and neuron, the unit that becomes one layer on the chip.

Quantization crosses the three of them (the weights' scale sets the grid of threshold and bias),
so they live in one module; so does a mean over windows, which is folded into the weights, and what joins the layer past
a block. Between layers there is nothing but spikes, `(T, B, ...)`.
"""

import torch
from torch import Tensor, nn

from spikeport import fixed
from spikeport.errors import ArraysDiffer, LayerInvalid, ValueOutside, WrongShape, WrongType
from spikeport.train import integer_rule, quant
from spikeport.train.branch import Branch, Shortcut
from spikeport.train.fold import Folded
from spikeport.train.fused import Current, fire
from spikeport.train.image import Image
from spikeport.train.neurons import AbstractNeuron
from spikeport.train.quant import LayerIntegers
from spikeport.train.readout import AbstractMembraneReadout
from spikeport.train.scale import Grid, grid_of
from spikeport.train.synapses import AnyBatchNorm, OneToOne, QuantConvTranspose2d, Synapse

ONE_TO_ONE = OneToOne()


class SpikingLayer(nn.Module):
    """spikes or image -> pool -> synapse -> norm -> neuron -> spikes.

    In eval mode with `quantize`, the forward pass is the chip's integer rule, bit for bit.
    In training mode it uses the same rounded weights, decay, threshold and bias, on the grid of the running statistics
    and normalised by the batch's, with straight-through gradients. Without `quantize` it is the papers' float form.

    Args:
        image: Set on the first layer if the network's input is an image, `(B, c, h, w)`, or one for each step.
        pool: Of `Branch`.
        shortcut: What else enters the neurons: a `Branch` of the spikes that are given as the second input, or those
            spikes themselves.
    """

    def __init__(
        self,
        synapse: Synapse,
        neuron: AbstractNeuron,
        norm: AnyBatchNorm | None = None,
        *,
        image: Image | None = None,
        pool: nn.AvgPool2d | None = None,
        shortcut: Branch | Shortcut | None = None,
        quantize: bool = True,
    ) -> None:
        super().__init__()
        if not isinstance(neuron, AbstractNeuron):
            got = f"the class {neuron.__name__}" if isinstance(neuron, type) else type(neuron).__name__
            do = "give a neuron such as ALIF()"
            raise LayerInvalid("SpikingLayer", "neuron", got=got, relation="is not", limit="an AbstractNeuron", do=do)
        if image is not None:
            _check_image_layer(synapse, pool, shortcut)
        self.main = Branch(synapse, norm, pool)
        self.shortcut = shortcut
        self.neuron = neuron
        self.image = image
        self.quantize = quantize
        self.sync = False
        """Whether statistics of a batch are those over all processes."""

    @property
    def synapse(self) -> Synapse:
        """That of the main way in."""
        return self.main.synapse

    @property
    def branches(self) -> tuple[Branch | Shortcut, ...]:
        """The ways in: the main one, and the shortcut where there is one."""
        return (self.main,) if self.shortcut is None else (self.main, self.shortcut)

    def forward(self, x: Tensor, past: Tensor | None = None) -> Tensor:
        """`(T, B, *in)` spikes, or `(B, *in)` integers for an image, to `(T, B, *out)` spikes.

        Args:
            past: `(T, B, *other)` spikes for the shortcut, where there is one.
        """
        inputs = self._inputs(x, past)
        if self.training or not self.quantize:
            return self._forward_float(inputs)
        if self.image is not None:
            return integer_rule.forward_image(self.synapse, self.image, self.integers(), self.neuron.dynamics.reset, x)
        return self._forward_integer(inputs)

    def integers(self) -> LayerIntegers:
        """The layer as the chip holds it, from the running statistics."""
        where = type(self.neuron).__name__
        with torch.no_grad():
            folded = [branch.fold(self.neuron.gain()).double() for branch in self.branches]
            for part in folded:
                quant.legal_weight(where, part.weight, part.bias)
            grid = self._grid([part.weight.abs().amax() for part in folded])
            k = [torch.round(part.weight / step).long() for part, step in zip(folded, grid.steps, strict=True)]
            keep, threshold = self.neuron.keep().double(), self.neuron.threshold().double()
            dv = quant.legal_decay(where, keep, self.neuron.keep_max)
            if self.image is not None:
                return self._image_integers(where, folded[0], grid.steps[0], k[0], dv)
            weights = [(2 * w) << int(e) for w, e in zip(k, grid.exps, strict=True)]
            bias = torch.stack([part.bias.expand(folded[0].bias.shape) for part in folded]).sum(0)
            step, exp = quant.bias_step(bias, grid.unit)
            mant = torch.round(bias / step).clamp(-fixed.BIAS_MANT_MAX, fixed.BIAS_MANT_MAX).long()
            vth = quant.legal_threshold(where, threshold, grid.unit)
            past = weights[1] if len(weights) > 1 else None
            return LayerIntegers(weights[0], mant << exp, exp, dv, vth, float(grid.unit), past=past)

    def _image_integers(self, where: str, folded: Folded, lsb: Tensor, k: Tensor, dv: int) -> LayerIntegers:
        assert self.image is not None
        offset = quant.legal_offset(where, folded.bias / (lsb * self.image.scale))
        offset, shift = quant.coarse_offset(k, offset, self.image.low, self.image.high)
        if not k.any():  # no weight sets the scale, so the bias does
            offset, lsb, shift = (offset + (1 << shift >> 1)) >> shift, lsb * 2.0**shift, 0
        unit = lsb * self.image.scale * 2.0**shift
        vth = quant.legal_threshold(where, self.neuron.threshold().double(), unit)
        return LayerIntegers(k, offset, fixed.ACT_SHIFT, dv, vth, float(unit), shift)

    def _forward_float(self, inputs: list[Tensor]) -> Tensor:
        """The papers' float form, or the same with rounded parameters."""
        gain, keep, threshold = self.neuron.gain(), self.neuron.keep(), self.neuron.threshold()
        grid, unit = None, 0.0
        if self.quantize:
            with torch.no_grad():
                grid = self._grid([branch.largest(gain) for branch in self.branches])
                grid_unit = grid.unit if self.image is None else self._image_unit(self.main.fold(gain), grid.steps[0])
            keep = quant.quantize_keep(keep, self.neuron.keep_max)
            threshold = quant.quantize_threshold(threshold, grid_unit)
            unit = float(grid_unit) if self.image is not None else 0.0
        found = [
            branch.current(x, gain, grid.steps[i] if grid else None, self.sync)
            for i, (branch, x) in enumerate(zip(self.branches, self._merged(inputs), strict=True))
        ]
        currents = [current for current, _ in found]
        brought = [offset for _, offset in found if offset is not None]
        offset = torch.stack(brought).sum(0) if brought else None
        if grid is not None and self.image is None:
            offset = _rounded_bias(currents, offset, grid.unit)
        constant = self.image is not None and inputs[0].dim() == self.synapse.weight.dim()
        steps = self.image.steps if constant and self.image is not None else len(inputs[0])
        spikes = fire(currents, offset, keep, threshold, steps, self.neuron.dynamics, constant=constant, unit=unit)
        return spikes.reshape(steps, -1, *spikes.shape[1:])

    def _forward_integer(self, inputs: list[Tensor]) -> Tensor:
        ints = self.integers()
        weights = [w for w in (ints.weight, ints.past) if w is not None]
        synapses = [branch.synapse if isinstance(branch, Branch) else ONE_TO_ONE for branch in self.branches]
        ways = [
            integer_rule.Way(synapse, branch.window_sums, weight, x)
            for synapse, branch, weight, x in zip(synapses, self.branches, weights, inputs, strict=True)
        ]
        return integer_rule.forward(ways, ints, self.neuron.dynamics.reset, self.synapse.weight.dtype)

    def _grid(self, largest: list[Tensor]) -> Grid:
        alone = isinstance(self.shortcut, Shortcut) and self.shortcut.pool is None
        return grid_of(largest, [b.levels for b in self.branches], [b.divisor for b in self.branches], alone)

    def _image_unit(self, folded: Folded, lsb: Tensor) -> Tensor:
        assert self.image is not None
        k, offset = folded.weight / lsb, folded.bias / (lsb * self.image.scale)
        shift = quant.encoder_shift(k.round(), offset.round(), self.image.low, self.image.high)
        return lsb * self.image.scale * 2.0**shift

    def _merged(self, inputs: list[Tensor]) -> list[Tensor]:
        """Time and batch as one axis, so that each synapse runs once for all steps."""
        dtype = self.synapse.weight.dtype
        if self.image is not None:
            x = inputs[0].to(dtype) * self.image.scale
            return [x if x.dim() == self.synapse.weight.dim() else x.flatten(0, 1)]
        merged = (x.flatten(0, 1).to(dtype) for x in inputs)
        return [b.window_sums(x) / b.divisor if b.pool else x for b, x in zip(self.branches, merged, strict=True)]

    def _inputs(self, x: Tensor, past: Tensor | None) -> list[Tensor]:
        if (past is None) != (self.shortcut is None):
            relation, limit = ("is missing for", "the") if past is None else ("is not taken without", "a")
            raise LayerInvalid("SpikingLayer", "second input", relation=relation, limit=f"{limit} shortcut")
        if not isinstance(x, Tensor):
            do = "torch.from_numpy(x) makes one of an array"
            raise WrongType("SpikingLayer", "input", got=type(x).__name__, relation="is not", limit="a tensor", do=do)
        axes = (self.main.axes, self.main.axes - 1) if self.image is not None else (self.main.axes,)
        if x.dim() not in axes or not x.numel():
            named = "(B, ...)" if self.image is not None else "(T, B, ...)"
            limit = f"{axes[-1]} axes, {named}, none empty"
            raise WrongShape("SpikingLayer", "input shape", got=tuple(x.shape), relation="does not have", limit=limit)
        if self.image is not None:
            least, most = (float(value) for value in x.detach().aminmax())  # a byte compared with -255 wraps
            if least < self.image.low or most > self.image.high:
                got, limit = f"{least:g}..{most:g}", f"[{self.image.low}, {self.image.high}]"
                raise ValueOutside("SpikingLayer", "image values", got=got, relation="are not in", limit=limit)
            if (
                most <= 1 < self.image.high and x.is_floating_point() and bool((x != x.round()).any())
            ):  # a training on them would be for nothing
                do = f"multiply by {self.image.high} and round, or leave ToTensor() out"
                limit = f"integers up to {self.image.high}"
                raise WrongType("SpikingLayer", "image values", got="0..1", relation="are not", limit=limit, do=do)
        if past is not None and past.shape[:2] != x.shape[:2]:
            what, steps = "steps and batch of the second input", tuple(x.shape[:2])
            raise ArraysDiffer("SpikingLayer", what, got=tuple(past.shape[:2]), relation="are not", limit=steps)
        return [x] if past is None else [x, past]


def _rounded_bias(currents: list[Current], offset: Tensor | None, unit: Tensor) -> Tensor | None:
    """The offset, moved by what rounding does to the bias that the chip would have of it and the norms' means."""
    with torch.no_grad():
        bias = offset
        for current in currents:
            if current.moments is not None:
                assert bias is not None and current.scale is not None
                bias = bias - current.scale * current.moments.rstd * current.moments.mean
        error = None if bias is None else quant.quantize_bias(bias, unit) - bias
    return offset if error is None or offset is None else offset + error


def _check_image_layer(synapse: Synapse, pool: nn.AvgPool2d | None, shortcut: nn.Module | None) -> None:
    if isinstance(synapse, QuantConvTranspose2d):
        do = "begin with a QuantConv2d or QuantLinear"
        raise LayerInvalid("SpikingLayer", "image", relation="is not taken by", limit="a QuantConvTranspose2d", do=do)
    for what, given in (("pool", pool), ("shortcut", shortcut)):
        if given is not None:
            do = "average the images before they enter the network" if what == "pool" else "begin with a plain layer"
            raise LayerInvalid("SpikingLayer", what, relation="is not allowed", limit="beside an image", do=do)


def set_quantize(module: nn.Module, quantize: bool) -> None:
    """Switches every layer inside between the deployable and the float form.

    Args:
        module: A network, or a part of one.
        quantize: Whether weights, decays and thresholds are rounded to the chip's grid. In eval mode that is integer
            arithmetic; without it the network is the papers' in floats, in both modes.
    """
    for layer in module.modules():
        if isinstance(layer, SpikingLayer | AbstractMembraneReadout):
            layer.quantize = quantize
