"""What there is to know of a training run: its course, and the Program that its network compiles to."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from spikeport.commands.bars import say
from spikeport.commands.mapping.design import mapped
from spikeport.commands.report.beside import beside_lava
from spikeport.commands.report.blocks import Stage
from spikeport.commands.report.confusion import counted
from spikeport.commands.report.known import Compared, Known
from spikeport.commands.report.observed import Observed
from spikeport.commands.report.of_autoencoder import images_of, of_autoencoder, tested
from spikeport.commands.report.of_program import (
    LAVA_SAMPLES,
    TARGET,
    Asked,
    gap_on,
    known_of,
    observe_first,
    sha256_of,
    spikes_stage,
)
from spikeport.commands.report.training import lede, training
from spikeport.commands.samples import Samples
from spikeport.commands.training.export import held_out
from spikeport.deploy.pipeline import Compiled, compiled
from spikeport.deploy.read import read_nir
from spikeport.errors import DeployError, ExportError, FileError, OptionMisused, OverflowDetected
from spikeport.export import to_nir, write_nir
from spikeport.program_file import save_program
from spikeport.train import load_run, model_of, predict, set_quantize
from spikeport.train.autoencoders import Autoencoder
from spikeport.train.data import DataSet
from spikeport.train.loop.checkpoint import NAME as CHECKPOINT
from spikeport.train.loop.checkpoint import read_table
from spikeport.train.loop.history import LayerFigures, neurons
from spikeport.train.loop.log import read_history
from spikeport.train.loop.tested import Confusion
from spikeport.train.recipe import Recipe
from spikeport.train.report import TrainingReport, headline_rows

IN_TRAINING = ("Firing rate", "Synaptic operations (SOPs)")
"""Of the training images; the Program's own are in the overview."""


@dataclass(frozen=True, eq=False)
class Made:
    """The run's network as `spikeport export` and `spikeport compile` make it."""

    found: Compiled
    samples: Samples
    nir_sha256: str
    program_sha256: str


def of_run(asked: Asked) -> Known:
    """Of a run's folder, on its own test images.

    Raises:
        FileError: not a run, or one that is not finished. InputError: options that are for Programs.
    """
    folder = asked.subject
    _refuse(asked)
    recipe, data, model = load_run(folder, asked.data)
    course = report_of(folder, recipe, data, model)
    if isinstance(model, Autoencoder):
        found, measured = tested(model, images_of(data, asked.samples))
        return of_autoencoder(asked, _known(asked, replace(course, tested=measured)), model, found, _chip(recipe))
    known = _known(asked, replace(course, tested=_tested(model, data, asked.samples)))
    try:
        made = _made(folder, recipe, data, model)
        return _with_program(known, made, asked, model, data)
    except (ExportError, DeployError, OverflowDetected) as error:
        return replace(known, no_program=f"The network has no Program that runs: {error}", no_gap="No Program, no gap.")


def _known(asked: Asked, report: TrainingReport) -> Known:
    """Of the run alone."""
    folder = asked.subject
    deployed = isinstance(report.tested, Confusion)
    return Known(
        str(folder),
        f"Training run: {folder.resolve().name}",
        lede(report),
        stages=list(_trained(folder)),
        facts=[row for row in headline_rows(report) if row[0] not in IN_TRAINING],
        training=training(replace(report, tested=None), ran_here=False),
        command=asked.command,
        commands=[
            ["spikeport", "train", folder / "recipe.toml", "-o", "run"],
            *[["spikeport", "export", "run", "-o", "net.nir"]] * deployed,
        ],
    )


def _with_program(known: Known, made: Made, asked: Asked, model: nn.Module, data: DataSet) -> Known:
    found = mapped(made.found.program, made.found.program.chip)
    ran = observe_first(found, made.samples, asked.samples)
    of_program = known_of(found, ran, known.subject, known.title)
    say("measuring what each stage of the compilation costs")
    compared = [_beside_torch(model, data, ran)]
    if asked.verify:
        compared.append(beside_lava(made.found.program, ran.samples.first(LAVA_SAMPLES)))
    stages = [
        *known.stages,
        Stage("export", "net.nir, as 'spikeport export' writes it", made.nir_sha256),
        Stage("compile", "net.h5, as 'spikeport compile' writes it", made.program_sha256),
        Stage("input", f"{ran.batch:,} of the {len(data.test):,} test images"),
        spikes_stage(ran),
    ]
    told = ["--target", made.found.program.chip] * (made.found.program.chip != TARGET)
    return replace(
        of_program,
        lede=f"{known.lede} {of_program.lede}",
        stages=stages,
        gap=gap_on(made.found, ran),
        facts=known.facts,
        training=known.training,
        compared=compared,
        command=known.command,
        commands=[*known.commands, ["spikeport", "compile", "net.nir", *told, "-o", "net.h5"]],
    )


def _refuse(asked: Asked) -> None:
    folder = asked.subject
    given = [f"--{name}" for name in ("input", "run", "nir") if getattr(asked, name) is not None]
    if given:
        do = "leave it out: a run has its own test images"
        raise OptionMisused(
            str(folder), "options", got=", ".join(given), relation="do not apply to", limit="a run", do=do
        )


def report_of(folder: Path, recipe: Recipe, data: DataSet, model: nn.Module) -> TrainingReport:
    """What a run's folder tells of its course; it is not tested again."""
    history = read_history(folder)
    first = [LayerFigures(name, 0.0, *figures) for name, figures in neurons(model_of(recipe, data)).items()]
    names = [layer.name for layer in first]
    if not history or any([layer.name for layer in epoch.layers] != names for epoch in history):
        raise FileError(str(folder / "history.json"), "is not the history of this run", do="train it again")
    kept = len(history)
    if (folder / CHECKPOINT).is_file():
        kept = read_table(folder / CHECKPOINT)["best"].get("epoch", kept)
        kept = kept if 1 <= kept <= len(history) else len(history)
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return TrainingReport(recipe, history, first, None, parameters, kept)


def _tested(model: nn.Module, data: DataSet, count: int) -> Confusion:
    """On the first `count` test images, all if 0; with weights as they are, and on the chip's grid."""
    images = data.test.images[: count or None]
    labels = data.test.labels[: count or None]
    set_quantize(model, False)
    floating = predict(model, images)
    right = float((floating == labels).mean())
    set_quantize(model, True)
    try:
        quantized = predict(model, images)
    except (OverflowDetected, ExportError):  # the integers overflow, or are none of a chip
        return Confusion(counted(floating, labels, data.classes), right, None)
    return Confusion(counted(quantized, labels, data.classes), right, float((quantized == labels).mean()))


def _made(folder: Path, recipe: Recipe, data: DataSet, model: nn.Module) -> Made:
    graph = to_nir(model, torch.from_numpy(data.test.images[:1]))
    with tempfile.TemporaryDirectory() as name:
        nir, net = Path(name) / "net.nir", Path(name) / "net.h5"
        write_nir(graph, nir)
        found = compiled(read_nir(nir), _chip(recipe))
        save_program(found.program, net)
        hashes = sha256_of(nir), sha256_of(net)
    arrays = held_out(data, int(graph.metadata["spikeport"]["steps"]))
    samples = Samples(
        Path(f"the test images of {recipe.data}"), {found.program.inputs[0].name: arrays["spikes"]}, arrays["labels"]
    )
    return Made(found, samples, *hashes)


def _chip(recipe: Recipe) -> str:
    return TARGET if recipe.train.check == "none" else recipe.train.check


def _beside_torch(model: nn.Module, data: DataSet, ran: Observed) -> Compared:
    """Answers of torch's eval mode on the chip's grid, sample by sample."""
    assert ran.answers is not None
    answers = predict(model, data.test.images[: ran.batch])
    differing = int(np.count_nonzero(answers != ran.answers))
    return Compared("torch", "the class of each test image, in eval mode", ran.batch, differing)


def _trained(folder: Path) -> Iterator[Stage]:
    yield Stage("recipe", "recipe.toml", sha256_of(folder / "recipe.toml"))
    yield Stage("train", "weights.pt", sha256_of(folder / "weights.pt"))
