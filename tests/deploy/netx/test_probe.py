"""A file over which the child comes to grief is refused before this process opens it."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from spikeport.deploy.netx import probe, read_netx
from spikeport.errors import FileError
from tests.deploy.netx.netfile import dense, write_net


def test_a_sound_file_passes(tmp_path: Path) -> None:
    net = write_net(tmp_path / "a.net", dense(2 * np.ones((3, 2))))
    probe.check_readable(net, "a.net")


def test_a_child_that_does_not_come_back_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = write_net(tmp_path / "a.net", dense(2 * np.ones((3, 2))))
    monkeypatch.setattr(probe, "SECONDS", 0)  # of a core: the system ends it
    with pytest.raises(FileError, match=r"a\.net: is not a readable netx file \(reading it took more than"):
        read_netx(net)


def test_what_h5py_words_is_left_to_the_reader(tmp_path: Path) -> None:
    net = tmp_path / "a.net"
    net.write_bytes(b"no HDF5")
    probe.check_readable(net, "a.net")
    with pytest.raises(FileError, match="is not a readable netx file"):
        read_netx(net)


def test_arrays_larger_than_the_file_are_not_read_by_the_child(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.net", "w") as file:
        file.create_dataset("huge", (1 << 40,), "i1", chunks=(1 << 20,))
    probe.check_readable(tmp_path / "a.net", "a.net")
