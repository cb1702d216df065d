"""Synapses with 8-bit weights: one scale per layer, straight-through gradients.

Alone they are ordinary layers on rounded weights. Inside a `SpikingLayer`, batch norm and gain
are folded into the weights first and the folded weights are rounded.
"""

import torch
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


class QuantSparse(nn.Module):
    """Listed synapses only, on 8-bit weights: `weight[k]` from neuron `col[k]` to neuron `row[k]`.

    Args:
        row: `(n_synapses,)` integers in [0, out_features); col: likewise in [0, in_features).
    """

    def __init__(self, row: Tensor, col: Tensor, in_features: int, out_features: int) -> None:
        super().__init__()
        for what, index, size in (("row", row, out_features), ("col", col, in_features)):
            if index.shape != row.shape or index.dim() != 1 or bool(((index < 0) | (index >= size)).any()):
                raise InputError("QuantSparse", what, relation="is not", limit=f"one index below {size} per synapse")
        self.in_features, self.out_features = in_features, out_features
        self.register_buffer("index", torch.stack([row.long(), col.long()]))
        self.index: Tensor
        self.weight = nn.Parameter(torch.zeros(len(row)))

    def forward(self, x: Tensor) -> Tensor:
        """`(B, n_in)` to `(B, n_out)`."""
        return self.apply_weight(x, quantize_weight(self.weight), None)

    def apply_weight(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The product with other weights of the same synapses."""
        size = (self.out_features, self.in_features)
        matrix = torch.sparse_coo_tensor(self.index, weight, size, check_invariants=False)
        y = torch.sparse.mm(matrix, x.T).T
        return y if bias is None else y + bias


Synapse = QuantConv2d | QuantLinear
AnySynapse = QuantConv2d | QuantLinear | QuantSparse
