"""Firing rates of the latent neurons: of images, and of what the prior generates (ESVAE section IV-G, Fig. 4 and 6).

All are rates of z, the spikes that the decoder gets: multiples of 1 / T.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from spikeport.progress import working
from spikeport.train.autoencoders.base import SpikingAutoencoder
from spikeport.train.measures.passes import BATCH, evaluating, latents, passes, prior_noise

BINS = 20
"""Of means over samples: bin k holds [k / 20, (k + 1) / 20), and the last one 1 too."""


@dataclass(frozen=True)
class RateDistribution:
    """Of one source of z, N samples of D neurons over T steps."""

    mean: float
    """Spikes per neuron and step."""
    means: tuple[int, ...]
    """Neurons by their mean rate over the samples, in `BINS` bins; D in all."""
    single: tuple[int, ...]
    """Neurons by their number of spikes, 0 to T, in the first sample; D in all."""
    all: tuple[int, ...]
    """The same over all samples; N D in all."""
    silent: float
    """Share of neurons and samples with rate 0, in [0, 1]."""
    saturated: float
    """With rate 1."""

    @property
    def extreme(self) -> float:
        """Share that fires at all steps or at none."""
        return self.silent + self.saturated


@dataclass(frozen=True)
class Rates:
    posterior: RateDistribution
    prior: RateDistribution
    samples: int
    """N, of each."""

    def to_json(self) -> dict[str, Any]:
        found = asdict(self)
        for name in ("posterior", "prior"):
            found[name]["extreme"] = getattr(self, name).extreme
        return found


def firing_rates(model: SpikingAutoencoder, images: Tensor, *, seed: int = 0, batch: int = BATCH) -> Rates:
    """Of all images, and of as many samples of the prior; in eval mode."""
    with evaluating(model):
        posterior = [latents(model, x, noise).sum(0) for x, noise in passes(model, images, seed, batch)]
        prior = [z.sum(0) for z in dreams(model, len(images), seed, batch)]
    of_images, of_prior = (rate_distribution(torch.cat(parts).long(), model.steps) for parts in (posterior, prior))
    return Rates(of_images, of_prior, len(images))


def rate_distribution(counts: Tensor, steps: int) -> RateDistribution:
    """
    Args:
        counts: Spikes of each sample and neuron, int64 `(N, D)` in [0, T].
    """
    total = len(counts) * steps
    bins = (counts.sum(0) * BINS // total).clamp(
        max=BINS - 1
    )  # in integers: no rate lies on the wrong side of a border
    histograms = (_histogram(bins, BINS), _histogram(counts[0], steps + 1), _histogram(counts, steps + 1))
    silent, saturated = (histograms[2][k] / counts.numel() for k in (0, steps))
    return RateDistribution(int(counts.sum()) / (counts.numel() * steps), *histograms, silent, saturated)


def dreams(model: SpikingAutoencoder, samples: int, seed: int, batch: int) -> Iterator[Tensor]:
    """z `(T, B, D)` of the prior, batch by batch: those of the images that `generated` gives."""
    with working("dreaming", samples, "images") as task:
        for k, start in enumerate(range(0, samples, batch)):
            n = min(batch, samples - start)
            yield model.dream(prior_noise(model, n, seed, k))
            task.advance(n)


def raster(model: SpikingAutoencoder, images: Tensor, *, seed: int = 0) -> Tensor:
    """Which latent neuron fires when, bool `(N, T, D)`; in eval mode."""
    with evaluating(model):
        found = [latents(model, x, noise).transpose(0, 1) for x, noise in passes(model, images, seed)]
    return torch.cat(found).bool().cpu()


def _histogram(x: Tensor, bins: int) -> tuple[int, ...]:
    return tuple(torch.bincount(x.flatten(), minlength=bins).tolist())
