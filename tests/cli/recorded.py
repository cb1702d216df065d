"""Every key of every version of the documents of --json: `python -m tests.cli.recorded` adds what is new.

It does not touch what is there: a key that goes, is not always there any more or changes its type is a new version.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.cli.schemas import SCHEMAS

FILE = Path(__file__).parent / "recorded.json"
Keys = dict[str, str]
"""Types by path; `?` behind one that is there sometimes only."""


def version_of(name: str, schema: Mapping[str, Any]) -> str:
    """`run/1`; what stands inside documents without a `schema` of its own is in its first version."""
    const = schema.get("properties", {}).get("schema", {}).get("const", f"spikeport-{name}/1")
    return str(const).removeprefix("spikeport-")


def keys_of(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    required = schema.get("required", ())
    for key, inner in schema.get("properties", {}).items():
        yield f"{path}.{key}", _type(inner) + "?" * (key not in required)
        yield from keys_of(inner, f"{path}.{key}")
    for word, mark in (("additionalProperties", ".*"), ("items", "[]")):
        if isinstance(inner := schema.get(word), dict):
            yield f"{path}{mark}", _type(inner)
            yield from keys_of(inner, f"{path}{mark}")


def _type(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", "any")
    named = kinds if isinstance(kinds, str) else " or ".join(sorted(kinds))
    return f"{named} as {schema['$ref']}" if "$ref" in schema else named


def broken(before: Keys, now: Keys) -> list[str]:
    """Keys that a reader of the document counted on."""
    return [key for key, kind in before.items() if now.get(key) not in (kind, kind.removesuffix("?"))]


def current() -> dict[str, Keys]:
    return {version_of(name, schema): dict(keys_of(schema)) for name, schema in sorted(SCHEMAS.items())}


def recorded() -> dict[str, Keys]:
    found: dict[str, Keys] = json.loads(FILE.read_text()) if FILE.is_file() else {}
    return found


def main() -> None:
    before, now = recorded(), current()
    if lost := {version: keys for version in before.keys() & now if (keys := broken(before[version], now[version]))}:
        raise SystemExit(f"needs a new version: {lost}")
    FILE.write_text(json.dumps(before | now, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
