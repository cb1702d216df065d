"""PFA, an attention over the steps, channels and places of the repeated image before it is encoded.

Its map is a sum of R rank-one tensors (CP decomposition), each factor of which comes from the image itself:

    S_r = sigmoid(Conv3x3(mean_c x))   `(R, h, w)`, the convolution takes the steps as channels
    C_r = sigmoid(Linear(mean_hw x))   `(R, T)`, from the channels
    T_r = sigmoid(Linear(mean_hw x))   `(R, c)`, from the steps
    y   = ReLU(sum_r S_r (x) C_r (x) T_r  *  x)

as in the generative networks of its published code (RisingEntropy/PFA, Generation/fsvae_models/TCSA.py).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.train.image import Image
from spikeport.train.models.parts import check_positive
from spikeport.train.models.source import Source
from spikeport.train.quant import round_ste


class Pfa(nn.Module):
    """Images `(B, c, h, w)`, integers, to one for each step, `(T, B, c, h, w)`, on the host, in float64.

    Args:
        rank: R. A map is below R, so what comes out is in [0, R * high].
    """

    def __init__(self, source: Source, steps: int, rank: int = 64) -> None:
        super().__init__()
        check_positive("pfa", rank=rank, steps=steps)
        self.source, self.steps = source, steps
        self.image = Image(steps, 0, rank * max(source.high, -source.low), source.scale)
        self.space = nn.Conv2d(steps, rank, 3, padding=1)
        self.over_channels = nn.Linear(source.shape[0], rank)
        self.over_steps = nn.Linear(steps, rank)

    def forward(self, images: Tensor, whole: bool = True) -> Tensor:
        """
        Args:
            whole: Whether to round to integers, as the host's first layer needs them; the gradient passes.
        """
        x = (images.double() * self.source.scale).expand(self.steps, *images.shape).transpose(0, 1)
        y = torch.relu(self.attention(x) * x).transpose(0, 1) / self.source.scale
        return round_ste(y) if whole else y

    def attention(self, x: Tensor) -> Tensor:
        """The map `(B, T, c, h, w)` of images `(B, T, c, h, w)`, float64."""
        means = x.mean((3, 4))
        of_places = torch.sigmoid(F.conv2d(x.mean(2), *_doubles(self.space), padding=1))
        of_steps = torch.sigmoid(F.linear(means, *_doubles(self.over_channels)))
        of_channels = torch.sigmoid(F.linear(means.transpose(1, 2), *_doubles(self.over_steps)))
        of_both = of_steps[:, :, None] * of_channels[:, None]  # (B, T, c, R); with the places it would be large
        return torch.einsum("btcr,brhw->btchw", of_both, of_places)


def _doubles(layer: nn.Conv2d | nn.Linear) -> tuple[Tensor, Tensor]:
    assert layer.bias is not None
    return layer.weight.double(), layer.bias.double()
