"""The tutorials as they are kept: no outputs, a title, the kernel that everybody has. `make docs` executes them."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "tutorials"
NOTEBOOKS = {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.ipynb"))}


def code(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("name", ["pytorch", "frameworks", "lava_dl", "energy_paper", "loihi"])
def test_each_start_has_its_tutorial(name: str) -> None:
    assert f"{name}.ipynb" in NOTEBOOKS
    assert f"](tutorials/{name}.ipynb)" in (FOLDER.parent / "index.md").read_text()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_are_stripped(name: str) -> None:
    assert [cell["outputs"] for cell in code(NOTEBOOKS[name]) if cell["outputs"]] == []
    assert {cell["execution_count"] for cell in code(NOTEBOOKS[name])} == {None}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_begins_with_its_one_title(name: str) -> None:
    texts = ["".join(cell["source"]) for cell in NOTEBOOKS[name]["cells"] if cell["cell_type"] == "markdown"]
    prose = [re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE) for text in texts]
    titles = [line for text in prose for line in text.splitlines() if line.startswith("# ")]
    assert NOTEBOOKS[name]["cells"][0]["cell_type"] == "markdown"
    assert texts[0].startswith("# ") and len(titles) == 1


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_its_kernel_is_python3_of_no_particular_version(name: str) -> None:
    """Jupyter writes the version and whatever tool touched the file; neither is kept."""
    assert NOTEBOOKS[name]["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_its_cells_are_python_that_parses(name: str) -> None:
    """No `!` and no `%`: a shell line that fails would not stop the notebook."""
    for cell in code(NOTEBOOKS[name]):
        ast.parse("".join(cell["source"]))
