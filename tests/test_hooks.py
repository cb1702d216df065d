"""The checks of a commit say no where they should; all files of the repository pass them."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.hooks import CHECKS, MOST_KIB, main

yaml = pytest.importorskip("yaml")  # of pre-commit
ROOT = Path(__file__).parents[1]
HOOKS = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
}


def test_nothing_is_fetched() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert {hook["language"] for hook in HOOKS.values()} == {"system"}


def test_each_check_has_its_hook() -> None:
    called = {hook["entry"].split()[-1] for hook in HOOKS.values() if "tests.hooks" in hook["entry"]}
    assert called == set(CHECKS)


def test_a_notebook_with_outputs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean, dirty = tmp_path / "clean.ipynb", tmp_path / "dirty.ipynb"
    cell = {"cell_type": "code", "source": [], "execution_count": None, "outputs": []}
    clean.write_text(json.dumps({"cells": [cell, {"cell_type": "markdown", "source": []}]}))
    for change in ({"outputs": [{"text": "1"}]}, {"execution_count": 3}):
        dirty.write_text(json.dumps({"cells": [cell, {**cell, **change}]}))
        assert main(["stripped", str(clean), str(dirty)]) == 1
        assert capsys.readouterr().err.startswith(f"{dirty}: has outputs")
    assert main(["stripped", str(clean)]) == 0


def test_a_large_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "net.h5"
    file.write_bytes(bytes(1024 * MOST_KIB))
    assert main(["small", str(file)]) == 0
    file.write_bytes(bytes(1024 * MOST_KIB + 1))
    assert main(["small", str(file)]) == 1
    assert capsys.readouterr().err == f"{file}: size (501 KiB) is above 500 KiB\n"


def test_every_file_of_the_repository_passes() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    assert main(["small", *map(str, files)]) == 0
    assert main(["stripped", *(str(file) for file in files if file.suffix == ".ipynb")]) == 0
