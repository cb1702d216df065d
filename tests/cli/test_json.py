"""The documents of --json are what docs/reference/json.md says: no key is lost, retyped or undescribed."""

import importlib.util
from collections import defaultdict
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from spikeport.cli.app import GROUPS
from tests.cli.documents import documents, has_lava
from tests.cli.schemas import DOCS, SCHEMAS, faults


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Documents by kind."""
    made = defaultdict(list)
    for kind, document in documents(tmp_path_factory.mktemp("documents")):
        made[kind].append(document)
    return made


def test_every_document_is_what_its_schema_says(found: dict[str, list[Any]]) -> None:
    assert found.keys() <= SCHEMAS.keys()
    for kind, made in found.items():
        for document in made:
            assert [*faults(document, SCHEMAS[kind], kind)] == []


def test_every_command_has_a_document(found: dict[str, list[Any]]) -> None:
    told = {"evaluate": "evaluation"}
    names = [command.__name__.rstrip("_") for commands in GROUPS.values() for command in commands]
    elsewhere = {"stream", "demo"} | ({"verify"} if not has_lava() else set())
    assert {told.get(name, name) for name in names} - found.keys() == elsewhere


def test_a_key_that_is_lost_retyped_or_new_is_found(found: dict[str, list[Any]]) -> None:
    """The check itself, on the document of `run`."""
    document = found["run"][0]
    for key in {*SCHEMAS["run"]["required"]} - {"schema"}:
        assert [*faults({k: v for k, v in document.items() if k != key}, SCHEMAS["run"])] == [f".{key}: is missing"]
        assert len([*faults({**document, key: {"a": 1}}, SCHEMAS["run"])]) == 1
    assert [*faults({**document, "more": 1}, SCHEMAS["run"])] == [".more: is not described"]
    changed = deepcopy(found["check"][0])
    changed["cores"][0]["neurons"] = "4"
    assert [*faults(changed, SCHEMAS["check"])] == [".cores[].neurons: str is not ['integer']"]


def test_the_page_has_every_schema() -> None:
    module = loaded(DOCS / "_ext" / "json_documents.py")
    assert module.PAGE.read_text() == module.page(), "python docs/_ext/json_documents.py writes it anew"


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
