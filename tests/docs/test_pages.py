"""What the pages show runs, in a folder with a network of snnTorch and samples; every command that they name exists."""

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.main import get_command

from spikeport import cli
from spikeport.cli.app import app
from spikeport.sim.energy.described import parse_described
from spikeport.sim.energy.profile import parse_profile
from tests.docs.pages import DOCS, Sample, samples
from tests.trained.nets import read_trained

ELSEWHERE = {"streaming.md", "loihi.md"}  # test_streaming.py, tests/deploy/netx/test_recipe.py
OLDER = {"bundle.md", "energy.md", "mapping.md", "scale.md"}  # name files that a reader has, and are not run
ROOT = DOCS.parent
PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted(DOCS.rglob("*.md"))]
PLACES = {path.name for folder in (ROOT, ROOT / "spikeport") for path in folder.iterdir() if path.is_dir()}
RUN = [p for p in PAGES if p.parent.name in ("explain", "howto") and p.name not in ELSEWHERE | OLDER]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`other.nir`, from snnTorch, and `x.npz`, 40 digits with labels as spikes of 20 steps."""
    net = next(net for net in read_trained() if net.name == "snntorch_digits_dense")
    shutil.copy(net.graph, tmp_path / "other.nir")
    np.savez(tmp_path / "x.npz", spikes=net.spikes[:, :40], labels=net.labels[:40])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", RUN, ids=name)
def test_what_a_page_shows_runs(
    page: Path, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for sample in samples(page.read_text()):
        if not sample.runs:
            continue
        if sample.python:
            exec(compile("\n" * (sample.line - 1) + sample.text, str(page), "exec"), names)
            continue
        monkeypatch.setattr(sys, "argv", sample.words)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert (ended.value.code or 0) == sample.code, f"{page}:{sample.line}: {sample.text}\n{capsys.readouterr()}"


def test_networks_and_prices_that_a_page_shows_are_read() -> None:
    for page in (DOCS / "howto" / "energy.md", DOCS / "howto" / "energy_table.md"):
        for text in re.findall(r"```toml\n(.+?)```", page.read_text(), re.DOTALL):
            read = parse_described if "[network]" in text else parse_profile
            read(page.name, text.encode())


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    for sample in samples(page.read_text()):
        if not sample.python:
            assert not unknown(sample), f"{page}:{sample.line}: {sample.text}"


@pytest.mark.parametrize("page", [p for p in PAGES if p.parent.name in ("explain", "howto")], ids=name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    """A path within the package, or from the root; other names, such as net.h5, are the reader's."""
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]*(?:\.py)?)`", page.read_text())
    own = [path for path in named if (ROOT / path).parts[len(ROOT.parts)] in PLACES]
    assert [path for path in own if not (ROOT / path).exists() and not (ROOT / "spikeport" / path).exists()] == []


def unknown(sample: Sample) -> list[str]:
    """Words of a command that are no command or option of spikeport."""
    command: Any = get_command(app)
    words = sample.words[1:]
    while hasattr(command, "commands"):
        if not words or words[0].startswith("-"):
            break
        if words[0] not in command.commands:
            return [words[0]]
        command, words = command.commands[words[0]], words[1:]
    known = {spelling for p in command.params for spelling in (*p.opts, *p.secondary_opts)} | {"--help"}
    return [word for word in words if word.startswith("-") and word not in known]


def test_a_command_that_does_not_exist_is_found() -> None:
    text = (
        "Text.\n\n    spikeport run net.h5 --inptu x.npz   # a slip\n    spikeport rnu && spikeport bench sim --quick\n"
    )
    assert [unknown(s) for s in samples(text)] == [["--inptu"], ["rnu"], []]


def test_blocks_that_are_not_run_are_known() -> None:
    text = "<!-- not run: a board -->\n\n    spikeport doctor\n\nText.\n\n```python\nx = 1\n```\n\n"
    text += "    spikeport check a.nir  # exit 1\n"
    assert [(s.runs, s.python, s.code, s.line) for s in samples(text)] == [
        (False, False, 0, 3), (True, True, 0, 8), (True, False, 1, 11)
    ]  # fmt: skip
