"""`fit` and `fine_tune`: the plain loop around a model; `predict` and `accuracy`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.errors import InputError
from spikeport.train.data import DataSet, Pictures, Split
from spikeport.train.group import SpikingGroup
from spikeport.train.models import Source, build_model
from spikeport.train.network import SpikingNetwork
from spikeport.train.recipe import Recipe


@dataclass(frozen=True)
class Epoch:
    """Figures of one epoch; accuracy on the training batches as they were seen."""

    number: int
    loss: float
    accuracy: float


Progress = Callable[[Epoch], None]
Arrays = Mapping[str, NDArray[np.integer]]
"""Spikes or image integers `(T, B, *shape)` by input."""


class Course(Protocol):
    """How long and how fast is trained."""

    @property
    def epochs(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True)
class Tuning:
    """The course of `fine_tune`; raises InputError for what is no number to train with."""

    epochs: int = 3
    batch: int = 50
    learning_rate: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (("epochs", 1, 10**6), ("batch", 1, 2**31), ("seed", 0, 2**63 - 1)):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise InputError("fine-tuning", name, got=value, relation="is not in", limit=f"[{low}, {high}]")
        if not 0 < self.learning_rate < 1e3:
            got = self.learning_rate
            raise InputError("fine-tuning", "learning rate", got=got, relation="is not in", limit="(0, 1000)")


def model_of(recipe: Recipe, data: DataSet) -> nn.Sequential:
    """The recipe's model with its initial weights."""
    torch.manual_seed(recipe.seed)
    c, h, w = data.shape[-3:]
    source = Source((c, h, w), data.low, data.high, data.scale)
    return build_model(recipe.model, source, data.classes, **recipe.model_options)


def fit(model: nn.Module, data: Split, recipe: Recipe, progress: Progress = lambda _: None) -> list[Epoch]:
    """Trains in place: Adam, cosine schedule over the epochs, mean squared error of the rates (ALIF paper)."""

    def rates(pick: NDArray[np.int64]) -> Tensor:
        found: Tensor = model(torch.from_numpy(data.images[pick]))
        return found

    def loss(rates: Tensor, y: Tensor) -> Tensor:
        return F.mse_loss(rates, F.one_hot(y, rates.shape[1]).to(rates.dtype))

    return _train(model, rates, loss, data.labels, recipe, progress)


def fine_tune(
    network: SpikingNetwork,
    inputs: Arrays,
    labels: NDArray[np.integer],
    course: Course | None = None,
    progress: Progress = lambda _: None,
) -> list[Epoch]:
    """Trains in place: Adam, cosine schedule, cross-entropy of the output's spike counts, or of its mean membranes.

    Args:
        course: How long and how fast; `Tuning()` if None.
        labels: `(B,)` classes; each stands for an equal block of the output's neurons, or for one neuron.

    Raises:
        InputError: labels that the output does not have, or inputs that are not the network's.
    """
    labels = checked_labels(network, labels)

    def counts(pick: NDArray[np.int64]) -> Tensor:
        return class_counts(network, _tensors(inputs, pick))

    return _train(network, counts, F.cross_entropy, labels, course or Tuning(), progress)


def class_counts(network: SpikingNetwork, inputs: Mapping[str, Tensor]) -> Tensor:
    """Spikes per sample and class, `(B, classes)`: the mean over the neurons of a class.

    Of v it is the mean over time, but for neurons that forget in a step: these add up spikes, and count.
    """
    output = network.outputs[0]
    values = network.spikes(inputs)[output.source]
    total = values.double().sum(0).reshape(values.shape[1], classes_of(network), -1).mean(2)
    group = network.group(output.source)
    if output.reads == "v" and isinstance(group, SpikingGroup):
        total = total * group.v_unit().double()
        total = total if group.forgets() else total / len(values)
    return total


def classes_of(network: SpikingNetwork) -> int:
    """The classes of the first output; without a vote every neuron is one."""
    output = network.outputs[0]
    return output.classes or int(np.prod(network.group(output.source).shape))


def checked_labels(network: SpikingNetwork, labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """The labels as int64; InputError for one that is no class."""
    classes = classes_of(network)
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        got = f"{labels.min()}..{labels.max()}"
        raise InputError("labels", "range", got=got, relation="is not in", limit=f"[0, {classes})")
    return labels.astype(np.int64)


def network_accuracy(network: SpikingNetwork, inputs: Arrays, labels: NDArray[np.integer], batch: int = 256) -> float:
    """Share of right classes in eval mode, in [0, 1]; the lowest class wins a tie."""
    network.eval()
    right = 0
    with torch.no_grad():
        for start in range(0, len(labels), batch):
            counts = class_counts(network, _tensors(inputs, slice(start, start + batch)))
            right += int((counts.argmax(1).numpy() == labels[start : start + batch]).sum())
    return right / len(labels)


def _tensors(inputs: Arrays, pick: NDArray[np.int64] | slice) -> dict[str, Tensor]:
    """Some samples, in the one integer type that torch computes with everywhere."""
    return {name: torch.from_numpy(x[:, pick].astype(np.int64)) for name, x in inputs.items()}


def _train(
    model: nn.Module,
    rates_of: Callable[[NDArray[np.int64]], Tensor],
    loss_of: Callable[[Tensor, Tensor], Tensor],
    labels: NDArray[np.int64],
    course: Course,
    progress: Progress,
) -> list[Epoch]:
    optimizer = torch.optim.Adam(model.parameters(), lr=course.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, course.epochs)
    order = np.random.default_rng(course.seed)
    history = []
    for number in range(1, course.epochs + 1):
        model.train()
        loss_sum = correct = 0.0
        shuffled = order.permutation(len(labels))
        for start in range(0, len(labels), course.batch):
            pick = shuffled[start : start + course.batch]
            y = torch.from_numpy(labels[pick])
            rates = rates_of(pick)
            loss = loss_of(rates, y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            loss_sum += float(loss.detach()) * len(pick)
            correct += float((rates.argmax(1) == y).sum())
        schedule.step()
        history.append(Epoch(number, loss_sum / len(labels), correct / len(labels)))
        progress(history[-1])
    return history


def predict(model: nn.Module, images: Pictures | NDArray[np.uint8], batch: int = 256) -> NDArray[np.int64]:
    """Class of each image in eval mode; the lowest class wins a tie."""
    model.eval()
    with torch.no_grad():
        parts: list[Tensor] = [
            model(torch.from_numpy(images[i : i + batch])).argmax(1) for i in range(0, len(images), batch)
        ]
    return torch.cat(parts).numpy()


def accuracy(model: nn.Module, data: Split) -> float:
    """Share of right classes, in [0, 1]."""
    return float((predict(model, data.images) == data.labels).mean())
