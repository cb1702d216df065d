"""Ctrl-C between any two calls of the system's leaves the old file or the new one; inside HDF5 it waits."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import h5py
import numpy as np
import pytest

from spikeport.atomic import CALLED_BY_HDF5, replacing, replacing_folder, replacing_hdf5


@contextmanager
def pressed_once_inside() -> Iterator[list[str]]:
    """Sends SIGINT at the second line of the first function that HDF5 calls."""
    pressed: list[str] = []

    def line(frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line" and not pressed:
            pressed.append(frame.f_code.co_name)
            signal.raise_signal(signal.SIGINT)
        return line

    before = sys.gettrace()
    sys.settrace(lambda frame, event, arg: line if frame.f_code in CALLED_BY_HDF5 else None)
    try:
        yield pressed
    finally:
        sys.settrace(before)


def test_it_comes_when_hdf5_is_done_and_no_file_is_left(tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    closed = False
    with pytest.raises(KeyboardInterrupt), pressed_once_inside() as pressed:
        with replacing_hdf5(tmp_path / "y.h5") as sink:
            with h5py.File(sink, "w") as file:
                file["x"] = np.arange(10)
            closed = True
    assert pressed and pressed[0] in ("write", "readinto", "truncate")
    assert closed  # HDF5 was not cut off inside one of its calls
    assert [*tmp_path.iterdir()] == []
    assert signal.getsignal(signal.SIGINT) is handler


def test_without_it_the_file_is_there(tmp_path: Path) -> None:
    with replacing_hdf5(tmp_path / "y.h5") as sink, h5py.File(sink, "w") as file:
        file["x"] = np.arange(10)
    with h5py.File(tmp_path / "y.h5") as file:
        assert file["x"][:].tolist() == [*range(10)]


# ---------------------------------------------------------------- files and folders


@contextmanager
def pressed_at(monkeypatch: pytest.MonkeyPatch, name: str, number: int, after: bool) -> Iterator[None]:
    """Ctrl-C right before or after call `number` of a method of paths."""
    real, calls = getattr(Path, name), []

    def called(self: Path, *words: Any, **more: Any) -> Any:
        calls.append(self)
        mine = len(calls) == number
        if mine and not after:
            raise KeyboardInterrupt
        found = real(self, *words, **more)
        if mine:
            raise KeyboardInterrupt
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Path, name, called)
        with pytest.raises(KeyboardInterrupt):
            yield
    assert len(calls) >= number


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["touch", "chmod", "replace"])
def test_a_file_is_the_old_or_the_new_one(
    name: str, after: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "y.txt"
    path.write_text("old")
    with pressed_at(monkeypatch, name, 1, after), replacing(path) as temporary:
        Path(temporary).write_text("new")
    assert path.read_text() == ("new" if (name, after) == ("replace", True) else "old")
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("name", "number"), [("mkdir", 1), ("chmod", 1), ("rename", 1), ("rename", 2)])
def test_a_folder_is_the_old_or_the_new_one(
    name: str, number: int, after: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b"
    path.mkdir()
    (path / "x").write_text("old")
    with pressed_at(monkeypatch, name, number, after), replacing_folder(path, ["x"]) as temporary:
        (temporary / "x").write_text("new")
    assert (path / "x").read_text() == ("new" if (name, number, after) == ("rename", 2, True) else "old")
    assert [*path.iterdir()] == [path / "x"] and [*tmp_path.iterdir()] == [path]
