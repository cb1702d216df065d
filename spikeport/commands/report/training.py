"""How a network was trained: curves, neurons over the epochs and by depth, recipe and environment."""

import os
from collections.abc import Iterator

from spikeport.commands.report.blocks import Beside, Block, Code, Facts, Grid, Picture, Section, Words
from spikeport.commands.report.confusion import confusion_section
from spikeport.commands.report.page import write_page
from spikeport.commands.report.reproduce import reproduce
from spikeport.page import drawing, svg
from spikeport.train.loop.tested import Confusion, Pictures
from spikeport.train.report import (
    COLUMNS,
    TrainingReport,
    curves_figure,
    depth_figure,
    environment,
    headline_rows,
    layer_rows,
    neurons_figure,
    pictures_figure,
)

TRAINING = (("training", "var(--blue)"),)
TRAINED = (("trained", "var(--blue)"), ("before training", "var(--grey)"))


def training(report: TrainingReport, ran_here: bool = True) -> list[Section]:
    """
    Args:
        ran_here: Whether the environment is the one that it was trained in.
    """
    course = Section("training", "Course of training", list(_course(report)))
    recipe: list[Block] = [Code(report.recipe.text.strip())]
    if ran_here:
        recipe.append(Facts("Environment", [(name, value, "") for name, value in environment(report)]))
    found = [course, Section("recipe", "Recipe", recipe)]
    if isinstance(report.tested, Pictures):
        found.insert(1, _pictures(report, report.tested))
    return found


def write_training(path: str | os.PathLike[str], report: TrainingReport) -> None:
    """The page that a run leaves in its folder; `spikeport report RUN` adds the Program that it compiles to."""
    write_page(path, f"Training run: {report.recipe.name}", lede(report), training_sections(report))


def training_sections(report: TrainingReport) -> list[Section]:
    """Of that page."""
    rows = headline_rows(report)
    found = [Section("overview", "Overview", [Facts("The most important figures", rows, unseen=True)])]
    found += training(report)
    if isinstance(report.tested, Confusion):
        found.append(confusion_section(report.tested.counts, "answers with integer weights"))
    return [*found, reproduce(report.command)]


def lede(report: TrainingReport) -> str:
    recipe, course, epochs = report.recipe, report.recipe.train, len(report.history)
    return (
        f"{recipe.model} on {recipe.data}, {epochs} epoch{'' if epochs == 1 else 's'} of batches of {course.batch}, "
        f"{course.optimizer}, {course.schedule} schedule, precision {course.precision}, seed {course.seed}."
    )


def _course(report: TrainingReport) -> Iterator[Block]:
    yield Words("Means over the training images of an epoch, as they were seen.", "hint")
    last = report.history[-1]
    with drawing():
        curves = svg("curves", curves_figure(report))
    shown = ", ".join(f"{name} {value:.4g}" for name, value in last.figures().items())
    chosen = report.recipe.train.select_on
    keys = [*TRAINING, (f"{chosen}, quantized as in training", "var(--orange)")] if last.selected is not None else ()
    title = f"Loss, its parts or accuracy, firing rate, SOPs and learning rate over {len(report.history)} epochs"
    pictures: list[Block] = [Picture(curves, title, f"At the end: {shown}", keys=keys)]
    if not report.first:  # an ANN has no neurons with a state
        yield from pictures
        return
    with drawing():
        neurons, depth = svg("neurons", neurons_figure(report)), svg("depth", depth_figure(report))
    rows = layer_rows(report)
    ends = "; ".join(f"{name}: gain {gain}, decay {keep}, threshold {vth}" for name, _, gain, keep, vth in rows)
    about = (
        "One learnable set per layer: gain on the input (α of DA-LIF), what a step keeps of the membrane (β, or τ of "
        "ALIF), threshold; over the epochs."
    )
    pictures.append(Picture(neurons, "Gain, decay and threshold of each layer over the epochs", ends, about))
    by_depth = "The same of the weights that were kept, from the first layer to the last."
    at_end = Picture(depth, "Gain, decay and threshold at the end by layer", ends, by_depth, TRAINED)
    yield Beside(pictures)
    yield Beside([at_end, Grid("Rate in training, and neurons, of the epoch that was kept", COLUMNS, rows)])


def _pictures(report: TrainingReport, tested: Pictures) -> Section:
    with drawing():
        drawn = svg("pictures", pictures_figure(tested))
    text = "Test images above, their reconstructions below"
    text += ", with integer weights" * (tested.quantized is not None)
    text += "; last what the prior generates" * bool(len(tested.generated))
    picture = Picture(drawn, f"{len(tested.originals)} test images and their reconstructions", text)
    return Section("pictures", "Pictures", [Words(f"{text}.", "hint"), picture])
