"""Which classes the network takes for which."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spikeport.commands.report.blocks import Beside, Grid, Picture, Section, Words, missing
from spikeport.commands.report.known import number
from spikeport.commands.report.observed import Observed
from spikeport.page import BITMAP_RGB, LINE, drawing, svg

NAME, TITLE = "confusion", "Confusion matrix"
DEEPEST = 0.75
"""Of a cell's colour: any more, and no number could be read on it in one of the themes."""
NUMBERED = 12
"""Classes up to which a matrix shows its counts."""
LISTED = 8


def confusion(ran: Observed | None) -> Section:
    if ran is None or ran.samples.labels is None:
        return missing(NAME, TITLE, "For a confusion matrix give samples with labels: --input X.NPZ with 'labels'.")
    if ran.answers is None:
        return missing(NAME, TITLE, "The Program's outputs have no classes; compile with --classes N to give them.")
    labels = ran.samples.labels
    counts = counted(ran.answers, labels, ran.classes)
    outside = len(labels) - int(counts.sum())
    left = f" {outside:,} more have a label that is none of the {ran.classes:,} classes, and are left out."
    return confusion_section(counts, "the Program's answers", left if outside else "")


def counted(answers: NDArray[np.int64], labels: NDArray[np.integer], classes: int) -> NDArray[np.int64]:
    """`(classes, classes)`, true class by answer, of the samples whose label is a class."""
    known = (labels >= 0) & (labels < classes)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels[known].astype(np.int64), answers[known]), 1)
    return counts


def confusion_section(counts: NDArray[np.int64], whose: str, left: str = "") -> Section:
    with drawing():
        drawn = svg("confusion", confusion_figure(counts))
    right, total = int(np.trace(counts)), int(counts.sum())
    described = f"{right:,} of {total:,} samples are on the diagonal. " + "; ".join(_mistakes(counts)) + "."
    hint = f"True class by answer, {whose} on {number(total, 'sample')}.{left}"
    hint += " The colour is the root of the share of a class's samples."
    rows = list(_table(counts))
    picture = Picture(drawn, f"Confusion matrix of {len(counts):,} classes", described)
    mistakes = Grid("The most frequent mistakes", ("class, taken for", "samples"), rows)
    beside = mistakes if rows else Words("No sample was taken for another class.")
    return Section(NAME, TITLE, [Words(hint, "hint"), Beside([picture, beside])])


def _mistakes(counts: NDArray[np.int64]) -> Iterator[str]:
    found = list(_table(counts))
    yield from (f"{name}: {count}" for name, count in found)
    if not found:
        yield "No mistakes"


def _table(counts: NDArray[np.int64]) -> Iterator[tuple[str, str]]:
    """The largest off the diagonal; of equals the first."""
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    for place in np.argsort(-wrong.ravel(), kind="stable")[:LISTED].tolist():
        row, column = divmod(place, len(counts))
        if wrong[row, column]:
            yield f"{row}, taken for {column}", f"{wrong[row, column]:,} of {counts[row].sum():,}"


def confusion_figure(counts: NDArray[np.int64]) -> Figure:
    """Rows are the true class; the colour is the share of its samples."""
    classes = len(counts)
    figure = Figure(figsize=(4.6, 4.6))
    axes = figure.add_axes((0.09, 0.09, 0.9, 0.9))
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    rgb = np.broadcast_to(BITMAP_RGB, (*share.shape, 3))
    axes.imshow(np.concatenate([rgb, DEEPEST * np.sqrt(share)[..., None]], axis=2), interpolation="none")
    if classes <= NUMBERED:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=8)
        axes.set(xticks=range(classes), yticks=range(classes))
        for edge in np.arange(classes + 1) - 0.5:
            axes.axhline(edge, color=LINE, linewidth=0.6)
            axes.axvline(edge, color=LINE, linewidth=0.6)
        axes.set(xlim=(-0.5, classes - 0.5), ylim=(classes - 0.5, -0.5))
    axes.tick_params(length=0, labelsize=8)
    axes.set_xlabel("answer")
    axes.set_ylabel("class")
    return figure
