"""What all neurons have: three scalars, and a membrane that they move."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport import fixed
from spikeport.errors import InputError, UnknownName
from spikeport.train.dynamics import Dynamics
from spikeport.train.fused import Current, fire


class AbstractNeuron(nn.Module, ABC):
    """v[t] = keep * h[t-1] + gain * x[t];  s[t] = [v[t] > threshold];  h = v after the reset (`Dynamics`)."""

    keep_max: ClassVar[int] = fixed.DECAY_ONE - 1
    """The largest `keep` on its grid, in 1/4096."""

    def __init__(self, dynamics: Dynamics, constrained: bool = True) -> None:
        super().__init__()
        self.dynamics = dynamics
        self.constrained = constrained

    @abstractmethod
    def keep(self) -> Tensor:
        """What a step keeps of the membrane; scalar, in [0, 1] if constrained."""

    @abstractmethod
    def threshold(self) -> Tensor:
        """Scalar, above 0 if constrained."""

    @abstractmethod
    def gain(self) -> Tensor:
        """Factor on the input current; scalar."""

    def forward(self, current: Tensor, keep: Tensor | None = None, threshold: Tensor | None = None) -> Tensor:
        """The float recurrence over the first axis.

        Args:
            current: `(T, B, ...)`, the gain already applied.
            keep: Replaces `keep()`, for a quantized one; the threshold likewise.

        Returns:
            Spikes, 0 or 1, in the shape and type of `current`.
        """
        flat = Current(current.reshape(-1, 1))
        keep = self.keep() if keep is None else keep
        threshold = self.threshold() if threshold is None else threshold
        return fire([flat], None, keep, threshold, len(current), self.dynamics).reshape(current.shape)


class Positive(nn.Module):
    """A threshold: softplus of what learns, or that itself where nothing constrains it."""

    def __init__(self, where: str, value: float, learns: bool, constrained: bool) -> None:
        super().__init__()
        check_range(where, "threshold", value, 0, math.inf)
        self.constrained = constrained
        self.raw = nn.Parameter(torch.tensor(inverse_softplus(value) if constrained else value), requires_grad=learns)

    def forward(self) -> Tensor:
        return softplus(self.raw) if self.constrained else self.raw


def check_range(where: str, what: str, value: float, low: float, high: float) -> None:
    """Raises InputError unless the value is in (low, high)."""
    if not low < value < high:
        high_text = "inf" if math.isinf(high) else f"{high:g}"
        raise InputError(where, what, got=value, relation="is not in", limit=f"({low:g}, {high_text})")


def check_learn(where: str, learn: str, known: tuple[str, ...]) -> None:
    """Raises InputError for a word that names none of the parameters."""
    if learn not in known:
        raise UnknownName(where, "learn", got=learn, relation="is not one of", limit=", ".join(known))


def softplus(raw: Tensor) -> Tensor:
    return F.softplus(raw) + torch.finfo(raw.dtype).tiny  # softplus(-200) is 0


def inverse_softplus(value: float) -> float:
    return value + math.log(-math.expm1(-value))


def logit(value: float) -> float:
    return math.log(value / (1 - value))
