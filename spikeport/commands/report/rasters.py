"""One sample as it was given, and the spikes of every layer that it brought."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from spikeport.commands.report.blocks import Beside, Block, Picture, Section, Words
from spikeport.commands.report.known import number
from spikeport.page import BITMAP_RGB, BLUE, GREY, ORANGE, caption, drawing, stack, svg
from spikeport.program import Group, Input, Output, Program
from spikeport.sim import Result
from spikeport.sim.counting import sample_windows

NAME, TITLE = "rasters", "Rasters"
ROWS = 128
"""Of a panel: more are not told apart."""
PANELS, STEPS, PIXELS = 32, 600, 160
"""Layers, steps and places of an image's side that are drawn at most."""


def rasters(program: Program, one: Result, note: str = "") -> Section:
    """
    Args:
        one: A run of one sample.
        note: What the sample is, and what the network answered.
    """
    steps = min(len(one.spikes) + program.latency, STEPS)
    nodes = _nodes(program)
    with drawing():
        image = svg("image", image_figure(image_of(program, one)))
        raster = svg("raster", raster_figure(program, one, nodes[:PANELS], steps))
    listed = "; ".join(f"{node.name} {number(_spikes(one, node), 'spike')}" for node in nodes[:PANELS])
    shown = f"Layers of more than {ROWS} neurons share {ROWS} rows; the stronger the colour, the more of a row spiked."
    if len(nodes) > PANELS:
        shown += f" The first {PANELS} of {len(nodes):,} layers are drawn."
    if len(one.spikes) + program.latency > steps:
        shown += f" The first {steps:,} of {len(one.spikes) + program.latency:,} steps are drawn."
    hint = (
        "One sample, every layer. Every connection takes one hardware step, so a layer answers later than the one "
        "before it; shaded steps do not belong to the sample."
    )
    pictures: list[Block] = [
        Picture(
            image,
            "The sample's input",
            "The input, mean over its steps.",
            note or "The sample's input.",
            width="pixels",
        ),
        Picture(raster, f"Spikes over {steps:,} hardware steps", listed, shown, width="half"),
    ]
    return Section(NAME, TITLE, [Words(hint, "hint"), Beside(pictures, small_first=True)])


def _nodes(program: Program) -> list[Input | Group]:
    """What sends spikes: inputs, but for images that the host encodes, and groups."""
    spiking = [group for group in program.groups if group.name not in program.integrators]
    return [*(entry for entry in program.inputs if entry.kind != "bias"), *spiking]


def _spikes(one: Result, node: Input | Group) -> int:
    return int(np.count_nonzero(one.sent[node.name]))


def image_of(program: Program, one: Result) -> NDArray[np.float64]:
    """The first input as a picture, mean over its steps: `(h, w)`, or `(h, w, 3)` in [0, 1] of three channels."""
    entry = program.inputs[0]
    steps = max(len(one.spikes), 1)
    image = one.sent[entry.name][:steps, 0].astype(np.float64).mean(axis=0).reshape(entry.shape)
    if image.ndim == 3 and len(image) == 3:
        low, high = image.min(), image.max()
        image = np.moveaxis((image - low) / max(high - low, 1e-12), 0, 2)
    elif image.ndim == 3:
        image = image.mean(axis=0)
    elif image.ndim != 2:
        image = _rows(image.ravel())
    return image[:: 1 + image.shape[0] // PIXELS, :: 1 + image.shape[1] // PIXELS]


def _rows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """One dimension as rows that make about a square; what is left of the last row is the least value."""
    columns = int(np.ceil(np.sqrt(len(values))))
    whole = np.full(-(-len(values) // columns) * columns, values.min(initial=0.0))
    whole[: len(values)] = values
    return whole.reshape(-1, columns)


def image_figure(image: NDArray[np.float64]) -> Figure:
    height, width = image.shape[:2]
    figure = Figure(figsize=(2, min(2 * height / width, 6)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.imshow(image, cmap="gray", interpolation="none", aspect="auto")
    return figure


def raster_figure(program: Program, one: Result, nodes: Sequence[Input | Group], total: int) -> Figure:
    """A panel for each node over the same hardware steps; then v where an output reads it."""
    windows = sample_windows(program, len(one.spikes))
    readouts = [output for output in program.outputs if output.reads == "v"]
    figure, panels = stack([0.25 + 0.1 * float(np.log2(node.size)) for node in nodes] + [0.8] * len(readouts))
    for axes, node in zip(panels, nodes, strict=False):
        spikes = one.sent[node.name][:total, 0]
        axes.imshow(_raster(spikes), aspect="auto", interpolation="none", extent=(0.5, total + 0.5, 0, 1))
        window = windows[node.name]
        for start, stop in ((0.5, window.start - 0.5), (window.stop - 0.5, total + 0.5)):
            axes.axvspan(start, max(start, stop), color=GREY, alpha=0.25, linewidth=0)
        axes.set(ylim=(0, 1))
        caption(
            axes, node.name, f"{' × '.join(map(str, node.shape))}, {number(int(np.count_nonzero(spikes)), 'spike')}"
        )
    for axes, output in zip(panels[len(nodes) :], readouts, strict=True):
        _draw_v(axes, output, one.outputs[output.name][:, 0], program.latency)
    for axes in panels:
        axes.set(xlim=(0.5, total + 0.5), yticks=[])
        axes.tick_params(labelbottom=axes is panels[-1], length=0)
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[-1].set_xlabel("hardware step")
    return figure


def _draw_v(axes: Axes, output: Output, v: NDArray[np.integer], latency: int) -> None:
    """`(T, *shape)` as one line per class, or per neuron where there are no classes, a dot at each step.

    The class with the largest mean is wider, and named.
    """
    lines = v.reshape(len(v), output.classes or v[0].size, -1).sum(axis=2, dtype=np.int64)
    best = int(lines.sum(axis=0).argmax())
    at = latency + 1 + np.arange(len(v))
    for k, line in enumerate(lines.T[:ROWS]):
        colour, alpha, above, width = (ORANGE, 1.0, 3, 2.0) if k == best else (BLUE, 0.6, 2, 1.0)
        axes.plot(at, line, color=colour, alpha=alpha, zorder=above, linewidth=width, marker="o", markersize=2)
    what = "class" if output.classes else "neuron"
    caption(axes, f"v of {output.source}", f"{lines.shape[1]:,}; largest mean: {what} {best:,}")


def _raster(spikes: NDArray[np.integer]) -> NDArray[np.float64]:
    """`(steps, n)` to an RGBA image: the more of a row's neurons spike, the less transparent.

    Every cell gets a gap where there is room, so that two spikes do not run into one bar.
    """
    steps, n = spikes.shape
    bins = np.array_split(np.arange(n), min(n, ROWS))
    fired = np.stack([(spikes[:, one] != 0).mean(axis=1) for one in bins])
    cells = np.where(fired > 0, 0.3 + 0.7 * fired, 0)
    for axis, cramped in ((0, len(bins) > ROWS // 4), (1, steps > 200)):
        if not cramped:
            cells = np.repeat(cells, 5, axis=axis)
            np.moveaxis(cells, axis, 0)[4::5] = 0
    rgb = np.broadcast_to(BITMAP_RGB, (*cells.shape, 3))
    return np.concatenate([rgb, cells[..., None]], axis=2)
