"""What a model answers: classes, accuracy, and which class is taken for which."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spikeport.errors import ExportError, OverflowDetected
from spikeport.progress import working
from spikeport.train.data import DataSet, Pictures
from spikeport.train.loop.batches import Feed
from spikeport.train.loop.distributed import agreed, total

if TYPE_CHECKING:
    from lightning_fabric import Fabric

EVALUATED = 256
"""Images at once."""


def predict(
    model: nn.Module, images: Pictures | NDArray[np.integer] | Tensor, batch: int = EVALUATED
) -> NDArray[np.int64]:
    """Class of each image in eval mode, `(N,)`; the lowest class wins a tie.

    Args:
        images: Integers as the model takes them, `(N, *in)`, such as grey values of 0 to 255.
        batch: Images at once; changes no answer.
    """
    model.eval()
    parts = [torch.zeros(0, dtype=torch.int64)]
    with torch.no_grad(), working("evaluating", len(images), "images") as task:
        for i in range(0, len(images), batch):
            parts.append(model(torch.as_tensor(images[i : i + batch])).argmax(1))
            task.advance(len(parts[-1]))
    return torch.cat(parts).numpy()


def accuracy(model: nn.Module, data: DataSet) -> float:
    """Share of right classes on the test split, in [0, 1]."""
    return accuracy_of(confusion(model, Feed(data, data.test), data.classes))


def answers(model: nn.Module, feed: Feed, picks: NDArray[np.int64], batch: int = EVALUATED) -> Tensor:
    """Class of each picked sample in eval mode, int64 on the CPU."""
    model.eval()
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    parts = [torch.zeros(0, dtype=torch.int64)]
    with torch.no_grad(), working("evaluating", len(picks), "images") as task:
        for start in range(0, len(picks), batch):
            x, _ = feed(0, picks[start : start + batch])
            parts.append(model(x.to(device)).argmax(1).cpu())
            task.advance(len(parts[-1]))
    return torch.cat(parts)


def confusion(model: nn.Module, feed: Feed, classes: int, rank: int = 0, processes: int = 1) -> Tensor:
    """`(classes, classes)` counts, true class by answer, int64: of this process's samples."""
    picks = np.arange(len(feed.split))[rank::processes]
    found = answers(model, feed, picks)
    true = torch.from_numpy(feed.split.labels[picks])
    return torch.bincount(true * classes + found, minlength=classes**2).reshape(classes, classes)


def measured(model: nn.Module, feed: Feed, classes: int, fabric: "Fabric") -> Tensor | None:
    """`confusion` of all processes together; None where the integers of the network overflow, or are none of a chip."""
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    failed = False
    try:
        counts = confusion(model, feed, classes, fabric.global_rank, fabric.world_size)
    except (OverflowDetected, ExportError):
        failed = True
    failed = agreed(fabric, failed)
    found = total(fabric, counts.to(fabric.device)).cpu()
    return None if failed else found


def accuracy_of(counts: Tensor) -> float:
    """Share of the diagonal."""
    return int(counts.trace()) / max(int(counts.sum()), 1)
