"""Threshold-dependent batch norm: y = gamma * alpha * Vth * (x - mean) / sqrt(var + eps) + beta (Zheng et al., 2021).

Statistics are those over batch, time and places, as with an ordinary norm on time-merged input; gamma starts at 1.
"""

from torch import Tensor, nn

from spikeport.train.neurons.base import check_range


class ThresholdBatchNorm(nn.modules.batchnorm._BatchNorm):
    """torch's batch norm with the factor alpha * vth before gamma."""

    def __init__(self, features: int, vth: float = 0.2, alpha: float = 1.0, eps: float = 1e-5) -> None:
        """
        Args:
            vth: The threshold of the neurons behind it; FSVAE's and ESVAE's 0.2.
            alpha: 1, or 2 in the prior and posterior of FSVAE.
        """
        super().__init__(features, eps)
        check_range(type(self).__name__, "alpha * vth", alpha * vth, 0, float("inf"))
        self.factor = alpha * vth

    def forward(self, x: Tensor) -> Tensor:
        beta = self.bias.view(-1, *[1] * (x.dim() - 2))
        return beta + self.factor * (super().forward(x) - beta)


class TDBatchNorm1d(ThresholdBatchNorm, nn.BatchNorm1d):
    """Of linear layers, `(N, features)`."""


class TDBatchNorm2d(ThresholdBatchNorm, nn.BatchNorm2d):
    """Of convolutions, `(N, features, h, w)`."""
