"""`fit` and `evaluate`: the plain loop around a model."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.train.data import DataSet, Split
from spikeport.train.models import build_model
from spikeport.train.recipe import Recipe


@dataclass(frozen=True)
class Epoch:
    """Figures of one epoch; accuracy on the training batches as they were seen."""

    number: int
    loss: float
    accuracy: float


def model_of(recipe: Recipe, data: DataSet) -> nn.Sequential:
    """The recipe's model with its initial weights."""
    torch.manual_seed(recipe.seed)
    shape = data.train.images.shape[1:]
    return build_model(recipe.model, (shape[0], shape[1], shape[2]), data.classes, **recipe.model_options)


def fit(
    model: nn.Module, data: Split, recipe: Recipe, progress: Callable[[Epoch], None] = lambda _: None
) -> list[Epoch]:
    """Trains in place: Adam, cosine schedule over the epochs, mean squared error of the rates (ALIF paper)."""
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs)
    order = np.random.default_rng(recipe.seed)
    history = []
    for number in range(1, recipe.epochs + 1):
        model.train()
        loss_sum = correct = 0.0
        shuffled = order.permutation(len(data))
        for start in range(0, len(data), recipe.batch):
            pick = shuffled[start : start + recipe.batch]
            x, y = torch.from_numpy(data.images[pick]), torch.from_numpy(data.labels[pick])
            rates = model(x)
            loss = F.mse_loss(rates, F.one_hot(y, rates.shape[1]).to(rates.dtype))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            loss_sum += float(loss.detach()) * len(pick)
            correct += float((rates.argmax(1) == y).sum())
        schedule.step()
        history.append(Epoch(number, loss_sum / len(data), correct / len(data)))
        progress(history[-1])
    return history


def predict(model: nn.Module, images: NDArray[np.uint8], batch: int = 256) -> NDArray[np.int64]:
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
