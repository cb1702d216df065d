"""The networks that mappings are compared on: those of the shipped recipes, untrained, and lava-dl's, each run once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from spikeport.commands.autoencoders.compile import deployed
from spikeport.commands.conformance.pilotnet import one_inference
from spikeport.commands.conformance.recordings import Recordings, open_recordings
from spikeport.deploy import compile_graph
from spikeport.deploy.netx import read_netx
from spikeport.export import to_nir
from spikeport.program import Input, Program
from spikeport.sim import Result, simulate
from spikeport.train import load_recipe, shipped_recipes
from spikeport.train.autoencoders import build_autoencoder, pixels
from spikeport.train.autoencoders.noise import Noise
from spikeport.train.data.catalogue import ENTRIES
from spikeport.train.models import MODELS, Source, build_model
from spikeport.train.recipe import Recipe

PARTS = {"esvae": ("encoder", "decoder"), "fsvae": ("decoder",)}
"""Of autoencoders with neurons, what is deployed."""
LIKE = ("steps", "tau", "threshold", "learn", "squash", "alpha", "beta", "surrogate", "surrogate_width", "neuron",
        "weight", "candidates", "distance", "dropout")  # fmt: skip
"""Options of models that change no shape."""
LAVA_DL = ("ntidigits", "pilotnet_lif", "pilotnet_sdnn", "mnist", "tiny")
FILES = {
    "ntidigits": "gts/ntidigits/ntidigits.net",
    "pilotnet_sdnn": "gts/pilotnet_sdnn/network.net",
    "mnist": "mnist.net",
    "tiny": "tiny.net",
}
STEPS = 16
"""Of a run of lava-dl's."""
RATE = 0.1
"""Of spikes that enter a network."""
PAYLOAD = 4
"""The largest of those that enter one of lava-dl's."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A network and a run of one sample."""

    name: str
    program: Program
    result: Result


def names() -> tuple[str, ...]:
    """Of networks of different shapes: recipes, the first of those that are alike, then lava-dl's."""
    found: dict[str, tuple[str, ...]] = {}
    for name in shipped_recipes():
        recipe = load_recipe(name)
        if recipe.model in MODELS:
            found.setdefault(_shape_of(recipe), (name,))
        elif recipe.model in PARTS:
            found.setdefault(_shape_of(recipe), tuple(f"{name}/{part}" for part in PARTS[recipe.model]))
    return (*(name for part in found.values() for name in part), *(f"lava-dl/{name}" for name in LAVA_DL))


def sample(name: str, wheel: Path | None = None) -> Sample:
    """Builds one of them and runs it on random pixels or spikes; PilotNet on its recorded image.

    Raises:
        FileError: lava-dl's release cannot be had.
    """
    rng = np.random.default_rng(0)
    if name.startswith("lava-dl/"):
        program, x = _lava_dl(name.removeprefix("lava-dl/"), open_recordings(wheel), rng)
    else:
        recipe = load_recipe(name.partition("/")[0])
        program = _program(recipe, name.partition("/")[2])
        x = {i.name: _values(i, int(recipe.model_options["steps"]), rng) for i in program.inputs}
    return Sample(name, program, simulate(program, x))


def _shape_of(recipe: Recipe) -> str:
    options = {key: value for key, value in recipe.model_options.items() if key not in LIKE}
    return repr((recipe.model, *_source(recipe), sorted(options.items())))


def _source(recipe: Recipe) -> tuple[tuple[int, int, int], int]:
    entry = ENTRIES[recipe.data]
    channels, rows, columns = entry.shape
    pad = 2 * int(recipe.data_options.get("pad", 0))
    size = recipe.data_options.get("size")
    shape = (channels, int(size or rows + pad), int(size or columns + pad))
    return shape, entry.classes


def _program(recipe: Recipe, part: str) -> Program:
    torch.manual_seed(0)
    shape, classes = _source(recipe)
    options: dict[str, Any] = dict(recipe.model_options)
    images = torch.randint(0, 256, (2, *shape))
    if not part:
        model = build_model(recipe.model, Source(shape), classes, **options)
        _measure(model, images)
        return compile_graph(to_nir(model.eval(), images[:1]))
    autoencoder = build_autoencoder(recipe.model, pixels(shape), **options)
    _measure(autoencoder, 2 * images - 255, Noise.draw(autoencoder, len(images), 0))
    return deployed(autoencoder.eval(), part="decoder" if part == "decoder" else "all").programs[part]


def _measure(model: nn.Module, *given: object) -> None:
    """Gives the norms the statistics of random images, and biases with which all layers fire."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            module.momentum = 1.0
            nn.init.normal_(module.bias, 0.3, 0.3)
    with torch.no_grad():
        model.train()(*given)


def _lava_dl(name: str, recordings: Recordings, rng: np.random.Generator) -> tuple[Program, Mapping[str, Any]]:
    if name == "pilotnet_lif":
        return one_inference(recordings)
    program = read_netx(recordings.file(FILES[name]))
    return program, {i.name: _values(i, STEPS, rng) for i in program.inputs}


def _values(entry: Input, steps: int, rng: np.random.Generator) -> np.ndarray:
    """`(steps, 1, *shape)`: an image that stays, or spikes."""
    if entry.kind == "bias":
        image = rng.integers(entry.low, entry.high + 1, (1, 1, *entry.shape))
        return np.repeat(image, steps, axis=0)
    spikes = rng.random((steps, 1, *entry.shape)) < RATE
    return spikes.astype(np.uint8) if entry.kind == "spike" else spikes * rng.integers(1, PAYLOAD + 1, spikes.shape)
