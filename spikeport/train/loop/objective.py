"""What a run minimises and measures: the loop knows nothing else of a model's task."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.train.activity import Activity, Seen
from spikeport.train.data import DataSet
from spikeport.train.loop import limits
from spikeport.train.loop.batches import Feed
from spikeport.train.loop.tested import Confusion, Pictures
from spikeport.train.settings import Loss

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Place(NamedTuple):
    """Which samples a process has in a step."""

    epoch: int
    """From 1."""
    step: int
    """From 0."""
    samples: int
    """Of the global batch."""
    first: int = 0
    """The first one of this process."""
    processes: int = 1


class Objective(nn.Module, ABC):
    """The model with its loss: what Fabric wraps, so that hooks and terms run where the model does."""

    own: tuple[str, ...]
    """What is summed over samples besides what is summed of every model."""
    greater_is_better: bool
    """Of what `measure` gives."""

    def __init__(self, model: nn.Module, terms: Loss) -> None:
        super().__init__()
        self.model = model
        self.activity = Activity(model)
        self.terms = terms
        self.figures = torch.zeros(0)
        """Of the last pass: sums over its samples, float64, as `names` lists them."""

    @abstractmethod
    def forward(self, x: Tensor, y: Tensor, place: Place) -> Tensor:
        """The loss of this part, a scalar whose average over processes is that of the global batch."""

    @abstractmethod
    def measure(self, feed: Feed, fabric: "Fabric") -> float | None:
        """How good the model is on a split; None where its integers overflow, or are none of a chip."""

    @abstractmethod
    def tested(self, data: DataSet, fabric: "Fabric") -> Confusion | Pictures:
        """How good it is on the test split, rounded and not."""

    @abstractmethod
    def own_means(self, sums: dict[str, float]) -> dict[str, float]:
        """Means of `own`: accuracy, and parts of the loss as `part NAME`."""

    def names(self) -> list[str]:
        layers = list(self.activity.layers)
        spikes, slots = ([f"{what} {name}" for name in layers] for what in ("spikes", "slots"))
        return ["loss", "samples", "sops", "terms", *self.own, *spikes, *slots]

    def means(self, sums: Sequence[float]) -> dict[str, float]:
        """Of sums as `names` lists them; also `rate`, the mean of all layers, and `rate NAME` of each."""
        values = dict(zip(self.names(), sums, strict=True))
        found = {name: values[name] / values["samples"] for name in ("loss", "terms", "sops")}
        rates = {name: values[f"spikes {name}"] / values[f"slots {name}"] for name in self.activity.layers}
        found |= {f"rate {name}": rate for name, rate in rates.items()}
        return found | self.own_means(values) | {"rate": sum(rates.values()) / max(len(rates), 1)}

    def added(self, seen: Seen, samples: Tensor) -> tuple[Tensor, Tensor]:
        """The terms of [loss]: the sum over these samples of what each adds, and what the model adds to the mean."""
        of_samples = of_model = samples.new_zeros(())
        if self.terms.sops:
            over = F.relu(seen.total_sops() / self.terms.sops_target - 1)
            of_samples = self.terms.sops * over.sum().to(samples.dtype)
        if self.terms.limits:
            of_model = self.terms.limits * limits.excess(self.model)
        return of_samples, of_model

    def note(self, seen: Seen, samples: int, loss: Tensor, terms: Tensor, own: Sequence[Tensor]) -> None:
        """Keeps the figures of a pass; each is a sum over its samples."""
        with torch.no_grad():
            sops = seen.total_sops().sum().to(loss.device)
            layers = list(self.activity.layers)
            spikes = [seen.spikes[name].sum() for name in layers]
            slots = [loss.new_tensor(seen.slots[name] * samples, dtype=torch.float64) for name in layers]
            values = (loss, loss.new_tensor(samples), sops, terms, *own, *spikes, *slots)
            self.figures = torch.stack([value.double() for value in values])
