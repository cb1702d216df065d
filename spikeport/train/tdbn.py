"""Threshold-dependent batch norm: y = gamma * alpha * Vth * (x - mean) / sqrt(var + eps) + beta (Zheng et al., 2021).

Statistics are those over batch, time and places, as with an ordinary norm on time-merged input; gamma starts at 1.
"""

from torch import Tensor, nn
from torch.nn import functional as F

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
        self._check_input_dim(x)  # type: ignore[no-untyped-call]
        weight, statistics = self.weight * self.factor, (self.running_mean, self.running_var)
        return F.batch_norm(x, *statistics, weight, self.bias, self.training, self.momentum or 0.1, self.eps)


class TDBatchNorm1d(ThresholdBatchNorm, nn.BatchNorm1d):
    """Of linear layers, `(N, features)`."""


class TDBatchNorm2d(ThresholdBatchNorm, nn.BatchNorm2d):
    """Of convolutions, `(N, features, h, w)`."""
