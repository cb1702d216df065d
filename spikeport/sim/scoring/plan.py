"""`Plan`: all that decides what a score finds, but for the samples' values; and the folder that is bound to it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spikeport.atomic import replacing
from spikeport.errors import FileMismatch, FileUnreadable, FileUnwritable, FileVersion, InputError, PathTaken
from spikeport.profiles import Profile
from spikeport.sim.decide import Decide

FORMAT = "spikeport-score-plan/1"
NAME = "plan.json"
SHARDS = "shards"
NEW = "name a new folder"


@dataclass(frozen=True)
class Plan:
    """Two equal ones cut the same samples into the same shards, whoever does them."""

    program_sha256: str
    """Of every field of the Program: `fingerprint`."""
    samples: int
    steps: int
    shard: int
    """Samples of each shard; the last has the rest."""
    decide: Decide
    profile: Profile
    labelled: bool
    outputs: bool
    """Whether shards keep what the outputs gave."""

    def __post_init__(self) -> None:
        for name in ("samples", "steps", "shard"):
            if getattr(self, name) < 1:
                raise InputError("score", name, got=getattr(self, name), relation="is not above", limit=0)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def shards(self) -> int:
        return -(-self.samples // self.shard)

    def range_of(self, number: int) -> range:
        """The samples of a shard."""
        return range(number * self.shard, min((number + 1) * self.shard, self.samples))


def shard_path(folder: Path, number: int) -> Path:
    return folder / SHARDS / f"{number:06}.npz"


def present(folder: Path, plan: Plan) -> list[int]:
    """Shards that have a file."""
    names = {file.name for file in _files(folder)}
    return [number for number in range(plan.shards) if shard_path(folder, number).name in names]


def bind(folder: Path, plan: Plan, resume: bool) -> None:
    """Makes the folder this plan's, or finds that it is already; what a killed process left half-written goes.

    Raises:
        FileError: it is another plan's, or this one's without `resume`, or it cannot be written.
    """
    path = folder / NAME
    if path.exists():
        if not resume:
            raise PathTaken(str(folder), "holds a score already", do=f"go on with --resume, or {NEW}")
        _same(folder, plan)
    elif any(_files(folder)):
        raise PathTaken(str(folder), "holds shards without a plan", do=NEW)
    else:
        with replacing(path) as name:
            Path(name).write_text(json.dumps({"format": FORMAT, **asdict(plan)}, indent=2) + "\n")
    try:
        (folder / SHARDS).mkdir(exist_ok=True)
        for file in _files(folder):
            if file.name.startswith("."):
                file.unlink()
    except OSError as error:
        do = "choose a folder that you may write to"
        raise FileUnwritable(str(folder), "cannot be written", got=error.strerror, do=do) from error


def _files(folder: Path) -> Iterator[Path]:
    place = folder / SHARDS
    return place.iterdir() if place.is_dir() else iter(())


def _same(folder: Path, plan: Plan) -> None:
    found, wanted = _read(folder / NAME), asdict(plan)
    if found.get("program_sha256") != plan.program_sha256:
        raise FileMismatch(str(folder), "holds the score of another Program", do=NEW)
    for name, value in wanted.items():
        if found.get(name) != value:
            raise FileMismatch(str(folder), f"was begun with {name}", got=found.get(name), relation="not", limit=value,
                            do=f"say the same, or {NEW}")  # fmt: skip


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FileUnreadable(str(path), "cannot be read", do=NEW) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise FileVersion(str(path), "is not a plan of this version", do=NEW)
    return found
