"""`spikeport compile --calibrate`: what each stage costs, in words and in JSON, on a net that snnTorch has trained."""

import json
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from spikeport.cli import main
from tests.trained.held import float_run
from tests.trained.nets import Trained, read_trained

NET = next(net for net in read_trained() if net.name == "snntorch_digits_dense")
READOUT = next(net for net in read_trained() if net.name == "norse_digits_readout")


def spikeport(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended, patch.object(sys, "argv", ["spikeport", *map(str, args)]):
        main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def samples(net: Trained, folder: Path, labels: bool = True) -> Path:
    path = folder / "x.npz"
    arrays = {"spikes": net.spikes} | ({"labels": net.labels} if labels else {})
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def compiled(capsys: pytest.CaptureFixture[str], net: Trained, folder: Path, *args: object) -> dict[str, object]:
    x = samples(net, folder)
    code, out, err = spikeport(
        capsys,
        "compile",
        net.graph,
        "-o",
        folder / "net.h5",
        "--steps",
        len(net.spikes),
        "--calibrate",
        x,
        "--json",
        *args,
    )
    assert code == 0, err
    return json.loads(out)


def test_the_waterfall_begins_with_the_frameworks_accuracy_and_ends_with_the_programs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gap = compiled(capsys, NET, tmp_path, "--classes", 10)["gap"]
    stages = {s["stage"]: s for s in gap["stages"]}  # type: ignore[index]
    assert list(stages) == ["float", "folded", "weights", "decays", "thresholds", "integer"]
    assert stages["float"]["accuracy"] == pytest.approx(NET.accuracy)
    assert stages["float"]["differing"] == stages["folded"]["differing"] == 0
    code, out, _ = spikeport(
        capsys, "run", tmp_path / "net.h5", "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz", "--json"
    )
    assert code == 0
    assert json.loads(out)["accuracy"] == pytest.approx(stages["integer"]["accuracy"])
    with np.load(tmp_path / "y.npz") as y:
        differing = np.mean(y["spikes"] != float_run(NET)[0])
    assert stages["integer"]["differing"] == pytest.approx(differing)
    assert 0 < differing < 0.03


def test_layers_tell_how_many_spikes_agree(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    layers = compiled(capsys, NET, tmp_path)["gap"]["layers"]  # type: ignore[index]
    assert len(layers) == 2
    assert all(0.97 < layer["agreement"] < 1 for layer in layers)


def test_a_readouts_waterfall_is_of_v(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    gap = compiled(capsys, READOUT, tmp_path)["gap"]
    last = gap["stages"][-1]  # type: ignore[index]
    assert last["accuracy"] >= READOUT.accuracy - 0.005
    assert 0 < last["differing"] < 0.03


def test_without_labels_there_are_spikes_but_no_accuracy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    x = samples(NET, tmp_path, labels=False)
    code, out, _ = spikeport(capsys, "compile", NET.graph, "-o", tmp_path / "net.h5", "--steps", 20, "--calibrate", x)
    assert code == 0
    assert "what each stage costs" in out and "spikes that differ" in out
    assert "%" in out and "points" in out


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"spikes": np.zeros((20, 3, 7), np.uint8)}, "calibration input: shape ((20, 3, 7)) is not (T, B, 64)"),
        ({"spikes": np.zeros((20, 3, 64))}, "holds no integers (spikes)"),
        ({"labels": np.zeros(3, np.int64)}, "holds no integers (no array)"),
        (
            {"spikes": np.zeros((20, 3, 64), np.uint8), "labels": np.zeros(4, np.int64)},
            "is not one integer for each sample",
        ),
    ],
)
def test_bad_samples_are_one_line_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "x.npz", **arrays)  # type: ignore[arg-type]
    out = tmp_path / "net.h5"
    code, _, err = spikeport(capsys, "compile", NET.graph, "-o", out, "--calibrate", tmp_path / "x.npz")
    assert (code, err.count("\n")) == (2, 1)
    assert message in err or "labels" in err
    assert not out.exists()
