"""The figures of an energy's page: stacked bars, bars with bounds, a strip of rates, a histogram of step times."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, log10

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from spikeport.page import (
    BITMAP_RGB,
    BLUE,
    BROWN,
    GOLD,
    GREEN,
    GREY,
    INK,
    LINE,
    MUTED,
    ORANGE,
    PINK,
    SKY,
    THEME,
    VIOLET,
    bar,
    caption,
    stack,
)
from spikeport.sim.counting.counts import Counts, LayerCounts
from spikeport.sim.energy.baseline import activation_bits
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.estimate import INTEGERS
from spikeport.sim.energy.estimated import Energy
from spikeport.sim.energy.formats import format_bounds, format_energy, format_factor, format_time
from spikeport.sim.energy.latency import Latency
from spikeport.sim.energy.tables import factors
from spikeport.sim.energy.terms import TERMS

COLOURS = {
    "host_macs": ORANGE, "sops": BLUE, "graded_macs": SKY, "neuron_updates": GREEN, "spikes": VIOLET,
    "messages": PINK, "hops": GOLD, "off_chip": MUTED, "macs": ORANGE, "acs": BLUE, "memory": BROWN,
}  # fmt: skip
"""By name of `TERMS`; `macs` and `acs` never stand beside `host_macs` and `sops`."""
LOG_SPAN = 50
"""An axis is logarithmic if the largest value is more than so many times the smallest."""
MARGIN = 0.07
"""Of an axis' width, at both ends of a logarithmic one and at the right of others: room for an arrow."""
DECADES = 6
"""As many ticks as fit on a logarithmic axis."""
BINS = 32


def legend(energy: Energy) -> list[tuple[str, str]]:
    """(words, CSS colour) of what `layers_figure` draws, in its order."""
    return [*((TERMS[name], THEME[COLOURS[name]]) for name in energy.parts), ("ANN, one dense pass", THEME[GREY])]


def layers_figure(energy: Energy) -> Figure:
    """All layers together, then each: the SNN's terms above the ANN. The first has a scale of its own."""
    rows = [("all layers", energy.parts, energy.ann)]
    rows += [(layer.name, dict(layer.parts), layer.ann) for layer in energy.layers]
    figure, panels = stack([0.3] * len(rows), ticks=False)
    longest = [max(sum(part.nominal for part in parts.values()), ann.nominal) for _, parts, ann in rows]
    tops = [longest[0], *[max(longest[1:])] * len(energy.layers)]
    for axes, top, (name, parts, ann) in zip(panels, tops, rows, strict=True):
        snn = [(part.nominal, COLOURS[term]) for term, part in parts.items()]
        bar(axes, snn, top or 1.0, low=0.53)
        bar(axes, [(ann.nominal, GREY)], top or 1.0, high=0.47)
        spent = format_energy(sum(value for value, _ in snn))
        caption(axes, name, f"SNN {spent}, ANN {format_energy(ann.nominal)}")
    return figure


@dataclass(frozen=True)
class Scale:
    """An axis of energies, from 0 or logarithmic, that several figures share."""

    low: float
    """0, or the power of ten where a logarithmic axis starts, pJ."""
    high: float

    @property
    def logarithmic(self) -> bool:
        return self.low > 0

    def place(self, pj: float) -> float:
        """Share of the axis' width; what is too small for a logarithmic axis lies at its left end."""
        if not self.logarithmic:
            return pj / self.high * (1 - MARGIN)
        if pj <= self.low:
            return MARGIN if pj == self.low else 0.0
        return MARGIN + (1 - 2 * MARGIN) * log10(pj / self.low) / log10(self.high / self.low)

    def ticks(self) -> list[float]:
        if not self.logarithmic:
            return [float(x) for x in MaxNLocator(4).tick_values(0, self.high) if x <= self.high]
        first, last = round(log10(self.low)), round(log10(self.high))
        return [10.0**power for power in range(first, last + 1, ceil((last - first + 1) / DECADES))]


def scale_of(energies: Sequence[Energy]) -> Scale:
    """That shows every bar and every bound of `bounds_figure`."""
    drawn = [bounds for energy in energies for _, bounds, _ in _bars(energy)]
    values = [x for b in drawn for x in (b.low, b.nominal, b.high) if x]
    if not values:
        return Scale(0.0, 1.0)
    low, high = min(values), max(values)
    if high <= LOG_SPAN * low:
        return Scale(0.0, high)
    return Scale(10.0 ** floor(log10(low)), 10.0 ** ceil(log10(high)))


def bounds_figure(energy: Energy, scale: Scale) -> Figure:
    """The SNN and each baseline: a dot at the nominal, a whisker to each bound, an open arrow where there is none."""
    rows = _bars(energy)
    figure, panels = stack([0.2] * len(rows))
    for axes, (name, bounds, colour) in zip(panels, rows, strict=True):
        axes.set(xlim=(0, 1), ylim=(0, 1), yticks=[], xticks=[])
        axes.spines["bottom"].set_visible(False)
        axes.axhspan(0, 1, color=LINE, alpha=0.35, linewidth=0)
        for tick in scale.ticks():
            axes.axvline(scale.place(tick), color=LINE, linewidth=0.8)
        if not scale.logarithmic:
            axes.barh([0.5], [scale.place(bounds.nominal)], height=0.6, color=colour, alpha=0.55, linewidth=0)
        _whiskers(axes, bounds, scale, colour)
        unknown = ", no bounds" if bounds.low is None and bounds.high is None else ""
        caption(axes, name, format_bounds(bounds) + unknown)
    ticks = scale.ticks()
    panels[-1].set_xticks([scale.place(x) for x in ticks], [format_energy(x) for x in ticks])
    panels[-1].tick_params(length=0)
    return figure


def _bars(energy: Energy) -> list[tuple[str, Bounds, str]]:
    """(name, energy, colour); the SNN once more at a baseline's own prices."""
    steps, rows = energy.counts.steps, [("SNN", energy.snn, BLUE)]
    names = {
        "dense": "ANN, one dense pass",
        "dense_times_steps": f"ANN × {steps} (not fair)",
        "quantized": f"ANN, {activation_bits(steps)}-bit activations",
    }
    if "host_macs" in energy.parts:
        rows.append(("SNN, on the chip", energy.chip, BLUE))
    for baseline in energy.baselines:
        if baseline.snn_pj != energy.snn:
            rows.append((f"SNN, {INTEGERS}", baseline.snn_pj, BLUE))
        rows.append((names.get(baseline.name, baseline.title), baseline.energy_pj, GREY))
    return rows


def _whiskers(axes: Axes, bounds: Bounds, scale: Scale, colour: str) -> None:
    at = scale.place(bounds.nominal)
    for bound, beyond, arrow in ((bounds.low, at - MARGIN * 0.8, "<"), (bounds.high, at + MARGIN * 0.8, ">")):
        if bound is None:
            end = max(beyond, 0.0)
            axes.plot([at, end], [0.5, 0.5], color=INK, linewidth=1, linestyle=(0, (2, 2)))
            axes.plot([end], [0.5], arrow, markersize=5, color=INK, markerfacecolor="none", clip_on=False)
        else:
            end = scale.place(bound)
            axes.plot([at, end], [0.5, 0.5], color=INK, linewidth=1.2)
            axes.plot([end, end], [0.2, 0.8], color=INK, linewidth=1.2)
    axes.plot([at], [0.5], "o", color=colour, markeredgecolor=INK, markersize=6, clip_on=False, zorder=3)


def rates_figure(counts: Counts) -> Figure:
    """A strip for each layer, a cell for each step; the first strip is the scale."""
    rates = [step_rates(layer, counts.samples) for layer in counts.layers]
    top = max((float(rate.max(initial=0)) for rate in rates), default=0.0) or 1.0
    figure, (key, *panels) = stack([0.12, *[0.18] * len(rates)])
    _strip(key, np.linspace(0, 1, 64), 64)
    caption(key, "scale: 0", f"{top:.2%}")
    for axes, layer, rate in zip(panels, counts.layers, rates, strict=True):
        _strip(axes, rate / top, counts.steps)
        caption(axes, layer.name, f"{float(layer.rate):.2%}")
    for axes in (key, *panels):
        axes.set(yticks=[])
        axes.tick_params(labelbottom=axes is panels[-1], length=0)
        axes.spines["bottom"].set_visible(False)
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    panels[-1].set_xlabel("step")
    return figure


def step_rates(layer: LayerCounts, samples: int) -> NDArray[np.float64]:
    """Spikes per neuron in each step, mean over the samples, `(layer.steps,)`."""
    return np.array([float(Fraction(n, layer.neurons * samples)) for n in layer.spikes_per_step])


def _strip(axes: Axes, shares: NDArray[np.float64], steps: int) -> None:
    """Shares in [0, 1] as opacity, on a track as long as they are."""
    axes.axvspan(0.5, len(shares) + 0.5, color=LINE, alpha=0.4, linewidth=0, zorder=-1)
    if len(shares):
        image = np.empty((1, len(shares), 4))
        image[..., :3], image[..., 3] = BITMAP_RGB, shares
        axes.imshow(image, aspect="auto", interpolation="none", extent=(0.5, len(shares) + 0.5, 0, 1))
    axes.set(xlim=(0.5, steps + 0.5), ylim=(0, 1))


def sensitivity_figure(energy: Energy) -> Figure:
    """One bar for each convention, the arithmetic alone."""
    found = energy.sensitivity
    figure, panels = stack([0.18] * len(found), ticks=False)
    top = max((s.energy_pj.nominal for s in found if s.energy_pj is not None), default=0.0) or 1.0
    for axes, one, factor in zip(panels, found, factors(energy), strict=True):
        value = 0.0 if one.energy_pj is None else one.energy_pj.nominal
        bar(axes, [(value, BLUE if one.convention == "exact" else GREY)], top)
        shown = "no price" if one.energy_pj is None else format_energy(value)
        times = "" if factor is None or one.convention == "exact" else f", {format_factor(factor)} × exact"
        caption(axes, one.convention, shown + times)
    return figure


def steps_figure(latency: Latency) -> Figure:
    """How many steps of the run took how long, by the nominal constants."""
    ns = np.asarray(latency.per_step, dtype=np.float64)
    figure, (axes,) = stack([1.1])
    low, high = float(ns.min()), float(ns.max())
    room = (high - low) * 0.02 or high * 0.05 or 1.0
    axes.hist(ns, bins=BINS, range=(low - room, high + room), color=BLUE)
    axes.axvline(float(ns.mean()), color=ORANGE, linewidth=2)
    caption(axes, f"{ns.size:,} steps", f"mean {format_time(float(ns.mean()))}")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: format_time(x)))
    axes.tick_params(length=3)
    axes.set(yticks=[])
    return figure
