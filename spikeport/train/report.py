"""What a report shows of a training run: its figures, its rows of text, and what it ran on."""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spikeport import __version__
from spikeport.page import BLUE, GREY, LINE, ORANGE, WIDTH_IN, caption, stack
from spikeport.train.loop.history import Epoch, LayerFigures
from spikeport.train.loop.tested import Confusion, Pictures
from spikeport.train.recipe import Recipe

RIGHT = 0.14
"""Of a panel's width, for the numbers of its axis."""
RECONSTRUCTION = "reconstruction"
"""The part of an autoencoder's loss that it is selected by."""
COLUMNS = ("Layer", "Rate", "Gain (α)", "Decay (β, τ)", "Threshold")
PACKAGES = ("torch", "lightning-fabric", "numpy", "nir")


@dataclass(frozen=True, eq=False)
class TrainingReport:
    """Everything that is shown."""

    recipe: Recipe
    history: Sequence[Epoch]
    """At least one epoch."""
    first: Sequence[LayerFigures]
    """The layers' neurons before training, rates 0."""
    tested: Confusion | Pictures | None
    """What came out on the test split; None if it was not tested."""
    parameters: int
    kept: int
    """The epoch whose weights were kept."""
    command: str = ""
    device: str = "cpu"
    processes: int = 1


def layer_rows(report: TrainingReport) -> list[tuple[str, ...]]:
    """In the order of `COLUMNS`; of the epoch whose weights were kept."""
    return [
        (layer.name, f"{layer.rate:.2%}", *(f"{value:.4f}" for value in (layer.gain, layer.keep, layer.threshold)))
        for layer in report.history[report.kept - 1].layers
    ]


def headline_rows(report: TrainingReport) -> list[tuple[str, str, str]]:
    """(quantity, value, note) for people; a terminal prints the same."""
    kept, course, tested = report.history[report.kept - 1], report.recipe.train, report.tested
    rows = [] if tested is None else list(tested.rows(report.recipe.paper))
    if course.keep == "best" and kept.selected is not None:
        chosen = f"{kept.selected:.2%}" if kept.accuracy is not None else f"{kept.selected:.4f}"
        how = "on the test split, as the papers do" if course.select_on == "test" else "on held-out training images"
        rows.append(("Epoch kept", f"{report.kept}", f"the best of {len(report.history)}, {chosen}, chosen {how}"))
    if kept.layers:
        rows += [
            ("Firing rate", f"{kept.rate:.2%}", "spikes per neuron and step, mean over layers, in training"),
            ("Synaptic operations (SOPs)", f"{kept.sops:,.0f}", "per training image"),
        ]
    rows.append(("Parameters", f"{report.parameters:,}", "that learn"))
    check = kept.check
    if check is not None:
        fits = f"{check.violations} design rules broken, {check.cores} cores"
        rows.append((f"On {course.check}", fits, f"no input brings |v| above {check.v_share:.1%} of its word"))
    return rows


def environment(report: TrainingReport) -> list[tuple[str, str]]:
    """Names and versions of what it ran on."""
    found = [("spikeport", __version__), ("Python", platform.python_version())]
    for package in PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return [*found, ("platform", platform.machine()), ("device", f"{report.device}, processes: {report.processes}")]


def curves_figure(report: TrainingReport) -> Figure:
    history = report.history
    epochs = [epoch.number for epoch in history]
    lines = _lines(history[0])
    figure, panels = stack([0.9] * len(lines))
    for axes, (name, value, shown) in zip(panels, lines, strict=True):
        values = [value(epoch) for epoch in history]
        _line(axes, epochs, values, BLUE)
        text = shown.format(values[-1])
        if name in ("accuracy", RECONSTRUCTION) and history[-1].selected is not None:
            chosen = [epoch.selected if epoch.selected is not None else np.nan for epoch in history]
            _line(axes, epochs, chosen, ORANGE)
            text = f"training {text}, {report.recipe.train.select_on} {shown.format(history[-1].selected)}"
        caption(axes, name, text)
    _share_x(panels, "epoch")
    return figure


def _lines(epoch: Epoch) -> list[tuple[str, Callable[[Epoch], float], str]]:
    """Name, value and format of each panel; every epoch of a run has the figures of its first."""
    found: list[tuple[str, Callable[[Epoch], float], str]] = [("loss", lambda e: e.loss + e.terms, "{:.4g}")]
    if epoch.accuracy is not None:
        found.append(("accuracy", lambda e: e.accuracy or 0.0, "{:.2%}"))
    found += [(name, partial(_part, name), "{:.4g}") for name in epoch.parts]
    if epoch.layers:
        found.append(("firing rate", lambda e: e.rate, "{:.2%}"))
        found.append(("SOPs per image", lambda e: e.sops, "{:,.0f}"))
    return [*found, ("learning rate", lambda e: e.learning_rate, "{:.3g}")]


def _part(name: str, epoch: Epoch) -> float:
    return epoch.parts[name]


def neurons_figure(report: TrainingReport) -> Figure:
    """Gain, decay and threshold of every layer over the epochs; deeper layers are darker."""
    figure, panels = stack([1.1] * 3)
    epochs = [0, *(epoch.number for epoch in report.history)]
    depth = len(report.first)
    for axes, (name, title) in zip(panels, QUANTITIES, strict=True):
        for k, first in enumerate(report.first):
            values = [getattr(first, name), *(getattr(epoch.layers[k], name) for epoch in report.history)]
            _line(axes, epochs, values, BLUE, alpha=0.3 + 0.7 * k / max(depth - 1, 1))
        caption(axes, title, f"{depth} layers, deeper ones stronger")
    _share_x(panels, "epoch")
    return figure


QUANTITIES = (("gain", "gain (α)"), ("keep", "decay (β, τ)"), ("threshold", "threshold"))


def depth_figure(report: TrainingReport) -> Figure:
    """The same at the end, by depth, beside where they began (DA-LIF paper, Fig. 3)."""
    figure, panels = stack([1.1] * 3)
    last = report.history[report.kept - 1].layers
    at = list(range(1, len(last) + 1))
    for axes, (name, title) in zip(panels, QUANTITIES, strict=True):
        values = [getattr(layer, name) for layer in last]
        _line(axes, at, [getattr(layer, name) for layer in report.first], GREY)
        _line(axes, at, values, BLUE, marker="o")
        caption(axes, title, f"{min(values):.3f} to {max(values):.3f}")
    _share_x(panels, "layer")
    return figure


def pictures_figure(tested: Pictures) -> Figure:
    """A row of test images, one of what became of them, one of the prior's; white is 1 on every theme."""
    rows = [images for images in (tested.originals, tested.again, tested.generated) if len(images)]
    columns = max(map(len, rows))
    figure = Figure(figsize=(WIDTH_IN, WIDTH_IN * len(rows) / columns))
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            axes = figure.add_axes((column / columns, 1 - (row + 1) / len(rows), 0.96 / columns, 0.96 / len(rows)))
            rgb = np.broadcast_to(image, (3, *image.shape[1:])).transpose(1, 2, 0)
            axes.imshow(rgb, interpolation="none")
            axes.set_axis_off()
    return figure


def _line(
    axes: Axes, x: Sequence[float], y: Sequence[float], colour: str, alpha: float = 1.0, marker: str = ""
) -> None:
    """A line, or a dot where there is one epoch alone."""
    axes.plot(
        x, y, color=colour, alpha=alpha, linewidth=1.4, marker=marker or ("o" if len(x) == 1 else ""), markersize=3
    )


def _share_x(panels: Sequence[Axes], label: str) -> None:
    """One scale of whole numbers below the last panel; values at the right, where a line ends."""
    for axes in panels:
        _, y, _, height = axes.get_position().bounds
        axes.set_position((0, y, 1 - RIGHT, height))
        axes.margins(y=0.15)
        axes.grid(axis="y", color=LINE, linewidth=0.6)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=3))
        axes.tick_params(axis="y", length=0, labelsize=8, labelright=True, labelleft=False)
        axes.tick_params(axis="x", labelbottom=axes is panels[-1])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
        axes.set_axisbelow(True)
    panels[-1].set_xlabel(label)
