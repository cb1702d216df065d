"""What was recorded: `tests/vectors/counters/nets/NET`, the networks, and `.../TOOL/NET`, what a tool made of each."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.fixed import Ints

FOLDER = Path(__file__).parents[2] / "vectors" / "counters"
NETS = FOLDER / "nets"
ROUNDED = 1e-12
"""Relative: floats that a tool adds up may be rounded otherwise on another machine."""


@dataclass(frozen=True, eq=False)
class Record:
    tool: str
    net: str
    versions: Mapping[str, str]
    counts: Mapping[str, Mapping[str, float]]
    """By layer of neurons, what feeds it, over all steps and samples."""
    spikes: Mapping[str, Ints]
    """By layer of neurons, time first."""
    tables: Mapping[str, NDArray[Any]] = field(repr=False)
    """Whatever else the tool gave, as its worker says."""


def read_record(tool: str, net: str, folder: Path = FOLDER) -> Record:
    path = folder / tool / f"{net}.json"
    said = json.loads(path.read_text())
    with np.load(path.with_suffix(".npz")) as arrays:
        spikes = {key.removeprefix("s:"): arrays[key] for key in arrays.files if key.startswith("s:")}
        tables = {key: arrays[key] for key in arrays.files if not key.startswith("s:")}
    return Record(tool, net, said["versions"], said["counts"], spikes, tables)


def differences(found: Record, recorded: Record) -> Iterator[str]:
    """In what two records of one network differ; versions do not count."""
    if found.counts != recorded.counts:
        yield f"counts {found.counts}, recorded {recorded.counts}"
    for what in ("spikes", "tables"):
        now, then = getattr(found, what), getattr(recorded, what)
        for key in sorted(now.keys() | then.keys()):
            if key not in now or key not in then or not _same(now[key], then[key]):
                yield f"{what} of {key}"


def _same(now: NDArray[Any], then: NDArray[Any]) -> bool:
    if now.shape != then.shape or now.dtype != then.dtype:
        return False
    return np.allclose(now, then, rtol=ROUNDED, atol=0) if now.dtype.kind == "f" else np.array_equal(now, then)
