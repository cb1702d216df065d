"""Autoencoding: what a model says it loses, and the mean squared error of its reconstructions.

The random numbers of a step follow from the seed, the epoch and the step, and those of a test from the seed and the
batch: each process draws the global batch's and takes its part. Tests are epoch 0.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikeport.errors import ExportError, OverflowDetected
from spikeport.train.autoencoders import Autoencoder, FadTraining, Noise, SpikingAutoencoder
from spikeport.train.data import DataSet
from spikeport.train.layer import set_quantize
from spikeport.train.loop.batches import Feed
from spikeport.train.loop.distributed import agreed, total
from spikeport.train.loop.evaluate import EVALUATED
from spikeport.train.loop.gather import gathering
from spikeport.train.loop.objective import Objective, Place
from spikeport.train.loop.tested import Pictures
from spikeport.train.settings import Loss, Train

if TYPE_CHECKING:
    from lightning_fabric import Fabric

SHOWN = 10
"""Pictures in a report."""


class Autoencoding(Objective):
    """Images against themselves; labels are not looked at."""

    greater_is_better = False
    model: Autoencoder

    def __init__(self, model: Autoencoder, course: Train, terms: Loss) -> None:
        super().__init__(model, terms)
        self.seed, self.epochs = course.seed, course.epochs
        self.own = tuple(f"part {name}" for name in model.parts)

    def forward(self, x: Tensor, y: Tensor, place: Place) -> Tensor:
        model, count = self.model, x.shape[0]
        model.progress = (place.epoch - 1) / self.epochs
        noise = Noise.draw(model, place.samples, (self.seed, place.epoch, place.step))
        noise = noise.part(slice(place.first, place.first + count)).to(x.device)
        with self.activity.watch() as seen, gathering(model, place):
            losses = model.loss(x, noise)
        of_samples, of_model = self.added(seen, losses.total)
        parts = [losses.parts[name].detach() * count for name in model.parts]
        self.note(seen, count, losses.total * count, of_samples + of_model * count, parts)
        return (losses.total * count + of_samples) * (place.processes / place.samples) + of_model

    def measure(self, feed: Feed, fabric: "Fabric") -> float | None:
        """Mean squared error over images, channels and places, of pixels in [-1, 1]."""
        found = torch.zeros(2, dtype=torch.float64, device=fabric.device)
        failed = False
        try:
            for number in range(fabric.global_rank, -(-len(feed.split) // EVALUATED), fabric.world_size):
                found += self._squares(feed, number)
        except (OverflowDetected, ExportError):
            failed = True
        failed = agreed(fabric, failed)
        squares, count = total(fabric, found).tolist()
        return None if failed else squares / count

    def tested(self, data: DataSet, fabric: "Fabric") -> Pictures:
        feed = Feed(data, data.test)
        spiking, quantized = isinstance(self.model, SpikingAutoencoder), None
        if spiking:
            set_quantize(self.model, True)
            quantized = self.measure(feed, fabric)
        set_quantize(self.model, False)
        floating = self.measure(feed, fabric)
        assert floating is not None  # floats neither overflow nor have to be a chip's
        set_quantize(self.model, quantized is not None)
        originals, again = (_bytes(images[:SHOWN]) for images in self._reconstructed(feed, 0))
        generated = again[:0] if isinstance(self.model, FadTraining) else _bytes(self._generated(fabric))
        return Pictures(len(data.test), floating, quantized, originals, again, generated, spiking)

    def own_means(self, sums: dict[str, float]) -> dict[str, float]:
        return {name: sums[name] / sums["samples"] for name in self.own}

    def _squares(self, feed: Feed, number: int) -> Tensor:
        """The sum of squared errors of a batch and how many they are, `(2,)` float64."""
        images, again = self._reconstructed(feed, number)
        errors = again - images
        return torch.stack([errors.square().sum(), errors.new_tensor(errors.numel())])

    def _reconstructed(self, feed: Feed, number: int) -> tuple[Tensor, Tensor]:
        """A batch of a split in eval mode, and what becomes of it; float64 in [-1, 1]."""
        picks = np.arange(len(feed.split))[number * EVALUATED : (number + 1) * EVALUATED]
        self.model.eval()
        device = next(self.model.parameters()).device
        x = feed(0, picks)[0].to(device)
        noise = Noise.draw(self.model, len(picks), (self.seed, 0, number)).to(device)
        with torch.no_grad():
            return self.model.real(x, torch.float64), self.model(x, noise).image.double()

    def _generated(self, fabric: "Fabric") -> Tensor:
        noise = Noise.draw(self.model, SHOWN, (self.seed, 0)).to(fabric.device)
        with torch.no_grad():
            return self.model.generate(SHOWN, noise)


def _bytes(images: Tensor) -> NDArray[np.uint8]:
    """Images in [-1, 1] as pictures."""
    found: NDArray[np.uint8] = ((images.double().cpu() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy()
    return found
