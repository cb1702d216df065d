"""A run's logs: `log.csv` and `history.json`, made anew from the history: no gap, and nothing twice."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spikeport.atomic import replacing
from spikeport.errors import FileError, FileMissing
from spikeport.train.loop.history import Epoch


def write_logs(folder: Path, history: Sequence[Epoch]) -> None:
    """Both files, each through a rename."""
    plain = [{key: value for key, value in epoch.to_json().items() if key != "seconds"} for epoch in history]
    contents = {"history.json": json.dumps(plain, indent=1), "log.csv": as_csv(history)}
    for name, content in contents.items():
        with replacing(folder / name) as partial:
            Path(partial).write_text(content)


def read_history(folder: Path) -> list[Epoch]:
    """What `history.json` holds; FileError if it is missing, or is none."""
    path = folder / "history.json"
    if not path.is_file():
        raise FileMissing(str(folder), "lacks history.json", do="make a run with: spikeport train RECIPE -o RUN")
    try:
        return [Epoch.from_json(plain) for plain in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        got = str(error).splitlines()[0][:100]
        raise FileError(str(path), "is not the history of a run", got=got, do="train again") from error


def as_csv(history: Sequence[Epoch]) -> str:
    """One row per epoch; the seconds, which no two runs share, come last."""
    rows = [dict(_row(epoch)) for epoch in history]
    buffer = io.StringIO()
    if rows:
        writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return buffer.getvalue()


def _row(epoch: Epoch) -> Iterator[tuple[str, Any]]:
    yield "epoch", epoch.number
    yield "loss", epoch.loss
    yield from ((f"loss/{name}", value) for name, value in epoch.parts.items())
    for name in ("terms", "accuracy", "selected", "learning_rate", "rate", "sops"):
        value = getattr(epoch, name)
        yield name, "" if value is None else value
    check = epoch.check
    yield "violations", "" if check is None else check.violations
    yield "cores", "" if check is None else check.cores
    yield "v_share", "" if check is None else check.v_share
    for layer in epoch.layers:
        for name in ("rate", "gain", "keep", "threshold"):
            yield f"{layer.name}/{name}", getattr(layer, name)
    yield "seconds", round(epoch.seconds, 3)
