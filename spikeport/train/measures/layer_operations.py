"""Operations of one layer, from the shapes that pass it."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.train.autoencoders.pfa import Pfa

Weighted = nn.Conv2d | nn.ConvTranspose2d | nn.Linear


@dataclass(frozen=True)
class LayerOperations:
    """One layer; counts of what spiked are sums over all samples, everything else is of one."""

    name: str
    kind: str
    """conv, linear or neurons."""
    fed: str
    """spikes, or analog: real numbers."""
    passes: int = 0
    """Evaluations: 1 of what is the same at all steps, else one per step."""
    slots: int = 0
    """Inputs that may spike, per step; 0 if fed by real numbers."""
    outputs: int = 0
    """Per step."""
    bias: bool = False
    macs_dense: int = 0
    """Of one pass, those on padding included."""
    macs_valid: int = 0
    """Without them: the synapses."""
    macs_by_output: int = 0
    """If each output took in a whole kernel: above `macs_dense` for transposed convolutions alone."""
    elements: int = 0
    """Neurons."""
    events: int = 0
    """Spikes that arrived."""
    sops: int = 0
    """Synapses behind them."""


def layer_operations(name: str, synapse: Weighted, x: Tensor, y: Tensor, *, fed: str, passes: int) -> LayerOperations:
    """Of what takes one sample's x at one step to y."""
    dense, by_output, valid = _macs(synapse, tuple(x.shape), tuple(y.shape))
    return LayerOperations(
        name,
        "linear" if isinstance(synapse, nn.Linear) else "conv",
        fed,
        passes=passes,
        slots=x.numel() if fed == "spikes" else 0,
        outputs=y.numel(),
        bias=synapse.bias is not None,
        macs_dense=dense,
        macs_valid=valid,
        macs_by_output=by_output,
    )


def _macs(synapse: Weighted, x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, int, int]:
    """Dense, by output, and valid: what a kernel of ones makes of an image of ones."""
    weights = synapse.weight.numel()
    if isinstance(synapse, nn.Linear):
        return weights, weights, weights
    by_output = prod(y[1:]) * weights
    ones, kernel = torch.ones(1, *x, dtype=torch.float64), torch.ones(synapse.weight.shape, dtype=torch.float64)
    stride, padding, dilation, groups = synapse.stride, synapse.padding, synapse.dilation, synapse.groups
    if isinstance(synapse, nn.ConvTranspose2d):
        assert not isinstance(padding, str)
        out = synapse.output_padding
        found = F.conv_transpose2d(ones, kernel, None, stride, padding, out, groups, dilation)
        return prod(x[1:]) * weights, by_output, int(found.sum())
    found = F.conv2d(ones, kernel, None, stride, padding, dilation, groups)
    return by_output, by_output, int(found.sum())


def host_linear(name: str, layer: nn.Linear) -> LayerOperations:
    """One that the host computes once."""
    return _host(name, layer.weight.numel(), layer.out_features, layer.bias is not None)


def _host(name: str, macs: int, outputs: int, bias: bool = False) -> LayerOperations:
    return LayerOperations(name, "linear", "analog", 1, 0, outputs, bias, macs, macs, macs)


def taid_attention(name: str, steps: int, image: Tensor) -> LayerOperations:
    """T T multiplications for each channel, and T for each pixel."""
    return _host(f"{name}.attention", steps * steps * len(image) + steps * image.numel(), image.numel())


def pfa_operations(pfa: Pfa) -> LayerOperations:
    """Three maps of rank R, their sum over the ranks, and the product with the image."""
    steps, (c, h, w), rank = pfa.steps, pfa.source.shape, pfa.over_steps.out_features
    maps = pfa.space.weight.numel() * h * w + 2 * rank * steps * c
    joined = rank * steps * c + rank * steps * c * h * w
    return _host("pfa", maps + joined + steps * c * h * w, steps * c * h * w, bias=True)
