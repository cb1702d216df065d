"""`spikeport demo`: the whole way on real handwritten digits, every equality checked."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from spikeport.atomic import check_writable
from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.compiling.compile import compile_file
from spikeport.commands.running.run import compare_with_lava
from spikeport.commands.samples import write_npz
from spikeport.commands.training.export import held_out
from spikeport.commands.training.train import run_recipe
from spikeport.errors import LavaMissing
from spikeport.export import to_nir, write_nir
from spikeport.program import Program
from spikeport.program_file import load_program
from spikeport.sim import Result, count_operations, estimate_energy, simulate, vote
from spikeport.sim.report import Accuracy, LavaCheck, ReportData, Stage, headline_rows, write_report
from spikeport.train import SpikingLayer, load_data, load_recipe, predict, save_run, set_quantize
from spikeport.train.data import DataSet

RECIPE = "digits"
LAVA_SAMPLES = 20
LAVA_TIMEOUT_S = 120.0


@dataclass(frozen=True, eq=False)
class Trained:
    """What torch says of the held-out images."""

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
    program = _compile(folder, trained.model, data)
    steps = int(recipe.model_options["steps"])
    arrays = held_out(data, steps)
    write_npz(folder / "digits.npz", arrays)
    say(f"simulating {len(data.test)} held-out digits")
    result = simulate(program, arrays["spikes"], record=[g.name for g in program.groups])
    answers = vote(result.counts(), data.classes)
    differing, compared = _layer_differences(trained.model, program, result, data)
    lava = _lava(program, arrays["spikes"][:, :LAVA_SAMPLES])
    report = _report(folder, program, result, trained, answers, data, lava)
    write_report(folder / "report.html", report)
    same = bool(np.array_equal(answers, trained.answers)) and differing == 0
    rows = [(name, value, note) for name, value, note in headline_rows(report)]
    rows.insert(
        3, ("torch eval = simulator", f"{differing:,} of {compared:,} spikes differ", "every layer, every step")
    )
    accuracy = float((answers == data.test.labels).mean())
    figures = {
        "float_accuracy": trained.float_right / len(data.test),
        "quantized_accuracy": float((trained.answers == data.test.labels).mean()),
        "simulator_accuracy": accuracy,
        "torch_spikes_compared": compared,
        "torch_spikes_differing": differing,
        "lava_compared": lava.compared,
        "lava_differing": lava.differing,
        "lava_note": lava.reason if not lava.compared else "",
        "counts": report.counts.to_json(),
        "report": str(folder / "report.html"),
    }
    failed = not same or lava.differing > 0
    notes = (
        f"report: {folder / 'report.html'}",
        f"try: spikeport verify {folder}/net.h5 --input {folder}/digits.npz --samples 3",
    )
    return Answer(
        figures, "spikeport demo: 397 held-out handwritten digits", ("", "", ""), rows, notes, exit_code=int(failed)
    )


def _train(folder: Path, data: DataSet) -> Trained:
    recipe = load_recipe(RECIPE)
    say(f"training {recipe.name}: {len(data.train)} images, {recipe.train.epochs} epochs")
    model, history = run_recipe(recipe, data)
    save_run(folder / "run", recipe, model, history)
    set_quantize(model, False)
    float_right = int((predict(model, data.test.images) == data.test.labels).sum())
    set_quantize(model, True)
    return Trained(model, float_right, predict(model, data.test.images))


def _compile(folder: Path, model: nn.Module, data: DataSet) -> Program:
    say("exporting to NIR and compiling for Loihi 2")
    write_nir(to_nir(model, torch.from_numpy(data.test.images[:1])), folder / "net.nir")
    compile_file(folder / "net.nir", folder / "net.h5", "loihi2", {})
    return load_program(folder / "net.h5")


def _layer_differences(model: nn.Module, program: Program, result: Result, data: DataSet) -> tuple[int, int]:
    """Spikes of torch's eval mode against the simulator's: every layer, neuron, step and image."""
    differing = compared = 0
    x = torch.from_numpy(data.test.images[:])
    groups = iter(program.groups)
    with torch.no_grad():
        for layer in model.children():
            x = layer(x)
            if isinstance(layer, SpikingLayer):
                group = next(groups)
                start = group.reset_offset - 1
                s = result.traces[group.name].s[start : start + len(x)]
                differing += int((s != x.numpy()).sum())
                compared += s.size
    return differing, compared


def _lava(program: Program, spikes: np.ndarray) -> LavaCheck:
    try:
        ran, comparison = compare_with_lava(program, {program.inputs[0].name: spikes}, "models", LAVA_TIMEOUT_S)
    except LavaMissing as error:
        return LavaCheck(reason=str(error))
    say(ran.describe())
    if comparison.first is not None:
        say(f"first difference: {comparison.first} (simulator, Lava)")
    return LavaCheck(comparison.values, comparison.differing, reason="")


def _report(
    folder: Path,
    program: Program,
    result: Result,
    trained: Trained,
    answers: np.ndarray,
    data: DataSet,
    lava: LavaCheck,
) -> ReportData:
    counts = count_operations(program, result)
    total, labels = len(data.test), data.test.labels
    return ReportData(
        title="Handwritten digits, from PyTorch to Loihi 2",
        program=program,
        result=result,
        counts=counts,
        energies=(estimate_energy(counts, "cmos45-fp32"), estimate_energy(counts, "cmos45-int8")),
        lava=lava,
        float_accuracy=Accuracy(trained.float_right, total),
        quantized_accuracy=Accuracy(int((trained.answers == labels).sum()), total),
        simulator_accuracy=Accuracy(int((answers == labels).sum()), total),
        stages=_stages(folder),
        sample_note=f"A {labels[0]}; the network answers {answers[0]}.",
        image=data.test.images[:1][0],
        command=f"spikeport demo -o {folder}",
    )


def _stages(folder: Path) -> tuple[Stage, ...]:
    named = (("train", "run/weights.pt"), ("export", "net.nir"), ("compile", "net.h5"), ("input", "digits.npz"))
    return tuple(Stage(name, made, hashlib.sha256((folder / made).read_bytes()).hexdigest()) for name, made in named)
