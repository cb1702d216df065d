"""Current and membrane of one neuron of every layer, step by step, with its threshold and its spikes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from spikeport.commands.report.blocks import Beside, Picture, Section, Words, missing
from spikeport.commands.report.known import number
from spikeport.page import BLUE, GREEN, INK, MUTED, ORANGE, THEME, caption, drawing, stack, svg
from spikeport.program import LIF, Group, Program
from spikeport.sim import Result, Trace

NAME, TITLE = "traces", "u and v traces"
PANELS, STEPS = 16, 600
LINES = ((BLUE, "-", 1.4), (ORANGE, "--", 1.2), (GREEN, "-.", 1.0))
"""Of the state variables that are drawn; colours are not all that tells them apart."""


def traces(program: Program, one: Result) -> Section:
    """Of the groups that were recorded."""
    groups = [group for group in program.groups if group.name in one.traces]
    if not groups:
        return missing(
            NAME,
            TITLE,
            "The layers are too large for their states to be drawn; 'spikeport run --record GROUP' writes them.",
        )
    shown = groups[:PANELS]
    picked = [pick(one.traces[group.name]) for group in shown]
    half = len(shown) if len(shown) < 3 else -(-len(shown) // 2)
    left = f" {len(shown)} of {len(program.groups):,} layers are drawn." if len(shown) < len(program.groups) else ""
    steps = next(iter(one.traces.values())).s.shape[0]
    left += f" The first {STEPS:,} of {steps:,} steps are drawn." if steps > STEPS else ""
    hint = (
        "The same sample: of each layer the neuron that fired in nearest to half of the steps, of equals the one whose "
        "state went furthest. Integers of the chip, after each hardware step."
    )
    if any(isinstance(group, LIF) for group in shown):
        hint += " A LIF neuron fires where v would go above the threshold, and v is then what the spike left."
    keys = keys_of(shown)
    parts = [slice(0, half), slice(half, len(shown))]
    pictures = [_picture(one, k, shown[p], picked[p], keys) for k, p in enumerate(parts) if shown[p]]
    return Section(NAME, TITLE, [Words(f"{hint}{left}", "hint"), Beside(pictures)])


def keys_of(groups: Sequence[Group]) -> list[tuple[str, str]]:
    """Which states have which line, among these kinds of neurons."""
    styles, keys = ("", ", dashed", ", dash-dotted"), []
    for k, (style, (colour, *_)) in enumerate(zip(styles, LINES, strict=True)):
        names = dict.fromkeys(_states(group)[k] for group in groups if len(_states(group)) > k)
        keys += [(f"{', '.join(names)}{style}", THEME[colour])] * bool(names)
    keys += [("threshold, dotted", THEME[MUTED])] * any(_has_threshold(group) for group in groups)
    return [*keys, ("▾ spike", THEME[INK])]


def _picture(
    one: Result, part: int, groups: Sequence[Group], picked: Sequence[int], keys: Sequence[tuple[str, str]]
) -> Picture:
    with drawing():
        drawn = svg(f"traces{part}", traces_figure(one, groups, picked))
    described = "; ".join(
        f"{group.name}, neuron {neuron:,}: {number(_spikes(one, group, neuron), 'spike')}"
        for group, neuron in zip(groups, picked, strict=True)
    )
    title = f"States of one neuron of {', '.join(group.name for group in groups)} over the hardware steps"
    return Picture(drawn, title, described, keys=keys, width="half")


def pick(trace: Trace) -> int:
    """The neuron that fired in nearest to half of the steps, then the one with the largest state, then the first."""
    fired = np.count_nonzero(trace.s[:, 0], axis=0).ravel()
    name = "v" if "v" in trace.state else next(iter(trace.state))
    peak = np.abs(trace.state[name][:, 0].astype(np.int64)).max(axis=0, initial=0).ravel()
    return int(np.lexsort((-peak, np.abs(2 * fired - len(trace.s))))[0])


def _spikes(one: Result, group: Group, neuron: int) -> int:
    s = one.traces[group.name].s
    return int(np.count_nonzero(s.reshape(len(s), -1)[:, neuron]))


def traces_figure(one: Result, groups: Sequence[Group], picked: Sequence[int]) -> Figure:
    figure, panels = stack([0.85] * len(groups))
    for axes, group, neuron in zip(panels, groups, picked, strict=True):
        _draw(axes, group, one.traces[group.name], neuron)
        axes.tick_params(labelbottom=axes is panels[-1], length=0, labelsize=8)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=2, integer=True, min_n_ticks=1))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        _, y, _, height = axes.get_position().bounds
        axes.set_position((0, y, 0.84, height))
        axes.tick_params(axis="y", labelright=True, labelleft=False)
        caption(axes, group.name, f"neuron {neuron:,}, {number(_spikes(one, group, neuron), 'spike')}")
    panels[-1].set_xlabel("hardware step")
    return figure


def _states(group: Group) -> tuple[str, ...]:
    """Those that are drawn, in the order of `LINES`."""
    return ("v", "u") if isinstance(group, LIF) else group.variables[: len(LINES)]


def _has_threshold(group: Group) -> bool:
    """Whether one is drawn: where v itself is held against it."""
    return isinstance(group, LIF) and not group.integrates


def _draw(axes: Axes, group: Group, trace: Trace, neuron: int) -> None:
    s = trace.s.reshape(len(trace.s), -1)[:STEPS, neuron]
    at = np.arange(1, len(s) + 1)
    for name, (colour, style, width) in zip(_states(group), LINES, strict=False):
        values = trace.state[name].reshape(len(trace.s), -1)[:STEPS, neuron]
        dots = "o" if len(s) < 40 else ""
        axes.plot(at, values, color=colour, linestyle=style, linewidth=width, marker=dots, markersize=2)
    if _has_threshold(group):
        axes.axhline(group.vth << 6, color=MUTED, linestyle=":", linewidth=1)
    axes.margins(x=0.01, y=0.1)
    low, high = axes.get_ylim()
    if high - low < 1:  # all is the same integer
        low, high = low - 1, high + 1
    fired = at[s != 0]
    axes.plot(fired, np.full(len(fired), high + 0.12 * (high - low)), "v", color=INK, markersize=4)
    axes.set_ylim(low, high + 0.25 * (high - low))
    axes.set_xlim(0.5, max(len(s), 1) + 0.5)
