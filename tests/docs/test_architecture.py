"""What ARCHITECTURE.md and CONTRIBUTING.md call by name is there."""

import re
from pathlib import Path

import pytest

from spikeport.deploy.pipeline import PIPELINE

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"`([\w./]+\.(?:py|html|css|toml))`")
FOLDER = re.compile(r"`([\w./]+/)`")
SKIPPED = {".venv", ".git", "docs/_build", "build", "dist"}


def there() -> list[str]:
    found = []
    for path in ROOT.rglob("*"):
        name = path.relative_to(ROOT).as_posix()
        if not any(name == skipped or name.startswith(f"{skipped}/") for skipped in SKIPPED):
            found.append(f"/{name}/" if path.is_dir() else f"/{name}")
    return found


MADE = {"bundle.json", "htmlcov/index.html", "htmlcov/"}
"""By commands, and not in the repository."""


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_files_and_folders_that_are_named_exist(page: str) -> None:
    text, known = (ROOT / page).read_text(), there()
    named = {*FILE.findall(text), *FOLDER.findall(text)} - MADE
    assert [name for name in sorted(named) if not any(path.endswith(f"/{name}") for path in known)] == []


def test_every_file_of_the_floor_and_every_folder_is_described() -> None:
    package, text = ROOT / "spikeport", (ROOT / "ARCHITECTURE.md").read_text()
    folders = [path for path in package.rglob("*/") if path.name != "__pycache__"]
    files = [path for path in package.glob("*.py") if not path.name.startswith("__")]
    names = {f"{path.name}/" for path in folders} | {path.name for path in files}
    assert [name for name in sorted(names) if name not in text] == []


def test_the_passes_are_drawn_in_their_order() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    drawing = text[text.index("    Graph     fold_neurons") : text.index("    Program   assemble") + 22]
    passes = [type(one).__module__.rpartition(".")[2] for one in PIPELINE]
    assert re.findall(r"^    (?:\w+ +| +)(\w+)(?:  |$)", drawing, re.MULTILINE) == passes
