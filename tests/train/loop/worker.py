"""Trains a small network, as one of the processes that torchrun starts; the first one writes what came out.

python -m torch.distributed.run ... tests/train/loop/worker.py OUT PRECISION KIND

KIND is none or norm, of a classifier, or the name of an autoencoder.
"""

import json
import sys

import numpy as np
import small_autoencoders  # beside this script
import torch
from torch import nn

from spikeport.train import (
    ALIF,
    Image,
    QuantConv2d,
    QuantLinear,
    SpikingLayer,
    Train,
    Vote,
    data_of,
    fit,
    make_fabric,
    model_of,
)
from spikeport.train.data import DataSet, Split
from spikeport.train.loop.distributed import leave
from spikeport.train.recipe import Recipe
from spikeport.train.settings import Loss


def recipe(precision: str) -> Recipe:
    """30 samples in batches of 9, 9, 9 and 3: no batch of them divides by two."""
    train = Train(2, 9, 1e-2, 0, precision=precision, weight_decay=1e-3, grad_clip=0.5, select_on="test")
    return Recipe("parts", "", "none", {}, (), "none", {}, train, Loss(sops=0.1, sops_target=50.0, limits=0.1))


def network(norm: bool, precision: str) -> nn.Sequential:
    torch.manual_seed(0)
    norms = (nn.BatchNorm2d(3), nn.BatchNorm1d(6)) if norm else (None, None)
    net = nn.Sequential(
        SpikingLayer(QuantConv2d(1, 3, 3), ALIF(0.5, 0.2), norms[0], image=Image(4)),
        nn.Flatten(2),
        SpikingLayer(QuantLinear(3 * 4 * 4, 6), ALIF(0.5, 0.2), norms[1]),
        Vote(3),
    )
    return net.double() if precision == "64" else net


def samples(seed: int, count: int) -> Split:
    rng = np.random.default_rng(seed)
    return Split(rng.integers(0, 256, (count, 1, 6, 6), np.uint8), rng.integers(0, 3, count))


def job(kind: str, precision: str) -> tuple[nn.Module, DataSet, Recipe]:
    if kind in ("none", "norm"):
        data = DataSet("none", 3, samples(1, 30), samples(2, 7))
        return network(kind == "norm", precision), data, recipe(precision)
    how = small_autoencoders.recipe(
        kind, f"train.precision='{precision}'", "train.batch=9", "data.limit_train=30", "train.select_on=test",
        "train.quantize=true", "model.weight=0.5",
    )  # fmt: skip
    data = data_of(how)
    return model_of(how, data), data, how


def main(out: str, precision: str, kind: str) -> None:
    torch.set_num_threads(1)
    fabric = make_fabric(precision, "cpu")
    fabric.launch()
    model, data, how = job(kind, precision)
    history = fit(model, data, how, fabric)
    leave(fabric)
    if fabric.is_global_zero:
        torch.save({"weights": model.state_dict(), "history": json.dumps([e.to_json() for e in history])}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
