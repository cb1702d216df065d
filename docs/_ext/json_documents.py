"""Writes reference/json.md of the schemas in reference/schemas: `python docs/_ext/json_documents.py`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parents[1] / "reference"
PAGE = REFERENCE / "json.md"
SCHEMAS = REFERENCE / "schemas"
PARTS = ("bounds", "counts")
"""Schemas of what stands inside documents."""
INTRO = """\
# JSON documents

Every command with `--json` prints one JSON document to standard output in place of its tables; `spikeport stream
--json` prints a line for each answer. Exit codes are the same with and without it. A document says in `schema` which it
is, as `spikeport-run/1`. The number after the slash grows when a key goes, or changes its type or meaning; keys may be
added without that. A test holds the schemas to a record of every key of every version. An error is `{"error": {...}}`,
whose keys [Errors and design rules](errors.md) has.

The tables below are those of the JSON Schema files in `docs/reference/schemas`, which tests hold against the commands'
output. `a[].b` is `b` of each entry of the list `a`; `a.*` is each value of an object whose keys are names. "or null"
tells of a key that is always there; one that is there sometimes only is marked "not always".

Figures of `spikeport bench` (`bench-*`) are of one machine, which `machine` tells of; ratios are what carries over.

This page is written by `python docs/_ext/json_documents.py`.
"""


def page() -> str:
    """The whole page, in MyST Markdown."""
    found = {path.stem: json.loads(path.read_text()) for path in sorted(SCHEMAS.glob("*.json"))}
    names = [*(name for name in found if name not in PARTS), *PARTS]
    return "\n".join((INTRO, *(_section(name, found[name]) for name in names)))


def _section(name: str, schema: dict[str, Any]) -> str:
    rows = [f"| {'`' + key + '`'} | {kind} | {text} |" for key, kind, text in _rows("", schema)]
    return "\n".join((f"## {name}\n", f"{schema['title']}.\n", "| key | type | meaning |", "|---|---|---|", *rows, ""))


def _rows(path: str, schema: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What is below a schema, each with its path."""
    required = schema.get("required", ())
    for key, inner in schema.get("properties", {}).items():
        below = f"{path}.{key}" if path else key
        text = inner.get("description", "")
        yield below, _kind(inner), text if key in required or key == "schema" else f"{text}; not always".lstrip("; ")
        yield from _rows(below, inner)
    if isinstance(more := schema.get("additionalProperties"), dict):
        yield from _rows(f"{path}.*".lstrip("."), more)
    if "items" in schema:
        yield from _rows(f"{path}[]", schema["items"])


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removesuffix(".json")
        return f"as [{name}](#{name})"
    if "const" in schema:
        return f"`{schema['const']}`"
    kinds = schema.get("type", "any")
    names = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind != "null"]
    inside = schema.get("items") or schema.get("additionalProperties") or {}
    of = f" of {_kind(inside)}" if inside and "properties" not in inside else ""
    return " or ".join(f"{name}{of}" for name in names) + " or null" * ("null" in kinds and kinds != "null")


if __name__ == "__main__":
    PAGE.write_text(page())
