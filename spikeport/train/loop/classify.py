"""Classification: the error of scores to labels, and accuracy."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.train.data import DataSet
from spikeport.train.layer import set_quantize
from spikeport.train.loop.batches import Feed
from spikeport.train.loop.evaluate import accuracy_of, measured
from spikeport.train.loop.objective import Objective, Place
from spikeport.train.loop.tested import Confusion
from spikeport.train.settings import Loss, Train

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Criterion = Callable[[Tensor, Tensor], Tensor]
"""`(B, classes)` and labels `(B,)` to `(B,)`: one error per sample."""


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


class Classification(Objective):
    """Scores `(B, classes)` against labels."""

    own = ("correct",)
    greater_is_better = True

    def __init__(self, model: nn.Module, classes: int, course: Train, terms: Loss) -> None:
        super().__init__(model, terms)
        self.classes = classes
        self.error = criterion(course)

    def forward(self, x: Tensor, y: Tensor, place: Place) -> Tensor:
        with self.activity.watch() as seen:
            scores = self.model(x)
        errors = self.error(scores, y)
        of_samples, of_model = self.added(seen, errors)
        correct = (scores.argmax(1) == y).sum()
        self.note(seen, len(y), errors.sum(), of_samples + of_model * len(y), [correct])
        return (errors.sum() + of_samples) * (place.processes / place.samples) + of_model

    def measure(self, feed: Feed, fabric: "Fabric") -> float | None:
        counts = measured(self.model, feed, self.classes, fabric)
        return None if counts is None else accuracy_of(counts)

    def tested(self, data: DataSet, fabric: "Fabric") -> Confusion:
        feed = Feed(data, data.test)
        set_quantize(self.model, True)
        quantized = measured(self.model, feed, self.classes, fabric)
        set_quantize(self.model, False)
        floating = measured(self.model, feed, self.classes, fabric)
        assert floating is not None  # floats neither overflow nor have to be a chip's
        return Confusion(
            (floating if quantized is None else quantized).numpy(),
            accuracy_of(floating),
            None if quantized is None else accuracy_of(quantized),
        )

    def own_means(self, sums: dict[str, float]) -> dict[str, float]:
        return {"accuracy": sums["correct"] / sums["samples"]}
