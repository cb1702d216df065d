"""CIFAR's pickles are read without being run; Python's own pickle writes them."""

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport.errors import FileError
from spikeport.train.data import load_data
from spikeport.train.data.catalogue import ENTRIES
from spikeport.train.data.pickled import read_batch

COUNT = 3
NAMES_10 = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]


def rows(seed: int, count: int = COUNT) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 3072)).astype(np.uint8)


def labels(seed: int, classes: int, count: int = COUNT) -> list[int]:
    return np.random.default_rng(100 + seed).integers(0, classes, count).tolist()


def python2(batch: list[tuple[bytes, Any]]) -> bytes:
    """The opcodes that Python 2 wrote at protocol 2: byte strings as such, and numpy's array as it reduces itself."""

    def value(item: Any) -> bytes:
        if isinstance(item, bytes):
            short = len(item) < 256
            return (b"U" + bytes([len(item)]) if short else b"T" + struct.pack("<i", len(item))) + item
        if isinstance(item, int):
            return b"K" + bytes([item]) if item < 256 else b"M" + struct.pack("<H", item)
        if isinstance(item, list):
            return b"]q\x05(" + b"".join(map(value, item)) + b"e"
        shape = b"".join(map(value, item.shape)) + b"\x86"
        kind = (
            b"cnumpy\ndtype\nq\x07"
            + value(b"u1")
            + b"K\x00K\x01\x87Rq\x08(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        )
        by_column = not item.flags.c_contiguous
        raw = value(item.tobytes("F" if by_column else "C"))
        begin = (
            b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85" + value(b"b") + b"\x87Rq\x04"
        )
        return begin + b"(K\x01" + shape + kind + (b"\x88" if by_column else b"\x89") + raw + b"tb"

    return b"\x80\x02}q\x00(" + b"".join(value(key) + value(item) for key, item in batch) + b"u."


def python3(batch: list[tuple[bytes, Any]]) -> bytes:
    return pickle.dumps(dict(batch), protocol=2)


def write_cifar10(root: Path, dumps: Any = python2) -> Path:
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    for seed, name in enumerate(NAMES_10):
        batch = [
            (b"batch_label", b"training batch"),
            (b"labels", labels(seed, 10)),
            (b"data", rows(seed)),
            (b"filenames", [b"leptodactylus_s_000004.png", b"camion_s_000148.png", b"x.png"]),
        ]
        (folder / name).write_bytes(dumps(batch))
    return folder


def test_the_written_batch_is_what_python_takes_it_for() -> None:
    """The opcodes by hand are a pickle of the same things."""
    for array in (rows(0), np.asfortranarray(rows(0))):
        found = pickle.loads(python2([(b"labels", [1, 2, 300]), (b"data", array)]), encoding="bytes")
        assert found[b"labels"] == [1, 2, 300]
        assert np.array_equal(found[b"data"], array)


@pytest.mark.parametrize("dumps", [python2, python3])
def test_cifar10_is_its_five_batches_and_the_test_batch(tmp_path: Path, dumps: Any) -> None:
    write_cifar10(tmp_path, dumps)
    data = load_data("cifar10", tmp_path)
    assert (data.classes, data.shape, len(data.train), len(data.test)) == (10, (3, 32, 32), 15, 3)
    assert (data.classes, data.shape) == (ENTRIES["cifar10"].classes, ENTRIES["cifar10"].shape)
    assert np.array_equal(data.train.images, np.concatenate([rows(n) for n in range(5)]).reshape(-1, 3, 32, 32))
    assert data.train.labels.tolist() == sum((labels(n, 10) for n in range(5)), [])
    assert np.array_equal(data.test.images, rows(5).reshape(-1, 3, 32, 32))
    assert data.test.labels.tolist() == labels(5, 10)
    assert data.mean == (125, 123, 114)
    assert data.std == pytest.approx((0.2023 + 0.1994 + 0.2010) / 3)


def test_cifar10_in_its_binary_version(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for seed, name in enumerate(NAMES_10):
        records = [bytes([label]) + row.tobytes() for label, row in zip(labels(seed, 10), rows(seed), strict=True)]
        (folder / f"{name}.bin").write_bytes(b"".join(records))
    data = load_data("cifar10", tmp_path)
    assert np.array_equal(data.train.images[3:6], rows(1).reshape(-1, 3, 32, 32))
    assert data.train.labels[3:6].tolist() == labels(1, 10)
    (folder / "data_batch_3.bin").write_bytes(b"\0" * 3074)
    with pytest.raises(FileError, match=r"data_batch_3.bin: number of bytes \(3,074\) is not a multiple of 3,073"):
        load_data("cifar10", tmp_path)


@pytest.mark.parametrize("dumps", [python2, python3])
def test_cifar100_has_the_fine_labels(tmp_path: Path, dumps: Any) -> None:
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    for seed, name in enumerate(("train", "test")):
        batch = [
            (b"filenames", [b"bos_taurus_s_000507.png"] * COUNT),
            (b"batch_label", b"training batch 1 of 1"),
            (b"fine_labels", labels(seed, 100)),
            (b"coarse_labels", [11, 15, 4]),
            (b"data", rows(seed)),
        ]
        (folder / name).write_bytes(dumps(batch))
    data = load_data("cifar100", tmp_path)
    assert (data.classes, data.mean) == (100, (129, 124, 112))
    assert data.train.labels.tolist() == labels(0, 100)
    assert np.array_equal(data.test.images, rows(1).reshape(-1, 3, 32, 32))


def test_cifar100_in_its_binary_version_has_the_fine_label_second(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    for name in ("train", "test"):
        (folder / f"{name}.bin").write_bytes(b"".join(bytes([19, 87]) + row.tobytes() for row in rows(0)))
    data = load_data("cifar100", tmp_path)
    assert data.train.labels.tolist() == [87] * COUNT
    assert np.array_equal(data.train.images, rows(0).reshape(-1, 3, 32, 32))


@pytest.mark.parametrize("dumps", [python2, python3])
def test_long_lists_of_labels_are_whole(tmp_path: Path, dumps: Any) -> None:
    """pickle appends a thousand at a time."""
    path = tmp_path / "batch"
    expected = labels(0, 10, 2500)
    path.write_bytes(dumps([(b"labels", expected), (b"data", rows(0, 2500)[:, :2].copy())]))
    found, of = read_batch(path, "labels", 2)
    assert of.tolist() == expected
    assert np.array_equal(found, rows(0, 2500)[:, :2])


@pytest.mark.parametrize("dumps", [python2, python3])
def test_an_array_that_lies_by_columns_is_turned(tmp_path: Path, dumps: Any) -> None:
    path = tmp_path / "batch"
    path.write_bytes(dumps([(b"data", np.asfortranarray(rows(0))), (b"labels", [1, 2, 3])]))
    assert np.array_equal(read_batch(path, "labels", 3072)[0], rows(0))


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_malicious_pickle_does_not_run(tmp_path: Path) -> None:
    """The bomb works, but not here: the batch beside it is read, or refused where nothing else is in the file."""
    trace = tmp_path / "ran"
    pickle.loads(pickle.dumps(Bomb(trace), protocol=2))
    assert trace.exists()
    trace.unlink()
    folder = write_cifar10(tmp_path, lambda batch: python3([(b"bomb", Bomb(trace)), *batch]))
    assert np.array_equal(load_data("cifar10", tmp_path).test.images, rows(5).reshape(-1, 3, 32, 32))
    (folder / "test_batch").write_bytes(pickle.dumps(Bomb(trace), protocol=2))
    with pytest.raises(FileError, match="number of arrays"):
        load_data("cifar10", tmp_path)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([(b"labels", [1, 2, 3])], r"number of arrays \(0\) is not 1"),
        ([(b"labels", [1, 2, 3]), (b"data", rows(0)), (b"more", rows(1))], r"number of arrays \(2\) is not 1"),
        ([(b"labels", [1, 2]), (b"data", rows(0))], r"bytes of images \(9,216\) are not the 2 x 3,072 that its labels"),
        (
            [(b"fine_labels", [1, 2, 3]), (b"data", rows(0))],
            r"bytes of images \(9,216\) are not the 0 x 3,072 that its labels ask for",
        ),
        ([(b"labels", [1, 2, 10]), (b"data", rows(0))], r"labels \(1..10\) are not in \[0, 10\)"),
    ],
)
def test_a_wrong_batch_is_named(tmp_path: Path, batch: list[tuple[bytes, Any]], message: str) -> None:
    folder = write_cifar10(tmp_path)
    (folder / "data_batch_2").write_bytes(python2(batch))
    with pytest.raises(FileError, match=f"data_batch_2: {message}"):
        load_data("cifar10", tmp_path)


@pytest.mark.parametrize("size", [0, 1, 50, 5000, -1])
def test_a_truncated_batch_is_named(tmp_path: Path, size: int) -> None:
    path = write_cifar10(tmp_path) / "data_batch_4"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FileError, match="data_batch_4: is not a pickled batch .*; nothing in it was run"):
        load_data("cifar10", tmp_path)


def test_a_missing_batch_and_a_missing_set_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not hold cifar10; looked for cifar-10-batches-py/data_batch_1, "):
        load_data("cifar10", tmp_path)
    (write_cifar10(tmp_path) / "data_batch_5").unlink()
    with pytest.raises(FileError, match=r"data_batch_5: cannot be read \(No such file or directory\)"):
        load_data("cifar10", tmp_path)
