"""A run that is killed, wherever it is, goes on as if nothing had happened: the same bits in every file."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.errors.lines import said

CLASSIFIER = """
[data]
name = "digits"
validation = 0.1
[model]
name = "small_conv"
steps = 2
neuron = "alif"
channels = [2, 3]
votes = 1
tau = 0.5
threshold = 0.3
[train]
epochs = 4
batch = 25
learning_rate = 1e-2
seed = 0
keep = "best"
select_on = "validation"
quantize = "after:2"
[loss]
limits = 0.01
"""
AUTOENCODER = """
[data]
name = "digits"
size = 16
symmetric = true
validation = 0.1
limit_train = 150
limit_test = 20
augment = ["flip"]
[model]
name = "esvae"
steps = 4
latent = 6
widths = [4, 8]
[train]
epochs = 4
batch = 8
optimizer = "adamw"
learning_rate = 1e-2
bottleneck_factor = 10
weight_decay = 1e-3
seed = 0
keep = "best"
select_on = "validation"
quantize = "after:2"
"""


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    arguments = ("-m", "spikeport", "train", *more, "-o", str(folder), "--checkpoint-steps", "7", "--json")
    return subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def done(process: subprocess.Popen[str]) -> dict[str, object]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def log(folder: Path) -> list[dict[str, str]]:
    """Rows of the log without the seconds, which no two runs share."""
    with open(folder / "log.csv", newline="") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def assert_same_run(one: Path, two: Path) -> None:
    weights = [torch.load(folder / "weights.pt", weights_only=True) for folder in (one, two)]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())
    assert (one / "history.json").read_bytes() == (two / "history.json").read_bytes()
    assert log(one) == log(two)
    assert [row["epoch"] for row in log(two)] == ["1", "2", "3", "4"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("whole"), CLASSIFIER)


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("autoencoder"), AUTOENCODER)


def made(folder: Path, recipe: str) -> Path:
    (folder / "tiny.toml").write_text(recipe)
    done(start(folder / "run", str(folder / "tiny.toml")))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["whole", "autoencoder"])
def test_a_run_that_is_killed_at_random_moments_ends_as_the_whole_one(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """As soon as there is a checkpoint, after a random while, thrice; then it may end."""
    whole: Path = request.getfixturevalue(kind)
    rng, run = random.Random(0), tmp_path / "run"
    process = start(run, str(whole / "tiny.toml"))
    for _ in range(3):
        seen = (run / "checkpoint.pt").stat().st_mtime_ns if (run / "checkpoint.pt").exists() else 0
        while process.poll() is None and not (
            (run / "checkpoint.pt").exists() and (run / "checkpoint.pt").stat().st_mtime_ns > seen
        ):
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.6))
        process.kill()
        process.communicate()
        process = start(run, "--resume")
    done(process)
    assert_same_run(whole / "run", run)


@pytest.mark.uncovered
@pytest.mark.slow
def test_a_signal_leaves_a_run_that_can_be_resumed(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start(run, str(whole / "tiny.toml"))
    while not (run / "checkpoint.pt").exists():
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["error"]["code"]) == (130, "SP610")
    assert err.startswith(f"error SP610: {run}: stopped after epoch ")
    assert err.endswith(f"; go on with: spikeport train --resume -o {run}\n")
    done(start(run, str(whole / "tiny.toml"), "--resume"))
    assert_same_run(whole / "run", run)


def test_a_finished_run_can_be_finished_again(whole: Path) -> None:
    before = (whole / "run" / "weights.pt").read_bytes()
    assert done(start(whole / "run", "--resume"))["epochs"] == 4
    assert (whole / "run" / "weights.pt").read_bytes() == before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "train: no recipe; name a TOML file or a shipped recipe; --resume needs none"),
        (("{whole}/tiny.toml",), "{whole}/run: holds a run already (weights.pt); go on with --resume, or name another"),
        (
            ("--resume", "--seed", "5", "--set", "model.votes=2"),
            "{whole}/run: was begun with other settings (model.votes, train.seed); resume without them",
        ),
    ],
)
def test_what_does_not_fit_the_folder_is_refused(whole: Path, more: tuple[str, ...], message: str) -> None:
    process = start(whole / "run", *(part.format(whole=whole) for part in more))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert json.loads(out)["error"]["message"] in err
    assert said(err).startswith(message.format(whole=whole))
