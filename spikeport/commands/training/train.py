"""`spikeport train`: a recipe on one or many processes, begun or taken up again, with logs and a report."""

import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from spikeport.atomic import check_writable
from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.report.training import write_training
from spikeport.commands.training.watching import Both, TensorBoard, bars, check_tensorboard
from spikeport.errors import OptionMisused, RunDiffers
from spikeport.lock import locked
from spikeport.train import (
    Epoch,
    Hooks,
    Saving,
    Watch,
    begin_run,
    check_unused,
    data_of,
    fit,
    load_recipe,
    make_fabric,
    model_of,
    save_weights,
    set_quantize,
)
from spikeport.train.data import DataSet
from spikeport.train.loop.checkpoint import NAME as CHECKPOINT
from spikeport.train.loop.checkpoint import read_table
from spikeport.train.loop.distributed import leave
from spikeport.train.loop.fit import Training
from spikeport.train.loop.history import LayerFigures, neurons
from spikeport.train.loop.tested import Confusion, Pictures
from spikeport.train.recipe import Recipe
from spikeport.train.report import TrainingReport, headline_rows

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class Options:
    """What the command line says besides the recipe. None of it changes what one process gives."""

    output: Path
    data: Path | None = None
    settings: Sequence[str] = ()
    """Over the recipe's, as `section.key=value`."""
    resume: bool = False
    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    checkpoint_minutes: float = 10.0
    checkpoint_steps: int = 0
    tensorboard: bool = False


def train(name: str | None, options: Options) -> Answer | None:
    """Trains a recipe and writes the run's folder; None in all processes but the first."""
    folder = options.output
    recipe = _resumed(name, options) if options.resume else _named(name, options)
    data = data_of(recipe, options.data)
    model = model_of(recipe, data)  # refuses bad options before a folder is made
    fabric = make_fabric(recipe.train.precision, options.accelerator, options.devices, options.nodes)
    if options.tensorboard:
        check_tensorboard()
    if not options.resume:
        check_unused(folder)
    fabric.launch()
    first = [LayerFigures(layer, 0.0, *figures) for layer, figures in neurons(model).items()]
    saving = Saving(folder, options.checkpoint_minutes, options.checkpoint_steps, options.resume)
    with ExitStack() as ours:
        training = _fit(model, data, recipe, fabric, saving, options, ours)
        history = training.state.history
        tested = training.objective.tested(data, fabric)
        leave(fabric)
        if not fabric.is_global_zero:
            return None
        set_quantize(model, recipe.train.quantized(recipe.train.epochs))
        save_weights(folder, model.cpu())
        kept = read_table(folder / CHECKPOINT)["best"].get("epoch", len(history))
        report = _report(recipe, history, first, tested, model, fabric, kept)
        write_training(folder / "report.html", report)
        return _answer(folder, data, report)


def run_recipe(recipe: Recipe, data: DataSet) -> tuple[nn.Module, list[Epoch]]:
    """The recipe's model, trained in this process, with progress shown; nothing is written."""
    model = model_of(recipe, data)
    with bars(recipe.name, recipe.train.epochs) as shown:
        return model, fit(model, data, recipe, hooks=Hooks(watch=shown))


def _named(name: str | None, options: Options) -> Recipe:
    if name is None:
        raise OptionMisused("train", "no recipe", do="name a TOML file or a shipped recipe; --resume needs none")
    return load_recipe(name, options.settings)


def _resumed(name: str | None, options: Options) -> Recipe:
    """The run's own recipe; one that is named, and settings, must say the same."""
    folder = options.output
    table = read_table(folder / CHECKPOINT)
    found = replace(load_recipe(str(folder / "recipe.toml")), name=table["recipe"])
    wanted = load_recipe(name or str(folder / "recipe.toml"), options.settings)
    differing = [
        f"{section}.{key}"
        for section, values in found.settings().items()
        for key in sorted(values.keys() | wanted.settings()[section].keys())
        if values.get(key) != wanted.settings()[section].get(key)
    ]
    if differing:
        do = "resume without them, or begin another run"
        raise RunDiffers(str(folder), "was begun with other settings", got=", ".join(differing), do=do)
    return found


def _fit(
    model: nn.Module,
    data: DataSet,
    recipe: Recipe,
    fabric: "Fabric",
    saving: Saving,
    options: Options,
    ours: ExitStack,
) -> Training:
    """The run, at its end; `ours` keeps others from its folder."""
    check = None
    if recipe.train.check != "none":
        from spikeport.commands.training.held_against import chip_check  # brings compiler and simulator

        check = partial(chip_check, image=data.test.images[:1], target=recipe.train.check)
    with ExitStack() as stack:
        watch = Watch()
        if fabric.is_global_zero:
            if recipe.train.select_on == "test":
                say("the test split is looked at after each epoch" + _selecting(recipe))
            done = read_table(saving.folder / CHECKPOINT)["epoch"] if saving.resume else 0
            board = [TensorBoard(saving.folder, done)] if options.tensorboard else []
            watch = Both(stack.enter_context(bars(recipe.name, recipe.train.epochs)), *board)
        training = Training(model, data, recipe, fabric, saving, Hooks(watch, check))
        if fabric.is_global_zero:  # whatever is wrong with the recipe has been said
            check_writable(saving.folder)
            ours.enter_context(locked(saving.folder))
            if not saving.resume:
                check_unused(saving.folder)
                begin_run(saving.folder, recipe)
        training.run()
    return training


def _selecting(recipe: Recipe) -> str:
    return ", and the best weights are chosen by it, as the papers do" if recipe.train.keep == "best" else ""


def _report(
    recipe: Recipe,
    history: list[Epoch],
    first: list[LayerFigures],
    tested: Confusion | Pictures,
    model: nn.Module,
    fabric: "Fabric",
    kept: int,
) -> TrainingReport:
    return TrainingReport(
        recipe,
        history,
        first,
        tested,
        sum(p.numel() for p in model.parameters() if p.requires_grad),
        kept,
        shlex.join(["spikeport", *sys.argv[1:]]),
        fabric.device.type,
        fabric.world_size,
    )


def _answer(folder: Path, data: DataSet, report: TrainingReport) -> Answer:
    history, recipe = report.history, report.recipe
    kept = history[report.kept - 1]
    assert report.tested is not None
    answer = {
        "run": str(folder),
        "recipe": recipe.name,
        "epochs": len(history),
        "epoch_kept": report.kept,
        "test_images": len(data.test),
        **report.tested.answer(recipe.paper),
        "selected_on": recipe.train.select_on,
        "loss": kept.loss,
        **{f"loss/{name}": value for name, value in kept.parts.items()},
        "rate": kept.rate,
        "sops": kept.sops,
        "parameters": report.parameters,
        "report": str(folder / "report.html"),
    }
    notes = [f"run written to {folder}, report: {folder / 'report.html'}"]
    if isinstance(report.tested, Confusion):
        notes.append(f"next: spikeport export {folder} -o net.nir")
    title = f"{recipe.name}, {len(data.test):,} test images"
    return Answer(answer, title, ("", "", ""), headline_rows(report), notes)
