"""Synapses with 8-bit weights: one scale per layer, straight-through gradients.

Alone they are ordinary layers on rounded weights. Inside a `SpikingLayer`, batch norm and gain
are folded into the weights first and the folded weights are rounded.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.errors import LayerInvalid
from spikeport.train.quant import quantize_weight


class QuantConv2d(nn.Conv2d):
    """torch's Conv2d with zero padding, on 8-bit weights: k lsb, k whole and in [-127, 127], one lsb a layer."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, c_in, h, w)` to `(B, c_out, h', w')`."""
        return self.apply_weight(x, quantize_weight(self.weight), self.bias)

    def apply_weight(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The convolution with another weight of the same shape."""
        if self.padding_mode != "zeros":
            do = "a core has no other padding"
            raise LayerInvalid(
                "QuantConv2d", "padding_mode", got=self.padding_mode, relation="is not", limit="zeros", do=do
            )
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)

    def per_weight(self, values: Tensor) -> Tensor:
        """What is one for each output channel, `(c_out,)`, in a shape that broadcasts to the weight's."""
        return values[:, None, None, None]

    def reach(self, weight: Tensor) -> Tensor:
        """The most that spikes of all sources bring to one neuron, in absolute weights."""
        return weight.abs().flatten(1).sum(1).amax()


class QuantConvTranspose2d(nn.ConvTranspose2d):
    """torch's ConvTranspose2d on 8-bit weights; `weight (c_in, c_out / groups, k_h, k_w)`."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """`(B, c_in, h, w)` to `(B, c_out, h', w')`."""
        if output_size is not None:
            do = "give output_padding when it is made"
            raise LayerInvalid("QuantConvTranspose2d", "output_size", got=output_size, relation="is not taken", do=do)
        return self.apply_weight(x, quantize_weight(self.weight), self.bias)

    def apply_weight(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The transposed convolution with another weight of the same shape."""
        geometry = self.stride, self.padding, self.output_padding, self.groups, self.dilation
        return F.conv_transpose2d(x, weight, bias, *geometry)  # type: ignore[arg-type]

    def per_weight(self, values: Tensor) -> Tensor:
        """What is one for each output channel, `(c_out,)`, in a shape that broadcasts to the weight's."""
        c_in = self.in_channels // self.groups
        return values.reshape(self.groups, 1, -1).expand(-1, c_in, -1).reshape(self.in_channels, -1, 1, 1)

    def reach(self, weight: Tensor) -> Tensor:
        """The most that spikes of all sources bring to one neuron, in absolute weights."""
        return self._grouped(weight).abs().sum((1, 3, 4)).amax()

    def _grouped(self, weight: Tensor) -> Tensor:
        """`(groups, c_in / groups, c_out / groups, k_h, k_w)`."""
        return weight.reshape(self.groups, -1, *weight.shape[1:])


class QuantLinear(nn.Linear):
    """torch's Linear on 8-bit weights: k lsb, k whole and in [-127, 127], one lsb a layer."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, n_in)` to `(B, n_out)`."""
        return self.apply_weight(x, quantize_weight(self.weight), self.bias)

    def apply_weight(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The product with another weight of the same shape."""
        return F.linear(x, weight, bias)

    def per_weight(self, values: Tensor) -> Tensor:
        """What is one for each output, `(n_out,)`, in a shape that broadcasts to the weight's."""
        return values[:, None]

    def reach(self, weight: Tensor) -> Tensor:
        """The most that spikes of all sources bring to one neuron, in absolute weights."""
        return weight.abs().sum(1).amax()


class OneToOne(nn.Module):
    """Each neuron to the one at its place, with one weight for all; what a block's input takes past the block."""

    def apply_weight(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """x times the weight, `()`."""
        return x * weight if bias is None else x * weight + bias

    def reach(self, weight: Tensor) -> Tensor:
        """The most that spikes of all sources bring to one neuron, in absolute weights."""
        return weight.abs()


class QuantSparse(nn.Module):
    """Listed synapses only, on 8-bit weights: `weight[k]` from neuron `col[k]` to neuron `row[k]`.

    Args:
        row: `(n_synapses,)` integers in [0, out_features); col: likewise in [0, in_features).
    """

    def __init__(self, row: Tensor, col: Tensor, in_features: int, out_features: int) -> None:
        super().__init__()
        for what, index, size in (("row", row, out_features), ("col", col, in_features)):
            if index.shape != row.shape or index.dim() != 1 or bool(((index < 0) | (index >= size)).any()):
                raise LayerInvalid("QuantSparse", what, relation="is not", limit=f"one index below {size} per synapse")
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

    def reach(self, weight: Tensor) -> Tensor:
        """At least the most that spikes of all sources bring to one neuron."""
        return weight.abs().sum()


Synapse = QuantConv2d | QuantConvTranspose2d | QuantLinear
AnyBatchNorm = nn.BatchNorm1d | nn.BatchNorm2d
AnySynapse = QuantConv2d | QuantLinear | QuantSparse
"""Of a `SpikingGroup`."""


def channels_of(synapse: Synapse) -> int:
    """Output channels, or outputs: as many as there are biases."""
    return synapse.out_features if isinstance(synapse, QuantLinear) else synapse.out_channels
