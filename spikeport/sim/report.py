"""One run as a single HTML file that needs no network, no script and no other file.

The same input gives the same bytes: nothing here reads a clock.
`headline_rows` and `layer_rows` give the figures as plain text, so that a terminal prints what the page shows.
"""

import os
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from operator import attrgetter
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from spikeport.atomic import replacing
from spikeport.errors import InputError, OptionMisused
from spikeport.page import BITMAP_RGB, BLUE, GREY, ORANGE, bar, caption, drawing, rendered, stack, svg
from spikeport.program import LIF, Group, Input, Output, Program, Shape
from spikeport.sim.counting import Counts, sample_windows
from spikeport.sim.energy import Energy
from spikeport.sim.energy.figures import layers_figure, legend
from spikeport.sim.energy.formats import format_bounds, format_count, format_energy, format_ratio
from spikeport.sim.result import Result

LAYER_COLUMNS = (
    "Layer", "Neurons", "First step", "dv", "vth", "Weights", "Synapses",
    "Input rate", "Rate", "SOPs", "Host MACs", "ANN MACs",
)  # fmt: skip
RASTER_ROWS = 128  # more rows than that are not told apart


@dataclass(frozen=True)
class Accuracy:
    """How many samples were classified rightly."""

    correct: int
    samples: int

    def __post_init__(self) -> None:
        if not 0 <= self.correct <= self.samples or self.samples == 0:
            got = f"{self.correct} of {self.samples}"
            raise InputError("report", "accuracy", got=got, relation="is not", limit="a share of at least one sample")

    def __str__(self) -> str:
        return f"{self.correct / self.samples:.2%} ({self.correct:,} of {self.samples:,})"


@dataclass(frozen=True)
class LavaCheck:
    """What comparing every neuron's state at every step with Lava gave, or why it was not done."""

    compared: int = 0
    differing: int = 0
    reason: str = "no comparison was asked for"

    def __str__(self) -> str:
        if not self.compared:
            return f"Lava was not compared: {self.reason}"
        return f"{self.differing:,} of {self.compared:,} values differ"


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline and the file that it left."""

    name: str
    made: str
    sha256: str = ""
    note: str = ""


@dataclass(frozen=True, eq=False)
class ReportData:
    """Everything that a report shows; what is left out is left out of the page, or said to be unknown."""

    title: str
    program: Program
    result: Result
    """The run that is drawn; it may be a part of what was counted."""
    counts: Counts
    energies: tuple[Energy, ...]
    """At least one; the first is drawn, all are tabled."""
    lava: LavaCheck = LavaCheck()
    float_accuracy: Accuracy | None = None
    quantized_accuracy: Accuracy | None = None
    simulator_accuracy: Accuracy | None = None
    stages: tuple[Stage, ...] = ()
    sample: int = 0
    """Index into the batch of `result` of the sample that is drawn."""
    sample_note: str = ""
    """What the sample is and what the network answered."""
    image: NDArray[Any] | None = None
    """`(h, w)` or `(c, h, w)`; the mean of the first input over its steps if None."""
    command: str = ""

    def __post_init__(self) -> None:
        samples = self.result.spikes.shape[1]
        if not 0 <= self.sample < samples:
            raise InputError("report", "sample", got=self.sample, relation="is not in", limit=f"[0, {samples})")
        if not self.energies:
            raise OptionMisused("report", "energies", relation="are", limit="missing")


def write_report(path: str | os.PathLike[str], data: ReportData) -> None:
    """Writes a temporary file and renames it: a failed write leaves nothing behind."""
    page = render_report(data)
    with replacing(path) as name, open(name, "w", encoding="utf-8", newline="\n") as file:
        file.write(page)


def render_report(data: ReportData) -> str:
    """The page as text."""
    with drawing():
        figures = {
            "image": svg("image", _image_figure(data)),
            "raster": svg("raster", _raster_figure(data)),
            "rates": svg("rates", _rate_figure(data.counts)),
            "sops": svg("sops", _sop_figure(data.counts)),
            "energy": svg("energy", layers_figure(data.energies[0])),
        }
    return rendered(
        files("spikeport.sim") / "report.html",
        {"energy": format_energy, "count": format_count},
        data=data,
        figures=figures,
        legend=legend(data.energies[0]),
        headline=headline_rows(data),
        columns=LAYER_COLUMNS,
        layers=layer_rows(data.program, data.counts),
        raster_rows=RASTER_ROWS,
        caveats=list(dict.fromkeys(caveat for energy in data.energies for caveat in energy.caveats)),
    )


def headline_rows(data: ReportData) -> list[tuple[str, str, str]]:
    """(quantity, value, note) for people; accuracies that were not measured are left out."""
    counts = data.counts
    each = partial(_per_inference, counts)
    accuracies = [
        ("Float accuracy", data.float_accuracy, "as trained"),
        ("Quantized accuracy", data.quantized_accuracy, "torch, integer weights"),
        ("Simulator accuracy", data.simulator_accuracy, "the Program that goes on the chip"),
    ]
    limits = {figure: _limits(data.energies[0], figure) for figure in ("spikes_per_synapse", "input_rate")}
    nonzero = f"per inference; {each(counts.sops_nz)} without weights of zero"
    return [
        *((name, str(accuracy), note) for name, accuracy, note in accuracies if accuracy),
        ("Lava", str(data.lava), "state of every neuron at every step" if data.lava.compared else ""),
        ("Synaptic operations (SOPs)", each(counts.sops), nonzero),
        ("MACs on the host", each(counts.host_macs), "per inference; the first layer"),
        ("MACs of the ANN", f"{counts.macs_dense:,}", "the same network, one dense pass"),
        ("Spikes per synapse", f"{float(counts.spikes_per_synapse):.3g}", limits["spikes_per_synapse"]),
        ("Input rate", f"{float(counts.input_rate):.2%}", limits["input_rate"]),
        *(_energy_row(energy) for energy in data.energies),
    ]


def layer_rows(program: Program, counts: Counts) -> list[tuple[str, ...]]:
    """One row of text per neuron group, in the order of `LAYER_COLUMNS`; SOPs and MACs per inference."""
    rows: list[tuple[str, ...]] = []
    for layer in counts.layers:
        group = program.group(layer.name)
        rows.append((
            layer.name, f"{layer.neurons:,}", str(layer.first_step),
            str(group.dv) if isinstance(group, LIF) else "–", f"{group.vth:,}",
            _weights(program, layer.name), f"{layer.synapses:,}",
            f"{float(layer.input_rate):.2%}" if layer.connections else "–", f"{float(layer.rate):.2%}",
            _per_inference(counts, layer.sops), _per_inference(counts, layer.host_macs), f"{layer.macs_dense:,}",
        ))  # fmt: skip
    return rows


def _per_inference(counts: Counts, count: int) -> str:
    return format_count(float(counts.per_inference(count)))


def _energy_row(energy: Energy) -> tuple[str, str, str]:
    name, value, ratio = f"Energy, {energy.profile.name}", format_bounds(energy.snn), ""
    if energy.ratio is not None:
        ratio = f"{format_ratio(energy.ratio)} times the ANN's {format_bounds(energy.ann)}; "
    banner = f". {energy.profile.banner}" if energy.profile.banner else ""
    return name, value, f"{ratio}an estimate, see the caveats{banner}"


def _limits(energy: Energy, figure: str) -> str:
    """On which side of the published limits a figure is."""
    found = sorted((t for t in energy.thresholds if t.published.figure == figure), key=attrgetter("published.limit"))
    below, sources = sum(bool(t.below) for t in found), "; ".join(dict.fromkeys(t.published.source for t in found))
    limits = [t.published.limit for t in found]
    shown = [f"{limit:.1%}" if figure == "input_rate" else f"{limit:g}" for limit in limits]
    return f"below {below or 'none'} of the published limits for beating an ANN: {', '.join(shown)} ({sources})"


def _weights(program: Program, target: str) -> str:
    """Ranges of the mantissas and their exponents, one part per connection into the group."""
    connections = [*program.connections, *(e.synapses for e in program.encoders)]
    into = [c for c in connections if c.target == target and c.weight.size]
    ranges = [f"{c.weight.min()} to {c.weight.max()}" + (f" × 2^{c.weight_exp}" if c.weight_exp else "") for c in into]
    return "; ".join(ranges) or "–"


def _image_figure(data: ReportData) -> Figure:
    figure = Figure(figsize=(2, 2))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.imshow(_picture(data), cmap="gray", interpolation="none")
    return figure


def _picture(data: ReportData) -> NDArray[Any]:
    """`(h, w)`, or `(h, w, 3)` in [0, 1] for three channels."""
    image = data.image
    if image is None:
        entry = data.program.inputs[0]
        image = data.result.sent[entry.name][: data.counts.steps, data.sample].mean(axis=0).reshape(entry.shape)
    if image.ndim == 3 and len(image) == 3:
        low, high = image.min(), image.max()
        return np.moveaxis((image - low) / max(high - low, 1e-12), 0, 2)
    if image.ndim == 3:
        return image.mean(axis=0)
    return image.reshape(1, -1) if image.ndim != 2 else image


def _raster_figure(data: ReportData) -> Figure:
    """One panel per group, and per spiking input, over the same hardware steps; v where an output reads it."""
    program, steps = data.program, data.counts.steps
    windows = sample_windows(program, steps)
    spiking = [g for g in program.groups if g.name not in program.integrators]
    nodes: list[Input | Group] = [*(i for i in program.inputs if i.kind != "bias"), *spiking]
    readouts = [output for output in program.outputs if output.reads == "v"]
    figure, panels = stack([0.25 + 0.1 * np.log2(node.size) for node in nodes] + [0.8] * len(readouts))
    total = steps + program.latency
    for axes, node in zip(panels, nodes, strict=False):
        spikes = data.result.sent[node.name][:, data.sample]
        axes.imshow(_raster(spikes), aspect="auto", interpolation="none", extent=(0.5, total + 0.5, 0, 1))
        window = windows[node.name]
        for start, stop in ((0.5, window.start - 0.5), (window.stop - 0.5, total + 0.5)):
            axes.axvspan(start, max(start, stop), color=GREY, alpha=0.25, linewidth=0)
        axes.set(ylim=(0, 1))
        caption(axes, node.name, f"{_shape(node.shape)}, {np.count_nonzero(spikes):,} spikes")
    for axes, output in zip(panels[len(nodes) :], readouts, strict=True):
        _draw_v(axes, output, data.result.outputs[output.name][:, data.sample], program.latency)
    for axes in panels:
        axes.set(xlim=(0.5, total + 0.5), yticks=[])
        axes.tick_params(labelbottom=axes is panels[-1], length=0)
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[-1].set_xlabel("hardware step")
    return figure


def _draw_v(axes: Axes, output: Output, v: NDArray[Any], latency: int) -> None:
    """`(T, *shape)` as one line per class, or per neuron where there are no classes, a dot at each step.

    The class with the largest mean stands out.
    """
    lines = v.reshape(len(v), output.classes or v[0].size, -1).sum(axis=2, dtype=np.int64)
    best = int(lines.sum(axis=0).argmax())
    at = latency + 1 + np.arange(len(v))
    for k, line in enumerate(lines.T[:RASTER_ROWS]):
        colour, alpha, above = (ORANGE, 1.0, 3) if k == best else (BLUE, 0.6, 2)
        axes.plot(at, line, color=colour, alpha=alpha, zorder=above, linewidth=1.2, marker="o", markersize=2)
    what = f"{lines.shape[1]:,} {'classes' if output.classes else 'neurons'}, the largest mean is that of {best}"
    caption(axes, f"v of {output.source}", what)


def _raster(spikes: NDArray[Any]) -> NDArray[np.float64]:
    """`(steps, n)` to an RGBA image: the more of a row's neurons spike, the less transparent.

    Every cell gets a gap where there is room, so that two spikes do not run into one bar.
    """
    steps, n = spikes.shape
    bins = np.array_split(np.arange(n), min(n, RASTER_ROWS))
    share = np.stack([(spikes[:, one] != 0).mean(axis=1) for one in bins])
    cells = np.where(share > 0, 0.3 + 0.7 * share, 0)
    for axis, cramped in ((0, len(bins) > RASTER_ROWS // 4), (1, steps > 200)):
        if not cramped:
            cells = np.repeat(cells, 5, axis=axis)
            np.moveaxis(cells, axis, 0)[4::5] = 0
    rgb = np.broadcast_to(BITMAP_RGB, (*cells.shape, 3))
    return np.concatenate([rgb, cells[..., None]], axis=2)


def _rate_figure(counts: Counts) -> Figure:
    figure, panels = stack([0.16] * len(counts.layers), ticks=False)
    top = max(float(layer.rate) for layer in counts.layers) or 1.0
    for axes, layer in zip(panels, counts.layers, strict=True):
        bar(axes, [(float(layer.rate), BLUE)], top)
        caption(axes, layer.name, f"{float(layer.rate):.2%}")
    return figure


def _sop_figure(counts: Counts) -> Figure:
    figure, panels = stack([0.16] * len(counts.layers), ticks=False)
    top = max(layer.sops for layer in counts.layers) or 1
    for axes, layer in zip(panels, counts.layers, strict=True):
        bar(axes, [(layer.sops, BLUE)], top)
        host = f"{_per_inference(counts, layer.host_macs)} MACs on the host" if layer.encoders else ""
        sops = f"{_per_inference(counts, layer.sops)} SOPs" if layer.connections else ""
        caption(axes, layer.name, " + ".join(filter(None, (sops, host))))
    return figure


def _shape(shape: Shape) -> str:
    return " × ".join(map(str, shape))
