"""`train`, `finetune` and `export` of what is no good."""

import io
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spikeport.program_file import load_program, save_program
from tests.cli.refused import DO_WRITE, Case, Prepare, X, assert_refused, samples, text
from tests.cli.tiny import RECIPE


class Mkdir:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Path]]:
        return Path.mkdir, (self.path,)


def foreign_run(weights: Callable[[Path], bytes]) -> Prepare:
    def prepare(made: Path, folder: Path) -> None:
        (folder / "run").mkdir()
        (folder / "run/recipe.toml").write_text(RECIPE)
        (folder / "run/weights.pt").write_bytes(weights(folder))

    return prepare


def hostile(folder: Path) -> bytes:
    return pickle.dumps(Mkdir(folder / "sprung"))


def of_another_net(folder: Path) -> bytes:
    buffer = io.BytesIO()
    torch.save({"weight": torch.zeros(3)}, buffer)
    return buffer.getvalue()


def resting(made: Path, folder: Path) -> None:
    program = load_program(made / "net.h5")
    groups = tuple(replace(g, refractory_steps=2) for g in program.lifs)
    save_program(replace(program, groups=groups), folder / "resting.h5")


BAD: dict[str, Case] = {
    # train
    "no recipe": (
        ("train", "{here}/none.toml", "-o", "{here}/run"),
        text("other"),
        "{here}/none.toml: no such recipe; name a TOML file, or one that spikeport recipes lists",
    ),
    "recipe that is no TOML": (
        ("train", "{here}/r.toml", "-o", "{here}/run"),
        text("r.toml"),
        "recipe r: is not TOML (",
    ),
    "recipe with an unknown model": (
        ("train", "{here}/r.toml", "-o", "{here}/run"),
        text("r.toml", RECIPE.replace("small_conv", "resnet")),
        "model: name (resnet) is not one of alif_net, ann_vae, esvae, ",
    ),
    "recipe with an illegal decay": (
        ("train", "{here}/r.toml", "-o", "{here}/run"),
        text("r.toml", RECIPE.replace("tau = 0.5", "tau = 2")),
        "ALIF: tau (2) is not in (0, 1)",
    ),
    "recipe with unknown data": (
        ("train", "{here}/r.toml", "-o", "{here}/run"),
        text("r.toml", RECIPE.replace("digits", "emnist")),
        "data: name (emnist) is not one of digits, mnist, ",
    ),
    "recipe that is not named": (
        ("train", "-o", "{here}/run"),
        text("other"),
        "train: no recipe; name a TOML file or a",
    ),
    "setting without a section": (
        ("train", "{made}/tiny.toml", "-o", "{here}/run", "--set", "epochs=3"),
        text("other"),
        "recipe tiny: setting (epochs=3) is not SECTION.KEY=VALUE; write it as --set train.epochs=3",
    ),
    "nothing to resume": (
        ("train", "-o", "{here}/run", "--resume"),
        text("other"),
        "{here}/run/checkpoint.pt: no such file; begin a run with: spikeport train RECIPE -o RUN",
    ),
    "16 bits without a GPU": (
        ("train", "{made}/tiny.toml", "-o", "{here}/run", "--precision", "16", "--accelerator", "cpu"),
        text("other"),
        "train: precision (16) needs a GPU; use bf16 or 32",
    ),
    "batches that are larger than the data": (
        ("train", "{made}/tiny.toml", "-o", "{here}/run", "--set", "train.batch=2000", "--set", "train.drop_last=true"),
        text("other"),
        "train: samples (1400) fill no batch of 2000; lower train.batch",
    ),
    "unknown augmentation": (
        ("train", "{made}/tiny.toml", "-o", "{here}/run", "--set", 'data.augment=["blur"]'),
        text("other"),
        "augment: name (blur) is not one of crop, flip",
    ),
    "run that cannot be written": (
        ("train", "{made}/tiny.toml", "-o", "{here}/file/run"),
        text("file"),
        "{here}/file/run: cannot be written (Not a directory)" + DO_WRITE,
    ),
    # finetune
    "fine-tuning without labels": (
        ("finetune", "{made}/net.h5", "--input", "{here}/x.npz", "-o", "{here}/net.nir"),
        samples(spikes=X),
        "{here}/x.npz: holds no labels; add an array 'labels' of shape (B,)",
    ),
    "fine-tuning with labels that are no class": (
        ("finetune", "{made}/net.h5", "--input", "{here}/x.npz", "-o", "{here}/net.nir"),
        samples(spikes=X, labels=np.array([0, 10])),
        "labels: range (0..10) is not in [0, 10)",
    ),
    "fine-tuning for no epoch": (
        ("finetune", "{made}/net.h5", "--input", "{made}/x.npz", "--epochs", "0", "-o", "{here}/net.nir"),
        text("other"),
        "fine-tuning: epochs (0) is not in [1, 1000000]",
    ),
    "fine-tuning what is not LIF": (
        ("finetune", "{here}/resting.h5", "--input", "{made}/x.npz", "-o", "{here}/net.nir"),
        resting,
        "lif1: refractory_steps (2) is not 0; only neurons without one can be trained",
    ),
    # export
    "no run": (
        ("export", "{here}", "-o", "{here}/net.nir"),
        text("other"),
        "{here}: lacks recipe.toml; make a run with: spikeport train RECIPE -o RUN",
    ),
    "checkpoint that runs code": (
        ("export", "{here}/run", "-o", "{here}/net.nir"),
        foreign_run(hostile),
        "{here}/run/weights.pt: is not a checkpoint of tensors (",
    ),
    "checkpoint of another network": (
        ("export", "{here}/run", "-o", "{here}/net.nir"),
        foreign_run(of_another_net),
        "{here}/run/weights.pt: is not a checkpoint of this recipe; train again",
    ),
    "NIR file that cannot be written": (
        ("export", "{made}/run", "-o", "{here}/file/net.nir"),
        text("file"),
        "{here}/file/net.nir: cannot be written (Not a directory)" + DO_WRITE,
    ),
    "samples that cannot be written": (
        ("export", "{made}/run", "-o", "{here}/net.nir", "--samples", "{here}/none/x.npz"),
        text("other"),
        "{here}/none/x.npz: cannot be written (No such file or directory)" + DO_WRITE,
    ),
    "samples in place of a folder": (
        ("export", "{made}/run", "-o", "{here}/net.nir", "--samples", "{here}"),
        text("other"),
        "{here}: cannot be written (Is a directory)" + DO_WRITE,
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_leaves_nothing(case: Case, made: Path, tmp_path: Path) -> None:
    assert_refused(case, made, tmp_path)
