"""What came out on the test split, as a run's report and answer show it.

Both kinds have one figure, of the weights rounded and not; `rows` are for people, `answer` for programs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport.train.settings import Paper

Row = tuple[str, str, str]
"""Quantity, value and note, for people."""
OVERFLOWS = "the integers overflow; train with [loss] limits, or longer"


@dataclass(frozen=True, eq=False)
class Confusion:
    """Of a classification."""

    counts: NDArray[np.int64]
    """`(classes, classes)`, true class by answer; quantized if that can be."""
    floating: float
    """Accuracy in [0, 1]."""
    quantized: float | None
    """None where the integers overflow, or are none of a chip."""

    @property
    def images(self) -> int:
        return int(self.counts.sum())

    def rows(self, paper: Paper | None) -> Iterator[Row]:
        if self.quantized is None:
            yield "Quantized accuracy", "–", OVERFLOWS
        else:
            value = self.shown(self.quantized)
            yield "Quantized accuracy", value, f"integer weights, {self.images:,} test images"
        yield "Float accuracy", self.shown(self.floating), "the same weights, not rounded"
        if paper is not None and paper.accuracy is not None:
            ours = 100 * (self.floating if self.quantized is None else self.quantized) - paper.accuracy
            note = f"{paper.source}; ours is {ours:+.2f} points from it"
            yield "Published accuracy", f"{paper.accuracy:.2f}%", note

    def answer(self, paper: Paper | None) -> dict[str, float | None]:
        return {
            "float_accuracy": self.floating,
            "quantized_accuracy": self.quantized,
            "published_accuracy": None if paper is None else paper.accuracy,
        }

    def shown(self, value: float) -> str:
        return f"{value:.2%}"


@dataclass(frozen=True, eq=False)
class Pictures:
    """Of an autoencoder."""

    images: int
    floating: float
    """Mean squared error over images, channels and places, of pixels in [-1, 1]."""
    quantized: float | None
    """None where the integers overflow, or where nothing is rounded."""
    originals: NDArray[np.uint8]
    """Some of the test images, `(n, c, h, w)`."""
    again: NDArray[np.uint8]
    """Their reconstructions; quantized if that can be."""
    generated: NDArray[np.uint8]
    """As many from the prior, or none."""
    spiking: bool = True

    def rows(self, paper: Paper | None) -> Iterator[Row]:
        if self.quantized is not None:
            note = f"integer weights, {self.images:,} test images, pixels in [-1, 1]"
            yield "Quantized mean squared error", self.shown(self.quantized), note
        elif self.spiking:
            yield "Quantized mean squared error", "–", OVERFLOWS
        note = "the same weights, not rounded" if self.spiking else f"{self.images:,} test images, pixels in [-1, 1]"
        yield "Float mean squared error", self.shown(self.floating), note
        if paper is None:
            return
        if paper.mse is not None:
            ours = (self.floating if self.quantized is None else self.quantized) - paper.mse
            note = f"{paper.source}; ours is {ours:+.4f} from it"
            yield "Published mean squared error", f"{paper.mse:g}", note
        for name, value in paper.figures().items():
            if name not in ("accuracy", "MSE"):
                yield f"Published {name}", f"{value:g}", paper.source

    def answer(self, paper: Paper | None) -> dict[str, float | None]:
        names = ("mse", "inception_score", "fid", "fad")
        published = {f"published_{name}": None if paper is None else getattr(paper, name) for name in names}
        return {"float_mse": self.floating, "quantized_mse": self.quantized, **published}

    def shown(self, value: float) -> str:
        return f"{value:.4f}"
