"""Sheets of pictures by hand, and files of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spikeport.commands.autoencoders.images import check_pictures_writable, read_pictures, sheet, write_pictures
from spikeport.errors import FileError, InputError


def plain(*greys: int, channels: int = 1) -> np.ndarray:
    """Pictures of 1 x 2 pixels, each of one grey."""
    return np.array(greys, np.uint8)[:, None, None, None].repeat(channels, 1).repeat(2, 3)


def test_pictures_stand_row_by_row_with_white_between_them() -> None:
    w = 255
    assert sheet((plain(1, 2, 3),)).tolist() == [[1, 1, w, w, 2, 2], [w] * 6, [w] * 6, [3, 3, w, w, w, w]]


def test_one_row_has_the_others_below_it() -> None:
    found = sheet((plain(1, 2), plain(3, 4)))
    assert found[0].tolist() == [1, 1, 255, 255, 2, 2]
    assert found[3].tolist() == [3, 3, 255, 255, 4, 4]
    assert found.shape == (4, 6)


def test_one_picture_is_the_sheet() -> None:
    assert sheet((plain(7),)).tolist() == [[7, 7]]


def test_colours_come_last(tmp_path: Path) -> None:
    picture = np.arange(6, dtype=np.uint8).reshape(1, 3, 1, 2)
    write_pictures(tmp_path / "a.png", (picture,), {})
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGB"
        assert np.asarray(image).tolist() == [[[0, 2, 4], [1, 3, 5]]]


def test_arrays_come_back_from_an_npz(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a.npz", (), {"images": plain(1, 2)})
    assert read_pictures(tmp_path / "a.npz").tolist() == plain(1, 2).tolist()
    np.savez(tmp_path / "b.npz", other=plain(1))
    with pytest.raises(FileError, match="holds no array"):
        read_pictures(tmp_path / "b.npz")


def test_files_that_hold_no_pictures_are_refused_before_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ending \(.jpg\) is not one of .npz, .png"):
        check_pictures_writable(tmp_path / "a.jpg", 1)
    with pytest.raises(InputError, match=r"channels \(2\) are not 1 or 3; write .npz"):
        check_pictures_writable(tmp_path / "a.png", 2)
    with pytest.raises(FileError, match="cannot be written"):
        check_pictures_writable(tmp_path / "missing" / "a.png", 1)
    check_pictures_writable(tmp_path / "a.npz", 2)
