"""Figures of an evaluation: noise curves, distributions of firing rates, a raster of latent spikes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from spikeport.page import BITMAP_RGB, BLUE, LINE, ORANGE, caption, stack
from spikeport.train.measures.noise import NoiseCurve
from spikeport.train.measures.rates import BINS, RateDistribution, Rates

RIGHT = 0.14
"""Of a panel's width, for the numbers of its axis."""


def noise_figure(curve: NoiseCurve) -> Figure:
    """Both errors over the probability of a flip."""
    figure, panels = stack([1.2, 1.2])
    sides = (("against the images", "original"), ("against the reconstructions", "vanilla"))
    for axes, (title, name) in zip(panels, sides, strict=True):
        values = [getattr(error, name) for error in curve.errors]
        axes.plot(curve.probabilities, values, color=BLUE, linewidth=1.4, marker="o", markersize=3)
        axes.set_ylim(bottom=0)
        caption(axes, f"MSE {title}", f"{values[-1]:.4f} at {curve.probabilities[-1]:g}")
    _scales(panels, "probability of a flip")
    return figure


def rates_figure(rates: Rates) -> Figure:
    """Of images and of the prior, one over the other: means over samples, one sample, and all of them."""
    figure, panels = stack([1.0] * 3)
    titles = ("mean rates over the samples", "rates of one sample", "rates of all samples")
    for axes, title, name in zip(panels, titles, ("means", "single", "all"), strict=True):
        for of, colour in ((rates.posterior, BLUE), (rates.prior, ORANGE)):
            _steps(axes, of, name, colour)
        caption(axes, title, "share of neurons")
        axes.set(xlim=(0, 1), ylim=(0, None))
    _scales(panels, "firing rate")
    return figure


def raster_figure(raster: Tensor) -> Figure:
    """Neurons by steps of each sample `(N, T, D)`, samples below each other."""
    count, steps, neurons = raster.shape
    figure, panels = stack([max(0.5, 4.2 / count)] * count)
    for k, (axes, spikes) in enumerate(zip(panels, raster.numpy(), strict=True), 1):
        rgb = np.broadcast_to(BITMAP_RGB, (steps, neurons, 3))
        axes.imshow(np.dstack([rgb, spikes.astype(float)]), aspect="auto", interpolation="none")
        counts = spikes.sum(0)
        extreme = int(((counts == 0) | (counts == steps)).sum())
        caption(axes, f"image {k}", f"{extreme} of {neurons} all or nothing")
        axes.set_yticks([])
        axes.tick_params(axis="x", labelbottom=k == count)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        for spine in axes.spines.values():
            spine.set_visible(True)
    panels[-1].set_xlabel("latent neuron; steps downwards")
    return figure


def _steps(axes: Axes, of: RateDistribution, name: str, colour: str) -> None:
    """A histogram as an outline, as a share. Of T + 1 rates, k / T has [k, k + 1] / (T + 1)."""
    counts = np.array(getattr(of, name), float)
    edges = np.linspace(0, 1, (BINS if name == "means" else len(counts)) + 1)
    axes.stairs(counts / counts.sum(), edges, color=colour, linewidth=1.4)


def _scales(panels: Sequence[Axes], label: str) -> None:
    """One scale below the last panel, values at the right."""
    for axes in panels:
        _, y, _, height = axes.get_position().bounds
        axes.set_position((0, y, 1 - RIGHT, height))
        axes.grid(axis="y", color=LINE, linewidth=0.6)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=3))
        axes.tick_params(axis="y", length=0, labelsize=8, labelright=True, labelleft=False)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
        axes.tick_params(axis="x", labelbottom=axes is panels[-1])
        axes.set_axisbelow(True)
    panels[-1].set_xlabel(label)
