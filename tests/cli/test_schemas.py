"""The schemas of --json are stable: what a version says is recorded, and only a new version says less or otherwise."""

import json

import pytest

from tests.cli.recorded import broken, current, keys_of, recorded, version_of
from tests.cli.schemas import DOCS, SCHEMAS, faults

BENCHMARKS = sorted((DOCS.parent / "benchmarks").glob("*.json"))


@pytest.mark.parametrize("version", current())
def test_a_version_says_what_is_recorded_of_it(version: str) -> None:
    before, now = recorded().get(version, {}), current()[version]
    assert broken(before, now) == [], (
        "a key went or changed: the schema, and the code that writes it, need a new version"
    )
    assert before == now, "python -m tests.cli.recorded adds what is new"


def test_no_version_is_forgotten_or_skipped() -> None:
    last: dict[str, int] = {}
    for name, number in sorted((name, int(number)) for name, number in (key.split("/") for key in recorded())):
        assert number == last.get(name, number - 1) + 1
        last[name] = number
    assert {f"{name}/{number}" for name, number in last.items()} == {*current()}


def test_what_breaks_a_reader_is_told_from_what_does_not() -> None:
    before = {".a": "integer", ".b": "string", ".c": "number?"}
    assert broken(before, {**before, ".d": "null"}) == []
    assert broken(before, {**before, ".c": "number"}) == []  # from now on always there
    assert broken(before, {".a": "integer?", ".b": "null or string"}) == [".a", ".b", ".c"]


def test_each_change_of_a_schema_is_seen() -> None:
    schema = json.loads(json.dumps(SCHEMAS["run"]))
    before = dict(keys_of(schema))
    schema["required"].remove("steps")
    schema["properties"]["spikes"]["type"] = "string"
    del schema["properties"]["latency"]
    assert broken(before, dict(keys_of(schema))) == [".steps", ".spikes", ".latency"]
    assert version_of("run", schema) == "run/1"


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_recorded_benchmark_is_what_its_schema_says(path: str) -> None:
    found = json.loads(path.read_text())  # type: ignore[attr-defined]
    kind = f"bench-{path.stem.split('_')[0]}"  # type: ignore[attr-defined]
    document = {"schema": f"spikeport-{kind}/1", **found}  # as the command prints it
    assert [*faults(document, SCHEMAS[kind], kind)] == []


def undescribed(schema: dict[str, object], path: str = "") -> list[str]:
    inner = dict(schema.get("properties", {}))  # type: ignore[call-overload]
    found = [f"{path}.{key}" for key, value in inner.items() if len(value.get("description", "")) < 4]
    inner |= {word: schema[word] for word in ("items", "additionalProperties") if isinstance(schema.get(word), dict)}
    return found + [name for key, value in inner.items() for name in undescribed(value, f"{path}.{key}")]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_described(name: str) -> None:
    assert undescribed(SCHEMAS[name]) == []
