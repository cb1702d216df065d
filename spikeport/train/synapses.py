"""Synapses with 8-bit weights: one scale per layer, straight-through gradients.

Alone they are ordinary layers on rounded weights. Inside a `SpikingLayer`, batch norm and gain
are folded into the weights first and the folded weights are rounded.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.errors import InputError
from spikeport.train.quant import quantize_weight


class QuantConv2d(nn.Conv2d):
    """torch's Conv2d with zero padding, on 8-bit weights."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, c_in, h, w)` to `(B, c_out, h', w')`."""
        return self.apply_weight(x, quantize_weight(self.weight), self.bias)

    def apply_weight(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The convolution with another weight of the same shape."""
        if self.padding_mode != "zeros":
            do = "a core has no other padding"
            raise InputError(
                "QuantConv2d", "padding_mode", got=self.padding_mode, relation="is not", limit="zeros", do=do
            )
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)


class QuantLinear(nn.Linear):
    """torch's Linear on 8-bit weights."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, n_in)` to `(B, n_out)`."""
        return self.apply_weight(x, quantize_weight(self.weight), self.bias)

    def apply_weight(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The product with another weight of the same shape."""
        return F.linear(x, weight, bias)


Synapse = QuantConv2d | QuantLinear
