"""What is minimised: the error, and the terms of [loss]."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.train.activity import Activity, Seen
from spikeport.train.loop import limits
from spikeport.train.settings import Loss, Train

Criterion = Callable[[Tensor, Tensor], Tensor]
"""`(B, classes)` and labels `(B,)` to `(B,)`: one error per sample."""

FIGURES = ("loss", "correct", "samples", "sops", "terms")
"""What is summed over an epoch's samples, before the spikes and slots of each layer."""


def criterion(course: Train) -> Criterion:
    """Mean squared error to one-hot targets (ALIF paper), or cross-entropy (DA-LIF paper); targets may be smoothed."""
    smooth = course.label_smoothing

    def mse(rates: Tensor, y: Tensor) -> Tensor:
        classes = rates.shape[1]
        target = F.one_hot(y, classes).to(rates.dtype) * (1 - smooth) + smooth / classes
        return ((rates - target) ** 2).mean(1)

    def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(logits, y, reduction="none", label_smoothing=smooth)

    return mse if course.loss == "mse" else cross_entropy


class Objective(nn.Module):
    """The model with its loss: what Fabric wraps, so that hooks and terms run where the model does."""

    def __init__(self, model: nn.Module, course: Train, terms: Loss) -> None:
        super().__init__()
        self.model = model
        self.activity = Activity(model)
        self.error = criterion(course)
        self.terms = terms
        self.figures = torch.zeros(0)
        """Of the last pass: sums over its samples, float64, as `names` lists them."""

    def names(self) -> list[str]:
        layers = list(self.activity.layers)
        return [*FIGURES, *(f"spikes {name}" for name in layers), *(f"slots {name}" for name in layers)]

    def forward(self, x: Tensor, y: Tensor, samples: int, processes: int) -> Tensor:
        """The loss of this part, a scalar whose average over processes is that of the global batch.

        Args:
            samples: Of the global batch, of which this is one part of `processes`.
        """
        with self.activity.watch() as seen:
            scores = self.model(x)
        errors = self.error(scores, y)
        whole = processes / samples
        of_samples = errors.new_zeros(())
        if self.terms.sops:
            over = F.relu(seen.total_sops() / self.terms.sops_target - 1)
            of_samples = self.terms.sops * over.sum().to(errors.dtype)
        of_model = self.terms.limits * limits.excess(self.model) if self.terms.limits else errors.new_zeros(())
        self._note(errors, scores, y, seen, of_samples + of_model * len(y))
        return (errors.sum() + of_samples) * whole + of_model

    def _note(self, errors: Tensor, scores: Tensor, y: Tensor, seen: Seen, terms: Tensor) -> None:
        with torch.no_grad():
            correct = (scores.argmax(1) == y).sum()
            sops = seen.total_sops().sum().to(scores.device)
            firsts = [errors.sum(), correct, correct.new_tensor(len(y)), sops, terms]
            layers = list(self.activity.layers)
            spikes = [seen.spikes[name].sum() for name in layers]
            slots = [correct.new_tensor(seen.slots[name] * len(y)) for name in layers]
            self.figures = torch.stack([value.double() for value in (*firsts, *spikes, *slots)])
