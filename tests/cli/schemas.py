"""The schemas of the documents of --json, and what a document has otherwise."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in (DOCS / "reference" / "schemas").glob("*.json")}
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,), "null": (type(None),),
}  # fmt: skip


def faults(value: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:
    """What a value has otherwise than its schema: of JSON Schema, the words that our files use."""
    schema = SCHEMAS[schema["$ref"].removesuffix(".json")] | schema if "$ref" in schema else schema
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", TYPES)
    if not any(isinstance(value, TYPES[k]) and (k == "boolean" or not isinstance(value, bool)) for k in kinds):
        yield f"{where}: {type(value).__name__} is not {kinds}"
    if value != schema.get("const", value):
        yield f"{where}: {value} is not {schema['const']}"
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        yield from (f"{where}.{key}: is missing" for key in schema.get("required", ()) if key not in value)
        for key, inner in value.items():
            if key in known or isinstance(others, dict):
                yield from faults(inner, known.get(key, others), f"{where}.{key}")
            else:
                yield f"{where}.{key}: is not described"
    if isinstance(value, list):
        for inner in value:
            yield from faults(inner, schema.get("items", {}), f"{where}[]")
