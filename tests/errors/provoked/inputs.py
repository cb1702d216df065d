"""SP2..: arguments, arrays, options and recipes."""

from pathlib import Path

import numpy as np
import pytest

from spikeport.autoencoder import Pixels
from spikeport.commands.energy.energy import Asked, energy
from spikeport.commands.running.run import run
from spikeport.commands.samples import Samples
from spikeport.program_file import save_program
from spikeport.sim import Events, Session, simulate
from spikeport.sim.energy.estimate import chosen_prices
from tests.errors.provoked.small import SPIKES, program

Patch = pytest.MonkeyPatch


def sp200(patch: Patch) -> None:
    Session(program(), batch=0)


def sp201(patch: Patch) -> None:
    from spikeport.chip import chip_named

    chip_named("loihi3")


def sp202(patch: Patch) -> None:
    simulate(program(), np.ones((5, 2, 3), int))


def sp203(patch: Patch) -> None:
    simulate(program(), np.ones((5, 1, 2)))


def sp204(patch: Patch) -> None:
    simulate(program(), 2 * SPIKES)


def sp205(patch: Patch) -> None:
    from spikeport.program import Dense, Input

    inputs = (Input("x", (2,), "spike"), Input("z", (2,), "spike"))
    connections = (Dense("x", "g", np.zeros((3, 2), int)), Dense("z", "g", np.zeros((3, 2), int)))
    simulate(program(inputs=inputs, connections=connections), {"x": SPIKES, "z": SPIKES[:3]})


def sp206(patch: Patch) -> None:
    energy(Asked(Path("net.h5"), None))


def sp207(patch: Patch) -> None:
    from spikeport.commands.training.watching import check_tensorboard

    patch.setattr("importlib.util.find_spec", lambda name: None)
    check_tensorboard()


def sp208(patch: Patch) -> None:
    from spikeport.train.recipe import parse_recipe

    parse_recipe("r.toml", "[data]\n[model]\n[train]\n[optimiser]\n")


def sp209(patch: Patch) -> None:
    from spikeport.commands.training import train

    Path("run").mkdir()
    Path("run/recipe.toml").write_text(train.load_recipe("alif-mnist-fixed-tau25-vth20").text)
    patch.setattr(train, "read_table", lambda path: {"recipe": "recipe"})
    train._resumed(None, train.Options(Path("run"), settings=["train.epochs=3"]))


def sp210(patch: Patch) -> None:
    Samples(Path("x.npz"), {"x": SPIKES}, None).need_labels()


def sp211(patch: Patch) -> None:
    Events(steps=4, step=[0, 1], index=[1])


def sp212(patch: Patch) -> None:
    state = simulate(program(), SPIKES, flush=False).state
    simulate(program(), np.ones((4, 3, 2), int), state=state)


def sp213(patch: Patch) -> None:
    simulate(program(), SPIKES, engine="dense", profile="loihi1")


def sp214(patch: Patch) -> None:
    chosen_prices("cmos45-fp32", ann="loihi2-estimate")


def sp215(patch: Patch) -> None:
    save_program(program(), "net.h5")
    np.savez("x.npz", spikes=SPIKES, labels=np.zeros(1, int))
    run(Path("net.h5"), Path("x.npz"), Path("y.npz"), "sim", (), True, None)


def sp216(patch: Patch) -> None:
    Pixels(255, 0, 1 / 255)


def sp220(patch: Patch) -> None:
    from spikeport.train.data import load_data
    from spikeport.train.loop.fit import fit
    from spikeport.train.runs import model_of
    from tests.train.loop.test_fit import Poisoned, recipe

    data = load_data("digits")
    fit(Poisoned(model_of(recipe(), data)), data, recipe(epochs=1))


def sp221(patch: Patch) -> None:
    from spikeport.train.loop.distributed import make_fabric

    make_fabric(accelerator="cpu", precision="16")


def sp222(patch: Patch) -> None:
    import torch

    from spikeport.train import QuantConv2d

    QuantConv2d(1, 2, 3, padding=1, padding_mode="reflect")(torch.zeros(1, 1, 5, 5))


def sp223(patch: Patch) -> None:
    from torch import nn

    from spikeport.train import ALIF, QuantLinear, SpikingLayer

    SpikingLayer(QuantLinear(4, 2), ALIF(), nn.BatchNorm1d(2, track_running_stats=False))


def sp224(patch: Patch) -> None:
    from spikeport.train.models import Source, build_model

    build_model("resnet20", Source((3, 24, 24), 0, 255, 1 / 255), 10)


def sp225(patch: Patch) -> None:
    from spikeport.train.augment.augmentation import parse_augmentation

    parse_augmentation(["crop"])


def sp226(patch: Patch) -> None:
    from spikeport.train.measures.gaussians import gaussian_of

    gaussian_of([np.zeros((1, 4))])


def sp217(patch: Patch) -> None:
    from typer.main import get_command

    from spikeport.cli.app import app

    get_command(app).main(["run", "net.h5", "--inptu", "x.npz"], prog_name="spikeport")
