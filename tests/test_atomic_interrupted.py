"""Ctrl-C while HDF5 writes: it waits until HDF5 has control no more, is not lost, and leaves nothing."""

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

from spikeport.atomic import CALLED_BY_HDF5, replacing_hdf5


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
