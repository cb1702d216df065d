"""What a benchmark leaves in its folder: the full numbers as JSON, and its tables beside them as Markdown."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeport.atomic import check_writable, replacing


def prepare(output: Path | None) -> None:
    """FileError where nothing could be written; before anything is measured, for that takes long."""
    if output is not None:
        check_writable(output)


def keep(output: Path | None, name: str, data: Mapping[str, Any], text: str) -> list[str]:
    """Writes NAME.json and NAME.md, and gives the line that says so; without a folder nothing.

    Raises:
        FileError: a file cannot be written.
    """
    if output is None:
        return []
    for path, content in ((output / f"{name}.json", json.dumps(data, indent=1) + "\n"), (output / f"{name}.md", text)):
        with replacing(path) as new:
            Path(new).write_text(content)
    return [f"wrote {output / f'{name}.json'} and {output / f'{name}.md'}"]


def markdown(rows: Sequence[Sequence[str]], notes: Sequence[str], columns: Sequence[str]) -> str:
    """A table, and the notes as a list below it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(["| " + " | ".join(line) + " |" for line in lines] + ["", *(f"- {note}" for note in notes), ""])
