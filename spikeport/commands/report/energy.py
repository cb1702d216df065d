"""What an inference costs by the counts and published prices, beside the ANN."""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import add

from spikeport.commands.report.blocks import (
    Beside,
    Block,
    Facts,
    Folded,
    Grid,
    Listed,
    Picture,
    Section,
    Words,
    missing,
)
from spikeport.page import drawing, svg
from spikeport.sim.energy import Energy, figures, tables
from spikeport.sim.energy.formats import format_bounds, format_energy, format_ratio

NAME, TITLE = "energy", "Energy"
DRAWN = 24
"""Layers up to which they are drawn; tables have all."""


def energy(energies: Sequence[Energy]) -> Section:
    """The first is drawn; the others are compared."""
    if not energies:
        return missing(NAME, TITLE, "For operation counts and their energy give samples: --input X.NPZ.")
    first = energies[0]
    blocks: list[Block] = [
        Words(tables.ratio_sentence(first), "result"),
        Words("An estimate from exact operation counts, not a measurement. Nominal (low to high); ? is a bound that "
              "nobody published.", "hint"),
        *(Words(f"{one.profile.name}: {one.profile.banner}", "banner") for one in energies if one.profile.banner),
        Beside(_pictures(first)),
        Facts(f"By {first.profile.name}", tables.headline_rows(first)),
    ]  # fmt: skip
    if len(energies) > 1:
        rows = tables.compared_rows([one.profile.name for one in energies], energies)
        blocks.append(Grid("By the prices of", ("profile", *tables.COMPARED_COLUMNS[1:]), rows))
    timed = next((one for one in energies if one.latency is not None), None)
    if timed is not None:
        blocks.append(Facts(f"Time, by {timed.profile.name}", tables.latency_rows(timed)))
    grid = Grid("Layers by term", tables.layer_columns(first), tables.layer_rows(first), sums=True)
    caveats = list(dict.fromkeys(caveat for one in energies for caveat in one.caveats))
    limits = [*(threshold.sentence for threshold in first.thresholds), tables.break_even_sentence(first)]
    return Section(
        NAME,
        TITLE,
        [
            *blocks,
            Folded("Layers by term", [grid]),
            Folded("Published limits for beating an ANN", [Listed(limits)]),
            Folded("What these numbers do not say", [Listed(caveats)]),
        ],
    )


def together(phases: Mapping[str, Sequence[Energy]]) -> list[Block]:
    """Of an image that passes all Programs; empty unless all of them ran."""
    rows = list(_sums(phases))
    caption = f"One image, {' and '.join(phases)} together"
    return [Facts(caption, rows), Words("What the host does between the Programs is not in it.", "hint")] * bool(rows)


def _sums(phases: Mapping[str, Sequence[Energy]]) -> Iterator[tuple[str, str, str]]:
    if len(phases) < 2 or not all(phases.values()):
        return
    for same in zip(*phases.values(), strict=True):
        snn, ann = (reduce(add, (getattr(one, what) for one in same)) for what in ("snn", "ann"))
        ratio = snn.over(ann)
        note = "" if ratio is None else f"{format_ratio(ratio)} times the ANNs' {format_bounds(ann)}"
        note += ", chips against bare arithmetic" * (ratio is not None and same[0].is_chip)
        yield f"By {same[0].profile.name}", format_bounds(snn), note


def _pictures(energy: Energy) -> list[Block]:
    scale = figures.scale_of([energy])
    with drawing():
        bounds = svg("bounds", figures.bounds_figure(energy, scale))
        layers = svg("terms", figures.layers_figure(energy)) if len(energy.layers) <= DRAWN else None
    axis = "The axis is logarithmic." if scale.logarithmic else "The axis starts at 0."
    said = f"SNN {format_bounds(energy.snn)}; ANN {format_bounds(energy.ann)}"
    caption = f"Dot: nominal. Whisker: to a published bound. Open arrow: nobody published that bound. {axis}"
    found: list[Block] = [Picture(bounds, "The SNN and its baselines", said, caption)]
    if layers is not None:
        spent = "; ".join(
            f"{layer.name} SNN {format_energy(layer.total.nominal)}, ANN {format_energy(layer.ann.nominal)}"
            for layer in energy.layers
        )
        caption = "Each layer's SNN by term, above its ANN. All layers together have a scale of their own."
        found.append(Picture(layers, "Energy of each layer", spent, caption, keys=figures.legend(energy)))
    return found
