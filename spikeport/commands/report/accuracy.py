"""What each stage of the compilation costs, as a waterfall, and where it is lost, layer by layer."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from spikeport.commands.compiling.compile import layer_table, waterfall_table
from spikeport.commands.compiling.gap import Gap, Stage
from spikeport.commands.report.blocks import Beside, Block, Facts, Grid, Picture, Section, Words, missing
from spikeport.commands.report.known import Known, number, share
from spikeport.commands.report.overview import error_rows
from spikeport.commands.report.pictures import Painted
from spikeport.page import BLUE, GREY, LINE, ORANGE, caption, drawing, stack, svg

NAME, TITLE, PICTURED = "accuracy", "Accuracy and gap waterfall", "Error of the pictures"


def accuracy(known: Known) -> Section:
    if known.painted is not None:
        return _of_pictures(known.facts, known.painted)
    blocks: list[Block] = []
    rows = [row for row in known.facts if "accuracy" in row[0]]
    ran = known.ran
    if ran is not None and ran.right is not None:
        note = f"the Program on {number(ran.batch, 'sample')}; the class with the most spikes or the largest v"
        rows.append(("Simulator accuracy", share(ran.right, ran.batch), note))
    if rows:
        blocks.append(Facts("Accuracies", rows, unseen=True))
    else:
        blocks.append(Words(_unknown(known), "missing"))
    if known.gap is None:
        blocks.append(Words(known.no_gap or NO_GAP, "missing"))
    else:
        blocks += _gap(known.gap)
    return Section(NAME, TITLE, blocks)


NO_GAP = "For the gap waterfall give the graph and samples: --nir NET.NIR --input X.NPZ."


def _unknown(known: Known) -> str:
    if known.program is not None and not any(output.classes for output in known.program.outputs):
        return "The Program's outputs have no classes, so there is no accuracy; compile with --classes N to give them."
    return "For an accuracy give samples with labels: --input X.NPZ with an array 'labels'."


def _of_pictures(facts: Sequence[tuple[str, str, str]], painted: Painted) -> Section:
    rows = [row for row in (*facts, *error_rows(painted)) if "error" in row[0]]
    if not rows:
        return missing(NAME, PICTURED, *painted.missing)
    hint = "Of pixels in [-1, 1], over all images, channels and places. There is no gap waterfall of an autoencoder."
    return Section(NAME, PICTURED, [Facts("Mean squared errors", rows, unseen=True), Words(hint, "hint")])


def _gap(gap: Gap) -> list[Block]:
    stages, waterfall, layers = list(gap.stages.values()), waterfall_table(gap), layer_table(gap)
    with drawing():
        drawn = svg("waterfall", waterfall_figure(stages, gap.labelled, gap.reads_v))
    shown = [_value(stage, gap.labelled, gap.reads_v) for stage in stages]
    described = "; ".join(f"{stage.name} {value}" for stage, value in zip(stages, shown, strict=True))
    what = "Accuracy after each stage" if gap.labelled else "What differs after each stage"
    hint = "Each stage rounds more than the one before. The first is the graph in floats, the last the Program."
    picture = Picture(drawn, what, described, f"{what}, from the top. Hatched: lost; dotted: won.")
    columns = ("stage", *waterfall.columns[1:-1], "what it is")
    costs = Grid("What each stage costs", columns, waterfall.rows, words=("what it is",))
    blocks: list[Block] = [Words(hint, "hint"), Beside([picture, costs])]
    if layers.rows:
        blocks.append(Grid("Layer by layer, the Program against the folded network", layers.columns, layers.rows))
    return blocks


def waterfall_figure(stages: Sequence[Stage], labelled: bool, reads_v: bool) -> Figure:
    """A bar for each stage: what is right, and hatched what is lost or won since the stage before."""
    figure, panels = stack([0.2] * len(stages), ticks=False)
    before = stages[0]
    top = 1.0 if labelled else max(*(stage.difference(reads_v) for stage in stages), 1e-9)
    for axes, stage in zip(panels, stages, strict=True):
        now, was = (s.accuracy if labelled else s.difference(reads_v) for s in (stage, before))
        axes.barh([0], [top], height=1, align="edge", color=LINE, alpha=0.5, linewidth=0)
        axes.barh([0], [min(now, was)], height=1, align="edge", color=BLUE, linewidth=0)
        lost = (now < was) == labelled
        colour, hatch = (ORANGE, "///") if lost else (GREY, "...")
        axes.barh([0], [abs(now - was)], left=min(now, was), height=1, align="edge", color=colour, hatch=hatch)
        points = f" ({100 * (now - was):+.2f} points)" if labelled and stage is not before else ""
        caption(axes, stage.name, _value(stage, labelled, reads_v) + points)
        axes.set(xlim=(0, top), ylim=(0, 1))
        axes.set_axis_off()
        before = stage
    return figure


def _value(stage: Stage, labelled: bool, reads_v: bool) -> str:
    if labelled:
        return f"{stage.accuracy:.2%}"
    return f"{stage.difference(reads_v):.3%} {'error of v' if reads_v else 'of spikes differ'}"
