"""A shard as a file: sealed, and the same bytes from every machine that has the same libraries."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.archive import UNREADABLE
from spikeport.atomic import replacing
from spikeport.errors import FileError, FileMismatch
from spikeport.sim.counting.counts_read import counts_of
from spikeport.sim.scoring.shard import Shard

FORMAT = "spikeport-shard/1"
_OWN = ("answers", "values")


def save_shard(shard: Shard, path: Path, plan_sha256: str) -> None:
    """Writes `answers`, `values`, the outputs as `outputs/NAME`, and `head`, JSON with all else.

    Raises:
        FileError: it cannot be written; nothing is left.
    """
    arrays = {"answers": shard.answers, "values": shard.values}
    arrays |= {f"outputs/{name}": x for name, x in shard.outputs.items()}
    head = {
        "format": FORMAT,
        "plan_sha256": plan_sha256,
        "data_sha256": shard.data_sha256,
        "first": shard.first,
        "cleared": shard.cleared,
        "counts": shard.counts.to_json(),
    }
    said = json.dumps({**head, "seal": _seal(head, arrays)})
    with replacing(path) as name, open(name, "wb") as file:
        np.savez_compressed(file, head=np.array(said), **arrays)  # type: ignore[arg-type]


def load_shard(path: Path, plan_sha256: str | None = None) -> Shard:
    """
    Raises:
        FileError: it is no whole shard, or not one of this plan.
    """
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(str(arrays.pop("head")))
        whole = head.pop("seal") == _seal(head, arrays) and head["format"] == FORMAT
        outputs = {name.removeprefix("outputs/"): x for name, x in arrays.items() if name not in _OWN}
        answers, values = (arrays[name] for name in _OWN)
        counts, data_sha256 = counts_of(head["counts"]), head["data_sha256"]
        shard = Shard(head["first"], answers, values, counts, head["cleared"], outputs, data_sha256)
        found = head["plan_sha256"]
    except UNREADABLE as error:
        raise TornShard(str(path), "is not a whole shard", do="delete it, and go on with --resume") from error
    if not whole:
        raise TornShard(str(path), "is not a whole shard", do="delete it, and go on with --resume")
    if plan_sha256 is not None and found != plan_sha256:
        raise FileMismatch(str(path), "is a shard of another score", do="name a new folder")
    return shard


class TornShard(FileError):
    """A shard that is damaged, and may be done again."""


def _seal(head: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(json.dumps(head).encode())
    for name, x in sorted(arrays.items()):
        digest.update(f"{len(name)} {name} {x.dtype.str} {x.shape};".encode())
        digest.update(np.ascontiguousarray(x).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
