"""`spikeport train` and `spikeport export`."""

from pathlib import Path

import numpy as np
import torch

from spikeport.commands.answer import Answer, progress
from spikeport.commands.samples import check_file_writable, write_npz
from spikeport.errors import FileError
from spikeport.export import to_nir, write_nir
from spikeport.train import accuracy, fit, load_data, load_recipe, load_run, model_of, save_run, set_quantize
from spikeport.train.data import DataSet
from spikeport.train.loop import Epoch
from spikeport.train.recipe import Recipe


def train(recipe_name: str, folder: Path) -> Answer:
    """Trains a recipe and writes the run's folder."""
    recipe = load_recipe(recipe_name)
    data = load_data(recipe.data)
    model_of(recipe, data)  # refuses bad options before a folder is made
    check_writable(folder)
    model, history = run_recipe(recipe, data)
    save_run(folder, recipe, model, history)
    quantized = accuracy(model, data.test)
    set_quantize(model, False)
    figures = {"float_accuracy": accuracy(model, data.test), "quantized_accuracy": quantized}
    rows = [(name.replace("_", " "), f"{value:.2%}") for name, value in figures.items()]
    answer = {
        "run": str(folder),
        "recipe": recipe.name,
        "epochs": len(history),
        "test_images": len(data.test),
        **figures,
    }
    notes = (f"run written to {folder}", f"next: spikeport export {folder} -o net.nir")
    return Answer(answer, f"{recipe.name}, {len(data.test):,} test images", ("figure", "value"), rows, notes)


def run_recipe(recipe: Recipe, data: DataSet) -> tuple[torch.nn.Sequential, list[Epoch]]:
    """The recipe's model, trained, with progress shown."""
    model = model_of(recipe, data)
    with progress() as bar:
        task = bar.add_task(f"train {recipe.name}", total=recipe.epochs, info="")

        def step(epoch: Epoch) -> None:
            bar.update(task, advance=1, info=f"loss {epoch.loss:.4f}  accuracy {epoch.accuracy:.1%}")

        return model, fit(model, data.train, recipe, step)


def export(folder: Path, output: Path, samples: Path | None) -> Answer:
    """Writes a run's NIR graph, and its test images as an input file if asked for."""
    for path in (output, samples):
        if path is not None:
            check_file_writable(path)
    _, data, model = load_run(folder)
    image = torch.from_numpy(data.test.images[:1])
    graph = to_nir(model, image)
    write_nir(graph, output)
    answer = {"nir": str(output), "nodes": {name: type(node).__name__ for name, node in graph.nodes.items()}}
    notes = [f"{output} written"]
    if samples is not None:
        write_npz(samples, held_out(data, int(graph.metadata["spikeport"]["steps"])))
        notes.append(f"{samples} written: {len(data.test):,} test images and labels")
        answer["samples"] = str(samples)
    rows = [(name, type(node).__name__) for name, node in graph.nodes.items()]
    return Answer(answer, f"{output}", ("node", "type"), rows, [*notes, f"next: spikeport compile {output} -o net.h5"])


def held_out(data: DataSet, steps: int) -> dict[str, np.ndarray]:
    """The test split as the arrays of an input file: each image shown for `steps` steps."""
    images = data.test.images[:]
    return {"spikes": np.broadcast_to(images, (steps, *images.shape)), "labels": data.test.labels}


def check_writable(folder: Path) -> None:
    """Fails before long work rather than after it; a folder that was not there is left only if it can be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".spikeport-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        do = "choose a folder that you may write to"
        raise FileError(str(folder), "cannot be written", got=error.strerror, do=do) from error
