"""`spikeport evaluate RUN`: what the papers measure of a generative model, beside what they published."""

import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spikeport.atomic import check_writable, replacing
from spikeport.commands.answer import Answer, Table
from spikeport.commands.autoencoders.energy import COLUMNS as ENERGY_COLUMNS
from spikeport.commands.autoencoders.energy import PricedTask, arithmetic_profile, energy_table, priced_tasks
from spikeport.commands.bars import say
from spikeport.errors import InputError, OptionMisused, PartMissing, UnknownName
from spikeport.progress import counted
from spikeport.train import load_run, set_quantize
from spikeport.train import measures as of
from spikeport.train.autoencoders import AnnVAE, Autoencoder, FadTraining, SpikingAutoencoder
from spikeport.train.data import DataSet, Split, centred
from spikeport.train.measures.evaluation import COLUMNS, LATENT, PARTS, Evaluation
from spikeport.train.measures.gallery import gallery
from spikeport.train.measures.inception import check_inception
from spikeport.train.measures.page import EnergyTable, EvaluationPage, write_evaluation

SCHEMA = "spikeport-evaluation/1"
COUNTED = 256
"""Images whose operations are counted."""
IN_RASTER = 4


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    run: Path
    output: Path | None = None
    """The run's folder if None."""
    data: Path | None = None
    fad: Path | None = None
    samples: int = of.SAMPLES
    images: int | None = None
    only: tuple[str, ...] = ()
    quantize: bool = True
    epochs: int = 200
    profile: str = "cmos45-fp32"
    seed: int = 0


@dataclass(frozen=True, eq=False)
class _Subject:
    """The model with the images that it is measured on."""

    model: Autoencoder
    data: DataSet
    images: Tensor
    asked: Asked

    @property
    def spiking(self) -> SpikingAutoencoder:
        assert isinstance(self.model, SpikingAutoencoder)
        return self.model


def evaluate(asked: Asked) -> Answer:
    """Measures a run and writes evaluation.json and evaluation.html.

    Raises:
        InputError: the run is no autoencoder's, or a part that was asked for cannot be measured. FileError: no run.
    """
    unknown = [part for part in asked.only if part not in PARTS]
    if unknown:
        raise UnknownName("evaluate", "only", got=unknown[0], relation="is not one of", limit=", ".join(PARTS))
    arithmetic_profile(asked.profile)  # before long work
    recipe, data, model = load_run(asked.run, asked.data)
    if not isinstance(model, Autoencoder) or isinstance(model, FadTraining):
        do = "give the run of an ESVAE, FSVAE or ANN VAE"
        raise PartMissing(str(asked.run), "model", got=recipe.model, relation="is", limit="not generative", do=do)
    set_quantize(model, asked.quantize)
    folder = asked.output or asked.run
    check_writable(folder)
    subject = _Subject(model, data, _images(data, data.test, asked.images), asked)
    found, skipped = _measured(subject)
    quantized = asked.quantize and isinstance(model, SpikingAutoencoder)
    name = asked.run.resolve().name
    evaluation = Evaluation(name, recipe.model, quantized, asked.seed, recipe.paper, **found, skipped=skipped)
    priced, table = _priced(evaluation, subject)
    raster = of.raster(subject.spiking, subject.images[:IN_RASTER], seed=asked.seed) if _is_spiking(model) else None
    sheets = gallery(model, subject.images, seed=asked.seed)
    page = EvaluationPage(evaluation, sheets, raster, table, shlex.join(["spikeport", *sys.argv[1:]]))
    data_out = {"schema": SCHEMA, "run": str(asked.run), **evaluation.to_json()}
    data_out |= {"energy": [one.to_json() for one in priced]} if priced else {}
    _write(folder, data_out, page)
    return _answer(evaluation, table, data_out, folder)


def _measured(subject: _Subject) -> tuple[dict[str, Any], tuple[str, ...]]:
    """By part; and what was left out, with the reason. A part that was named is measured or an error."""
    only = subject.asked.only
    found: dict[str, Any] = {}
    skipped = []
    for part in counted(only or PARTS, "evaluating", "measures"):
        try:
            _check(part, subject)
        except InputError as error:
            if only:
                raise
            skipped.append(f"{part}: {error}")
            continue
        say(f"measuring: {part}")
        found |= MEASURES[part](subject)
    return found, tuple(skipped)


def _check(part: str, subject: _Subject) -> None:
    """InputError for what this model, this call or this machine does not have."""
    if part in LATENT and not _is_spiking(subject.model):
        raise PartMissing("evaluate", part, relation="needs", limit="a spiking latent space")
    if part == "fad" and subject.asked.fad is None:
        raise OptionMisused("evaluate", "fad", relation="needs", limit="its autoencoder", do="give --fad RUN_OR_FILE")
    if part == "inception":
        check_inception()


def _reconstruction(subject: _Subject) -> dict[str, Any]:
    return {"reconstruction": of.reconstruction_error(subject.model, subject.images, seed=subject.asked.seed)}


def _fad(subject: _Subject) -> dict[str, Any]:
    asked = subject.asked
    assert asked.fad is not None
    network = of.read_fad_autoencoder(asked.fad)
    measured = of.fad(subject.model, network, subject.images, samples=asked.samples, seed=asked.seed)
    return {"fad": measured, "fad_network": str(asked.fad), "own_network": asked.fad.is_dir()}


def _inception(subject: _Subject) -> dict[str, Any]:
    images = of.generated(subject.model, subject.asked.samples, subject.asked.seed)
    real = subject.images.float() * subject.model.source.scale
    return {"inception": of.inception_measures(images, real)}


def _classification(subject: _Subject) -> dict[str, Any]:
    asked, data = subject.asked, subject.data
    train, test = (
        of.Labelled(_images(data, split, asked.images), torch.from_numpy(split.labels[: asked.images]).long())
        for split in (data.train, data.test)
    )
    course = of.Course(epochs=asked.epochs, seed=asked.seed)
    return {"classification": of.classification(subject.spiking, train, test, data.classes, course)}


def _energy(subject: _Subject) -> dict[str, Any]:
    images, seed = subject.images[:COUNTED], subject.asked.seed
    again = of.reconstruction_operations(subject.model, images, seed=seed)
    return {"energy": (again, of.generation_operations(subject.model, len(images), seed=seed))}


MEASURES: dict[str, Callable[[_Subject], dict[str, Any]]] = {
    "reconstruction": _reconstruction,
    "fad": _fad,
    "inception": _inception,
    "robustness": lambda s: {"robustness": of.robustness(s.spiking, s.images, seed=s.asked.seed)},
    "noise": lambda s: {"noise": of.noise_curve(s.spiking, s.images, seed=s.asked.seed)},
    "rates": lambda s: {"rates": of.firing_rates(s.spiking, s.images, seed=s.asked.seed)},
    "classification": _classification,
    "energy": _energy,
}


def _priced(evaluation: Evaluation, subject: _Subject) -> tuple[tuple[PricedTask, ...], EnergyTable | None]:
    """The energy beside that of the ANN of the same size."""
    model, profile = subject.model, arithmetic_profile(subject.asked.profile)
    if evaluation.energy is None or not isinstance(model, SpikingAutoencoder | AnnVAE):
        return (), None
    priced = priced_tasks(evaluation.energy, of.ann_operations(model.plan), profile)
    return priced, energy_table(priced, profile, evaluation.energy[0].samples)


def _is_spiking(model: Autoencoder) -> bool:
    return isinstance(model, SpikingAutoencoder)


def _images(data: DataSet, split: Split, most: int | None) -> Tensor:
    """The first images of a split, as the model takes them."""
    return torch.from_numpy(centred(data, split.images[:most]))


def _write(folder: Path, data: dict[str, Any], page: EvaluationPage) -> None:
    with replacing(folder / "evaluation.json") as name, open(name, "w", encoding="utf-8", newline="\n") as file:
        json.dump(data, file, indent=2)
        file.write("\n")
    write_evaluation(folder / "evaluation.html", page)


def _answer(evaluation: Evaluation, table: EnergyTable | None, data: dict[str, Any], folder: Path) -> Answer:
    notes = [f"not measured: {text}" for text in evaluation.skipped]
    notes.append(f"written to {folder / 'evaluation.json'} and {folder / 'evaluation.html'}")
    side = () if table is None else (Table("operations and energy of one image", ENERGY_COLUMNS, table.rows),)
    paper = "" if evaluation.paper is None else f"; published: {evaluation.paper.source}"
    title = f"{evaluation.name}, {evaluation.model} in {'integers' if evaluation.quantized else 'float'}{paper}"
    return Answer(data, title, COLUMNS, list(evaluation.rows()), notes, tables=side)
