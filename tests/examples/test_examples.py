"""The examples as a newcomer runs them: in a process of their own, quickly; and that their claims can fail."""

import ast
import os
import re
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import spikeport.sim
from spikeport.deploy.reader import brought
from spikeport.export import writers
from tests.trained.nets import read_trained, write_plain

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples"
SCRIPTS = sorted(FOLDER.glob("*.py"))
LONGEST = 80
TIMEOUT_S = 300


def run(name: str, folder: Path, *arguments: object) -> str:
    """What the example prints; it must exit with 0, without a warning."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, FOLDER / f"{name}.py", "--quick", *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


def found(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    assert match, text
    return float(match[1].replace(",", ""))


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Networks that other frameworks trained, as plain files."""
    for net in read_trained():
        if net.name in ("snntorch_digits_dense", "sinabs_digits_conv", "norse_digits_readout"):
            write_plain(net, tmp_path)
    return tmp_path


# ---------------------------------------------------------------- what all have in common


def test_there_are_examples() -> None:
    assert len(SCRIPTS) == 7


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_is_short_explains_itself_and_stands_in_the_table(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST
    assert f"python examples/{path.name}" in (ast.get_docstring(ast.parse(text)) or "")
    assert f"[{path.name}]({path.name})" in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_uses_nothing_private(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spikeport"):
            names = [*(node.module or "").split("."), *(name.name for name in node.names)]
            assert not any(re.match(r"_[^_]", name) for name in names)
        if isinstance(node, ast.Attribute):
            assert not re.match(r"_[^_]", node.attr)


# ---------------------------------------------------------------- one by one


@pytest.mark.slow
def test_qat_from_scratch(tmp_path: Path) -> None:
    out = run("qat_from_scratch", tmp_path)
    assert found(r"accuracy ([\d.]+)%", out) > 70
    assert "0 of 317,600 output spikes differ" in out


@pytest.mark.slow
def test_from_snntorch_on_what_snntorch_wrote(recorded: Path) -> None:
    net = recorded / "snntorch_digits_dense"
    out = run("from_snntorch", recorded, "--recorded", f"{net}.nir", f"{net}.npz")
    assert "read as snntorch steps it" in out
    assert found(r"8-bit Program ([\d.]+)%", out) > 95
    assert 0 < found(r"([\d.]+)% of the output's spikes differ", out) < 5


@pytest.mark.slow
@pytest.mark.parametrize("net", ["sinabs_digits_conv", "norse_digits_readout"])
def test_calibrate(net: str, recorded: Path) -> None:
    out = run("calibrate", recorded, recorded / f"{net}.nir", recorded / f"{net}.npz")
    stages = ("float", "folded", "weights", "decays", "thresholds", "integer")
    assert [len(re.findall(rf"^{stage} +[\d.]+%", out, re.MULTILINE)) for stage in stages] == [2] * 6
    assert found(r"([\d.]+)% with$", out.strip()) > 85


@pytest.mark.slow
def test_esvae_generate(tmp_path: Path) -> None:
    out = run("esvae_generate", tmp_path, "-o", tmp_path / "new.png")
    assert "0 of 4,096 grey values differ; 0 rules broken" in out
    with Image.open(tmp_path / "new.png") as sheet:
        assert sheet.size == (8 * 9 * 4, 8 * 9 * 4)
        assert len(np.unique(np.asarray(sheet))) > 8


@pytest.mark.slow
def test_energy_for_a_paper(tmp_path: Path) -> None:
    """The row's figures are those of the layers, and the MACs those of the network's shapes."""
    out = run("energy_for_a_paper", tmp_path)
    layers = [line.split(",") for line in out.splitlines() if line.startswith("lif")]
    macs = [8 * 8 * 9 * 16, 4 * 4 * 9 * 16 * 32, 512 * 100]
    assert [int(layer[4]) for layer in layers] == macs
    assert found(r"8 & ([\d,]+) &", out) == round(sum(float(layer[3]) for layer in layers))
    assert found(r"SNN ([\d.]+) nJ", out) == pytest.approx(sum(float(layer[5]) for layer in layers) / 1e3, rel=2e-3)
    assert "Horowitz, ISSCC 2014" in out and "not a measurement" in out


@pytest.mark.slow
def test_custom_neuron(tmp_path: Path) -> None:
    out = run("custom_neuron", tmp_path)
    assert found(r"accuracy ([\d.]+)%", out) > 70
    assert "0 of 317,600 output spikes differ" in out


@pytest.mark.slow
def test_recurrent_sequence(tmp_path: Path) -> None:
    out = run("recurrent_sequence", tmp_path)
    assert found(r"accuracy ([\d.]+)%", out) > 40
    assert "0 recurrent and 0 output spikes differ" in out


# ---------------------------------------------------------------- that a claim can fail


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qat_from_scratch", "custom_neuron", "recurrent_sequence"])
def test_one_other_spike_is_exit_1(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same script with a simulator that gets the last spike wrong."""
    simulate = spikeport.sim.simulate

    def wrong(*args: Any, **options: Any) -> spikeport.sim.Result:
        result = simulate(*args, **options)
        outputs = {key: x.copy() for key, x in result.outputs.items()}
        for x in outputs.values():
            x.flat[-1] ^= 1
        return replace(result, spikes=next(iter(outputs.values())), outputs=outputs)

    monkeypatch.setattr(spikeport.sim, "simulate", wrong)
    monkeypatch.setattr(sys, "argv", [name, "--quick"])
    monkeypatch.setattr(writers, "_WRITERS", {})
    monkeypatch.setattr(brought, "_LOWERINGS", {})
    threads = torch.get_num_threads()
    try:
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    finally:
        torch.set_num_threads(threads)
    assert stopped.value.code == 1
