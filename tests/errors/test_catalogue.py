"""Codes are stable, complete and true: each is raised somewhere, and its example is what a user sees."""

import ast
import importlib
import importlib.util
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from spikeport import errors
from spikeport.errors import SpikeportError
from spikeport.errors.catalogue import CATALOGUE, CLASSES, FAMILIES
from tests.errors.titles import TITLES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "spikeport"
PROVOKED = {"1": "files", "2": "inputs", "3": "modules", "4": "graphs", "5": "programs", "6": "runs"}
TORCH_CODES = {"SP207", "SP208", "SP209", "SP600", "SP610"}
TORCH_FAMILIES = ("SP12", "SP22", "SP3")


def names(tree: ast.AST) -> Iterator[str]:
    """What is called as an error's class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if isinstance(getattr(errors, name, None), type):
                yield name


def test_codes_keep_their_meaning() -> None:
    """A title may be worded anew; a code is never given to another cause, nor given up and used again."""
    assert {code: (entry.name, entry.title) for code, entry in CATALOGUE.items()} == TITLES


def test_every_code_is_raised_and_every_error_raised_has_a_code() -> None:
    sources = [path for path in PACKAGE.rglob("*.py") if path.parent.name != "errors"]
    raised = {name for path in sources for name in names(ast.parse(path.read_text()))}
    assert raised == {cls.__name__ for cls in CLASSES.values()}


def test_every_class_with_a_code_has_one_of_its_own_and_of_its_family() -> None:
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, SpikeportError)]
    assert {c.__name__ for c in classes} - {c.__name__ for c in CLASSES.values()} == {"SpikeportError", "DeployError"}
    assert len({c.code for c in CLASSES.values()}) == len(CLASSES)
    assert {code[:3] for code in CATALOGUE} == set(FAMILIES)


@pytest.mark.parametrize("code", CATALOGUE)
def test_an_entry_says_what_how_to_mend_it_and_shows_an_example(code: str) -> None:
    entry = CATALOGUE[code]
    assert entry.title and not entry.title.endswith(".")
    assert entry.fix.endswith((".", "`")) and entry.example
    assert len(entry.why) > 60 or code in ("SP221", "SP301", "SP410")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", CATALOGUE)
def test_the_example_is_what_a_user_sees(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    provoke = getattr(provoked(code), code.lower())
    with pytest.raises(SpikeportError) as caught:
        provoke(monkeypatch)
    said = str(caught.value).replace(f"process {os.getpid()} on {socket.gethostname()}", "process 1234 on host")
    assert (caught.value.code, said) == (code, CATALOGUE[code].example)
    assert caught.value.line().startswith(f"error {code}: ")


def provoked(code: str) -> ModuleType:
    if code in TORCH_CODES or code.startswith(TORCH_FAMILIES):
        pytest.importorskip("torch")
    return importlib.import_module(f"tests.errors.provoked.{PROVOKED[code[2]]}")


def test_the_page_is_written_from_the_catalogue() -> None:
    path = ROOT / "docs" / "_ext" / "error_catalogue.py"
    if not path.is_file():
        pytest.skip("the documentation's sources are not in this copy")
    spec = importlib.util.spec_from_file_location("error_catalogue", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.page(), "python docs/_ext/error_catalogue.py writes it anew"
