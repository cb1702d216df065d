"""`spikeport demo`: the whole way on real handwritten digits, every equality checked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from spikeport.atomic import check_writable
from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.mapping.design import mapped
from spikeport.commands.report.beside import beside_lava
from spikeport.commands.report.blocks import Stage
from spikeport.commands.report.known import Compared, Known, share
from spikeport.commands.report.observed import Observed
from spikeport.commands.report.of_program import gap_on, known_of, observe_first, sha256_of, spikes_stage
from spikeport.commands.report.of_run import report_of
from spikeport.commands.report.overview import overview_rows
from spikeport.commands.report.report import written
from spikeport.commands.report.training import training
from spikeport.commands.samples import Samples, read_samples, write_npz
from spikeport.commands.training.export import held_out
from spikeport.commands.training.train import run_recipe
from spikeport.deploy.pipeline import Compiled, compiled
from spikeport.deploy.read import read_nir
from spikeport.export import to_nir, write_nir
from spikeport.program import Program
from spikeport.program_file import save_program
from spikeport.sim import simulate
from spikeport.train import SpikingLayer, load_data, load_recipe, predict, save_run, set_quantize
from spikeport.train.data import DataSet
from spikeport.train.recipe import Recipe

RECIPE = "digits"
TITLE = "Handwritten digits, from PyTorch to Loihi 2"
LAVA_SAMPLES = 20
LAVA_TIMEOUT_S = 120.0


@dataclass(frozen=True, eq=False)
class Trained:
    """What torch says of the held-out images."""

    recipe: Recipe
    model: nn.Module
    float_right: int
    answers: np.ndarray
    """Class of each held-out image in eval mode, quantized."""


def demo(folder: Path) -> Answer:
    """Trains, exports, compiles, simulates, compares with Lava, counts, reports. Exit 1 if an equality fails."""
    check_writable(folder)
    torch.set_num_threads(1)  # quicker for so small a network, and the same figures on every machine
    recipe, data = load_recipe(RECIPE), load_data("digits")
    trained = _train(folder, data)
    found = _compile(folder, trained.model, data)
    write_npz(folder / "digits.npz", held_out(data, int(recipe.model_options["steps"])))
    samples = read_samples(folder / "digits.npz", found.program)
    say(f"simulating {len(data.test)} held-out digits")
    ran = observe_first(mapped(found.program, found.program.chip), samples, 0)
    layers = _layer_differences(trained.model, found.program, samples, data)
    lava = beside_lava(found.program, samples.first(LAVA_SAMPLES), timeout_s=LAVA_TIMEOUT_S)
    known = _known(folder, found, ran, trained, data, (layers, lava))
    written(folder / "report.html", known)
    assert ran.right is not None
    same = bool(np.array_equal(ran.answers, trained.answers)) and layers.differing == 0  # type: ignore[arg-type]
    figures = {
        "float_accuracy": trained.float_right / len(data.test),
        "quantized_accuracy": float((trained.answers == data.test.labels).mean()),
        "simulator_accuracy": ran.right / ran.batch,
        "torch_spikes_compared": layers.values,
        "torch_spikes_differing": layers.differing,
        "lava_compared": lava.values,
        "lava_differing": lava.differing,
        "lava_note": lava.missing,
        "counts": ran.counts.to_json(),
        "report": str(folder / "report.html"),
    }
    notes = (
        f"report: {folder / 'report.html'}",
        f"try: spikeport verify {folder}/net.h5 --input {folder}/digits.npz --samples 3",
    )
    title, failed = "spikeport demo: 397 held-out handwritten digits", not same or lava.differing > 0
    return Answer(figures, title, ("", "", ""), overview_rows(known), notes, exit_code=int(failed))


def _train(folder: Path, data: DataSet) -> Trained:
    recipe = load_recipe(RECIPE)
    say(f"training {recipe.name}: {len(data.train)} images, {recipe.train.epochs} epochs")
    model, history = run_recipe(recipe, data)
    save_run(folder / "run", recipe, model, history)
    set_quantize(model, False)
    float_right = int((predict(model, data.test.images) == data.test.labels).sum())
    set_quantize(model, True)
    return Trained(recipe, model, float_right, predict(model, data.test.images))


def _compile(folder: Path, model: nn.Module, data: DataSet) -> Compiled:
    say("exporting to NIR and compiling for Loihi 2")
    write_nir(to_nir(model, torch.from_numpy(data.test.images[:1])), folder / "net.nir")
    found = compiled(read_nir(folder / "net.nir"), "loihi2")
    save_program(found.program, folder / "net.h5")
    return found


def _layer_differences(model: nn.Module, program: Program, samples: Samples, data: DataSet) -> Compared:
    """Spikes of torch's eval mode against the simulator's: every layer, neuron, step and image."""
    traces = simulate(program, dict(samples.inputs), record=[g.name for g in program.groups]).traces
    differing = values = 0
    x = torch.from_numpy(data.test.images[:])
    groups = iter(program.groups)
    with torch.no_grad():
        for layer in model.children():
            x = layer(x)
            if isinstance(layer, SpikingLayer):
                group = next(groups)
                start = group.reset_offset - 1
                s = traces[group.name].s[start : start + len(x)]
                differing += int((s != x.numpy()).sum())
                values += s.size
    return Compared(
        "torch", "every spike of every layer, at every step of every image, in eval mode", values, differing
    )


def _known(
    folder: Path, found: Compiled, ran: Observed, trained: Trained, data: DataSet, compared: Sequence[Compared]
) -> Known:
    total, labels = len(data.test), data.test.labels
    say("measuring what each stage of the compilation costs")
    named = (("train", "run/weights.pt"), ("export", "net.nir"), ("compile", "net.h5"), ("input", "digits.npz"))
    known = known_of(mapped(found.program, found.program.chip), ran, str(folder), TITLE)
    return replace(
        known,
        stages=[*(Stage(name, made, sha256_of(folder / made)) for name, made in named), spikes_stage(ran)],
        gap=gap_on(found, ran),
        facts=[
            ("Float accuracy", share(trained.float_right, total), "as trained"),
            ("Quantized accuracy", share(int((trained.answers == labels).sum()), total), "torch, integer weights"),
        ],
        compared=compared,
        training=training(report_of(folder / "run", trained.recipe, data, trained.model), ran_here=False),
        command=f"spikeport demo -o {folder}",
    )
