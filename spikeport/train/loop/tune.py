"""`fine_tune`: a Program's network, trained further on labelled samples; and its accuracy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from spikeport.errors import InputError, LabelsInvalid, WrongType
from spikeport.progress import counted
from spikeport.train.group import SpikingGroup
from spikeport.train.loop.batches import Batches
from spikeport.train.loop.history import Epoch
from spikeport.train.loop.optimizers import build_optimizer, set_rate
from spikeport.train.loop.schedules import rate_at
from spikeport.train.network import SpikingNetwork
from spikeport.train.settings import Train

Progress = Callable[[Epoch], None]
Arrays = Mapping[str, NDArray[np.integer]]
"""Spikes or image integers `(T, B, *shape)` by input."""
Given = NDArray[np.integer] | Tensor


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


def fine_tune(
    network: SpikingNetwork,
    inputs: Given | Mapping[str, Given],
    labels: Given | Sequence[int],
    course: Tuning | None = None,
    progress: Progress = lambda _: None,
) -> list[Epoch]:
    """Trains in place: Adam, cosine schedule, cross-entropy of the output's spike counts, or of its mean membranes.

    Args:
        inputs: Spikes or image integers `(T, B, *shape)`, by name if there are several inputs; arrays or tensors.
        course: How long and how fast; `Tuning()` if None.
        labels: `(B,)` classes; each stands for an equal block of the output's neurons, or for one neuron.

    Raises:
        InputError: no such network, labels that the output does not have, or inputs that are not the network's or of
            another number of samples.
    """
    if not isinstance(network, SpikingNetwork):
        do = "from_program(program) makes one; train what you built of layers in a loop of your own"
        got = type(network).__name__
        raise WrongType("fine-tuning", "network", got=got, relation="is not", limit="a SpikingNetwork", do=do)
    inputs = _arrays(network, inputs)
    labels = checked_labels(network, labels)
    for name, x in inputs.items():
        if x.shape[1:2] != labels.shape:
            do = "give one label for each sample of (T, B, *shape)"
            got = f"{len(labels)} for shape {x.shape} of {name}"
            raise LabelsInvalid("labels", "number", got=got, relation="is not", limit="B", do=do)
    how = course or Tuning()
    settings = Train(how.epochs, how.batch, how.learning_rate, how.seed)
    batches = Batches(len(labels), how.batch, how.seed)
    optimizer = build_optimizer(network, settings)
    history = []
    for number in range(1, how.epochs + 1):
        network.train()
        set_rate(optimizer, rate_at(settings, number))
        order = batches.order(number)
        loss = correct = 0.0
        for step in counted(range(len(batches)), f"epoch {number}", "steps"):
            pick = batches.pick(order, step)
            error, right = _step(network, optimizer, _tensors(inputs, pick), torch.from_numpy(labels[pick]))
            loss, correct = loss + error, correct + right
        history.append(Epoch(number, loss / len(labels), correct / len(labels)))
        progress(history[-1])
    return history


def _step(
    network: SpikingNetwork, optimizer: torch.optim.Optimizer, inputs: Mapping[str, Tensor], y: Tensor
) -> tuple[float, float]:
    """One step of the optimizer; gives the sum of errors and the number of right answers."""
    counts = class_counts(network, inputs)
    loss = F.cross_entropy(counts, y)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return float(loss.detach()) * len(y), float((counts.argmax(1) == y).sum())


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


def checked_labels(network: SpikingNetwork, labels: Given | Sequence[int]) -> NDArray[np.int64]:
    """The labels as int64; InputError if they are none, not `(B,)` integers, or one is no class."""
    labels, classes = _array(labels), classes_of(network)
    if labels.ndim != 1 or labels.dtype.kind not in "iub" or not labels.size:
        got, do = f"{labels.dtype} {labels.shape}", "one-hot labels are made classes by argmax(1)"
        raise LabelsInvalid("labels", "array", got=got, relation="is not", limit="integers (B,), at least one", do=do)
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        got = f"{labels.min()}..{labels.max()}"
        raise LabelsInvalid("labels", "range", got=got, relation="is not in", limit=f"[0, {classes})")
    return labels.astype(np.int64)


def network_accuracy(network: SpikingNetwork, inputs: Arrays, labels: NDArray[np.integer], batch: int = 256) -> float:
    """Share of right classes in eval mode, in [0, 1]; the lowest class wins a tie.

    Args:
        inputs: Integers `(T, B, *shape)` by the input's name.
        labels: `(B,)`, as for `fine_tune`.
    """
    network.eval()
    right = 0
    with torch.no_grad():
        for start in range(0, len(labels), batch):
            counts = class_counts(network, _tensors(inputs, slice(start, start + batch)))
            right += int((counts.argmax(1).numpy() == labels[start : start + batch]).sum())
    return right / len(labels)


def _arrays(network: SpikingNetwork, inputs: Given | Mapping[str, Given]) -> dict[str, NDArray[Any]]:
    """The inputs by name, as arrays; WrongType for fractions, and for one array where there are several inputs."""
    if not isinstance(inputs, Mapping):
        if len(network.inputs) != 1:
            limit = "arrays by name: " + ", ".join(entry.name for entry in network.inputs)
            raise WrongType("fine-tuning", "inputs", got=type(inputs).__name__, relation="are not", limit=limit)
        inputs = {network.inputs[0].name: inputs}
    found = {name: _array(x) for name, x in inputs.items()}
    for name, x in found.items():
        if x.dtype.kind not in "iubf" or (x.dtype.kind == "f" and bool((x != np.round(x)).any())):
            do = "round it to integers first"
            raise WrongType(f"input {name}", "values", got=x.dtype, relation="are not", limit="integers", do=do)
    return found


def _array(x: Given | Sequence[int]) -> NDArray[Any]:
    return x.detach().cpu().numpy() if isinstance(x, Tensor) else np.asarray(x)


def _tensors(inputs: Arrays, pick: NDArray[np.int64] | slice) -> dict[str, Tensor]:
    """Some samples, in the one integer type that torch computes with everywhere."""
    return {name: torch.from_numpy(x[:, pick].astype(np.int64)) for name, x in inputs.items()}
