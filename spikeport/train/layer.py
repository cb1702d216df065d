"""`SpikingLayer`: synapse, batch norm and neuron, the unit that becomes one layer on the chip.

Quantization crosses the three of them (the weights' scale sets the grid of threshold and bias),
so they live in one module; so does a mean over windows, which is folded into the weights.
Between layers there is nothing but spikes, `(T, B, ...)`.
"""

import torch
from torch import Tensor, nn

from spikeport import fixed
from spikeport.errors import InputError
from spikeport.train import integer_rule, pools, quant
from spikeport.train.fold import Folded, fold
from spikeport.train.image import Image
from spikeport.train.neurons import AbstractNeuron
from spikeport.train.quant import LayerIntegers
from spikeport.train.synapses import QuantConvTranspose2d, QuantLinear, Synapse


class SpikingLayer(nn.Module):
    """spikes or image -> pool -> synapse -> norm -> neuron -> spikes.

    In eval mode with `quantize`, the forward pass is the chip's integer rule, bit for bit.
    In training mode it uses the same rounded weights (folded with the batch's statistics), decay,
    threshold and bias, with straight-through gradients. Without `quantize` it is the papers' float form.

    Args:
        image: Set on the first layer if the network's input is an image, `(B, c, h, w)`.
        pool: Means, or with a `divisor_override` of 1 sums, of the spikes in windows, taken before the synapse; a
            `QuantLinear` gets them flat. Where windows overlap, weights have fewer levels: their sums must fit 8 bits.
    """

    def __init__(
        self,
        synapse: Synapse,
        neuron: AbstractNeuron,
        norm: nn.BatchNorm1d | nn.BatchNorm2d | None = None,
        *,
        image: Image | None = None,
        pool: nn.AvgPool2d | None = None,
        quantize: bool = True,
    ) -> None:
        super().__init__()
        if pool is not None:
            _check_pool(pool, image)
        if image is not None and isinstance(synapse, QuantConvTranspose2d):
            do = "begin with a QuantConv2d or QuantLinear"
            raise InputError("SpikingLayer", "image", relation="is not taken by", limit="a QuantConvTranspose2d", do=do)
        if norm is not None and norm.running_mean is None:
            do = "leave track_running_stats on"
            raise InputError("SpikingLayer", "norm", relation="has no", limit="running statistics", do=do)
        self.synapse = synapse
        self.norm = norm
        self.neuron = neuron
        self.image = image
        self.pool = pool
        self.quantize = quantize

    def forward(self, x: Tensor) -> Tensor:
        """`(T, B, *in)` spikes, or `(B, *in)` integers for an image, to `(T, B, *out)` spikes."""
        self._check(x)
        if not self.quantize:
            return self._forward_float(x)
        if self.training:
            return self._forward_rounded(x)
        if self.image is not None:
            return integer_rule.forward_image(self.synapse, self.image, self.integers(), x)
        return integer_rule.forward(self.synapse, self._window_sums, self.integers(), x)

    def integers(self) -> LayerIntegers:
        """The layer as the chip holds it, from the running statistics."""
        where = type(self.neuron).__name__
        with torch.no_grad():
            folded = fold(self.synapse, self.norm, self.neuron.gain()).double()
            quant.legal_weight(where, folded.weight, folded.bias)
            lsb = quant.weight_lsb(folded.weight, self._levels())
            k = torch.round(folded.weight / lsb).long()
            keep, threshold = self.neuron.keep().double(), self.neuron.threshold().double()
            dv = quant.legal_decay(where, keep, self.neuron.keep_max)
            if self.image is not None:
                offset = quant.legal_offset(where, folded.bias / (lsb * self.image.scale))
                offset, shift = quant.coarse_offset(k, offset, self.image.low, self.image.high)
                if not k.any():  # no weight sets the scale, so the bias does
                    offset, lsb, shift = (offset + (1 << shift >> 1)) >> shift, lsb * 2.0**shift, 0
                unit = lsb * self.image.scale * 2.0**shift
                vth = quant.legal_threshold(where, threshold, unit)
                return LayerIntegers(k, offset, fixed.ACT_SHIFT, dv, vth, float(unit), shift)
            unit = self._unit(folded, lsb)
            step, exp = quant.bias_step(folded.bias, unit)
            mant = torch.round(folded.bias / step).clamp(-fixed.BIAS_MANT_MAX, fixed.BIAS_MANT_MAX).long()
            vth = quant.legal_threshold(where, threshold, unit)
            return LayerIntegers(2 * k, mant << exp, exp, dv, vth, float(unit))

    def _forward_float(self, x: Tensor) -> Tensor:
        current = self.synapse.apply_weight(self._merged(x), self.synapse.weight, self.synapse.bias)
        if self.norm is not None:
            current = self.norm(current)
        return self.neuron(self._split(current * self.neuron.gain(), x))

    def _forward_rounded(self, x: Tensor) -> Tensor:
        merged = self._merged(x)
        folded = fold(self.synapse, self.norm, self.neuron.gain(), batch=merged)
        lsb = quant.weight_lsb(folded.weight, self._levels())
        unit = self._unit(folded, lsb)
        weight = quant.round_ste(folded.weight / lsb) * lsb
        bias = folded.bias if self.image is not None else quant.quantize_bias(folded.bias, unit)
        current = self.synapse.apply_weight(merged, weight, bias)
        if self.image is not None:
            current = quant.round_ste(current / unit) * unit
        keep = quant.quantize_keep(self.neuron.keep(), self.neuron.keep_max)
        threshold = quant.quantize_threshold(self.neuron.threshold(), unit)
        return self.neuron(self._split(current, x), keep, threshold)

    def _unit(self, folded: Folded, lsb: Tensor) -> Tensor:
        if self.image is None:
            return lsb / (2 * pools.divisor(self.pool))
        with torch.no_grad():
            k, offset = folded.weight / lsb, folded.bias / (lsb * self.image.scale)
            shift = quant.encoder_shift(k.round(), offset.round(), self.image.low, self.image.high)
        return lsb * self.image.scale * 2.0**shift

    def _merged(self, x: Tensor) -> Tensor:
        """Time and batch as one axis, so that the synapse runs once for all steps."""
        x = x.to(self.synapse.weight.dtype)
        if self.image is not None:
            return x * self.image.scale
        return self._window_sums(x.flatten(0, 1)) / pools.divisor(self.pool)

    def _window_sums(self, x: Tensor) -> Tensor:
        """`(N, *in)` as the synapse takes it, windows added up."""
        if self.pool is None:
            return x
        sums = pools.window_sums(self.pool, x)
        return sums.flatten(1) if isinstance(self.synapse, QuantLinear) else sums

    def _levels(self) -> int:
        """Largest |k|: the sum of the weights that one spike goes through is at most 127."""
        return quant.K_MAX // pools.overlap(self.pool)

    def _split(self, current: Tensor, x: Tensor) -> Tensor:
        if self.image is not None:
            return current.expand(self.image.steps, *current.shape)
        return current.reshape(*x.shape[:2], *current.shape[1:])

    def _check(self, x: Tensor) -> None:
        expected = 5 if self.pool is not None else self.synapse.weight.dim() + (0 if self.image is not None else 1)
        if x.dim() != expected or not x.numel():
            axes = "(B, ...)" if self.image is not None else "(T, B, ...)"
            raise InputError(
                "SpikingLayer",
                "input shape",
                got=tuple(x.shape),
                relation="does not have",
                limit=f"{expected} axes, {axes}, none empty",
            )
        if self.image is not None and (x.amin() < self.image.low or x.amax() > self.image.high):
            got = f"{x.amin():g}..{x.amax():g}"
            raise InputError(
                "SpikingLayer",
                "image values",
                got=got,
                relation="are not in",
                limit=f"[{self.image.low}, {self.image.high}]",
            )


def _check_pool(pool: nn.AvgPool2d, image: Image | None) -> None:
    pools.check_average(pool)
    if image is not None:
        do = "average the images before they enter the network"
        raise InputError("SpikingLayer", "pool", relation="is not allowed", limit="beside an image", do=do)
    if pools.overlap(pool) > quant.K_MAX:
        got, do = pools.overlap(pool), "let the windows overlap less"
        raise InputError("AvgPool2d", "windows over one place", got=got, relation="exceed", limit=quant.K_MAX, do=do)


class Vote(nn.Module):
    """Output spikes `(T, B, n)` to rates `(B, classes)`: mean over time and equal blocks of neurons.

    The boosting layer of ALIF's networks (its Table 8, average pooling of the outputs); runs on the host.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        if classes < 1:
            raise InputError("Vote", "classes", got=classes, relation="is not above", limit=0)
        self.classes = classes

    def forward(self, spikes: Tensor) -> Tensor:
        if spikes.dim() != 3:
            got, do = tuple(spikes.shape), "put nn.Flatten(2) before it"
            raise InputError("Vote", "input shape", got=got, relation="does not have", limit="3 axes, (T, B, n)", do=do)
        if spikes.shape[-1] % self.classes:
            raise InputError(
                "Vote", "output neurons", got=spikes.shape[-1], relation="do not divide by classes", limit=self.classes
            )
        return spikes.reshape(*spikes.shape[:-1], self.classes, -1).sum((0, -1)) * self.classes / spikes[:, 0].numel()


def set_quantize(module: nn.Module, quantize: bool) -> None:
    """Switches every SpikingLayer inside between the deployable and the float form."""
    for layer in module.modules():
        if isinstance(layer, SpikingLayer):
            layer.quantize = quantize
