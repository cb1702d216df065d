"""Recordings of events as tonic leaves them; frames are counted by hand."""

from pathlib import Path

import numpy as np
import pytest

from spikeport.errors import FileError, InputError
from spikeport.train.data import load_data
from spikeport.train.data.cifar10_dvs import CLASSES
from spikeport.train.data.frames import Events, Frames
from tests.train.data.aedat4 import EVENT, write_aedat4


def events(rows: list[tuple[int, int, int, int]]) -> Events:
    """Of (t, x, y, p)."""
    t, x, y, p = np.array(rows, np.int64).reshape(-1, 4).T
    return Events(t, x, y, p)


ROWS = [(100, 1, 2, 0), (101, 1, 2, 0), (102, 127, 0, 1), (199, 3, 4, 1)]


def where(frames: np.ndarray) -> dict[tuple[int, ...], int]:
    return {tuple(map(int, place)): int(frames[tuple(place)]) for place in np.argwhere(frames)}


def test_frames_of_equal_counts() -> None:
    frames = Frames(2, "count").of(events(ROWS))
    assert frames.shape == (2, 2, 128, 128)
    assert frames.dtype == np.uint8
    assert where(frames) == {(0, 0, 2, 1): 2, (1, 1, 0, 127): 1, (1, 1, 4, 3): 1}


def test_frames_of_equal_time() -> None:
    """100 ticks in two halves: three events are in the first."""
    assert where(Frames(2, "time").of(events(ROWS))) == {(0, 0, 2, 1): 2, (0, 1, 0, 127): 1, (1, 1, 4, 3): 1}


def test_frames_may_be_binary_and_counts_end_at_255() -> None:
    many = [(n, 5, 6, 1) for n in range(300)]
    assert where(Frames(1, "count", binary=True).of(events(many))) == {(0, 1, 6, 5): 1}
    assert where(Frames(1, "count").of(events(many))) == {(0, 1, 6, 5): 255}


@pytest.mark.parametrize("by", ["count", "time"])
def test_no_events_are_frames_of_zeros_and_one_is_in_the_first(by: str) -> None:
    assert not Frames(3, by).of(events([])).any()
    assert where(Frames(3, by).of(events([(7, 0, 0, 0)]))) == {(0, 0, 0, 0): 1}


@pytest.mark.parametrize(("name", "value"), [("steps", 0), ("steps", 2.0), ("by", "events"), ("binary", 1)])
def test_wrong_options_are_refused(tmp_path: Path, name: str, value: object) -> None:
    for data in ("dvs128-gesture", "cifar10-dvs"):
        with pytest.raises(InputError, match=rf"frames: {name} \({value}\) is not"):
            load_data(data, tmp_path, **{name: value})


def write_gesture(root: Path) -> Path:
    """tonic's files have columns x, y, polarity, and time in ms."""
    folder = root / "DVSGesture"
    table = np.array([(x, y, p, t) for t, x, y, p in ROWS])
    for part in ("Train", "Test"):
        for user in ("user02_led", "user01_fluorescent"):
            (folder / f"ibmGesture{part}" / user).mkdir(parents=True)
            for label in (10, 0):
                np.save(folder / f"ibmGesture{part}" / user / f"{label}.npy", table.astype(np.float64))
    return folder


def test_gestures_are_in_the_order_of_their_files(tmp_path: Path) -> None:
    write_gesture(tmp_path)
    data = load_data("dvs128-gesture", tmp_path, steps=2, by="time")
    assert (data.classes, data.shape, data.scale) == (11, (2, 2, 128, 128), 1.0)
    assert data.train.labels.tolist() == data.test.labels.tolist() == [0, 10, 0, 10]
    assert where(data.train.images[1:2][0]) == {(0, 0, 2, 1): 2, (0, 1, 0, 127): 1, (1, 1, 4, 3): 1}


def test_gestures_are_resized_plane_by_plane(tmp_path: Path) -> None:
    """128 to 64 with a box twice as wide as bilinear's triangle: a constant plane stays, and the planes stay apart."""
    folder = write_gesture(tmp_path)
    full = np.stack([*np.mgrid[:128, :128].reshape(2, -1), np.ones(128 * 128), np.zeros(128 * 128)], 1)
    np.save(folder / "ibmGestureTrain/user01_fluorescent/0.npy", full)
    frames = load_data("dvs128-gesture", tmp_path, steps=1, size=64).train.images[:1]
    assert frames.shape == (1, 1, 2, 64, 64)
    assert (frames[0, 0, 1] == 1).all()
    assert not frames[0, 0, 0].any()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 5)), r"shape \(\(3, 5\)\) is not \(N, 4\)"),
        (np.array([[128, 0, 0, 0]]), r"x of the events \(128..128\) is not in \[0, 128\)"),
        (np.array([[0, -1, 0, 0]]), r"y of the events \(-1..-1\) is not in \[0, 128\)"),
        (np.array([[0, 0, 2, 0]]), r"polarity of the events \(2..2\) is not in \[0, 2\)"),
        (np.array([[0, 0, 1, np.nan]]), r"t of the events \(nan..nan\) is not in"),
        (np.array([[{}, 0, 0, 0]], object), "is not an array in numpy's format"),
    ],
)
def test_a_wrong_gesture_is_named(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(write_gesture(tmp_path) / "ibmGestureTrain/user01_fluorescent/0.npy", array)
    images = load_data("dvs128-gesture", tmp_path).train.images
    with pytest.raises(FileError, match=f"user01_fluorescent/0.npy: {message}"):
        images[:1]


def test_a_truncated_gesture_and_a_stray_file_are_named(tmp_path: Path) -> None:
    path = write_gesture(tmp_path) / "ibmGestureTrain/user01_fluorescent/0.npy"
    for size in (0, 40, -8):
        path.write_bytes(path.read_bytes()[:size] if size else b"")
        with pytest.raises(FileError, match="0.npy: is not an array"):
            load_data("dvs128-gesture", tmp_path).train.images[:1]
    path.with_name("trials.npy").write_bytes(b"")
    with pytest.raises(FileError, match="trials.npy: is not named by its class"):
        load_data("dvs128-gesture", tmp_path)


@pytest.fixture
def cifar10_dvs(tmp_path: Path) -> Path:
    """Eleven recordings a class; the number of each is the column of its one darker pixel."""
    pytest.importorskip("aedat", reason="the package aedat is not installed")
    for name in CLASSES:
        folder = tmp_path / "CIFAR10DVS" / name
        folder.mkdir(parents=True)
        for number in range(11):
            rows = np.zeros(4, EVENT)
            rows["t"], rows["x"], rows["y"], rows["on"] = (8, 9, 10, 11), (number, 20, 20, 20), 3, (0, 1, 1, 1)
            write_aedat4(folder / f"cifar10_{name}_{number}.aedat4", rows)
    return tmp_path


def test_cifar10_dvs_is_split_nine_to_one_by_number(cifar10_dvs: Path) -> None:
    """int(0.9 * 11) = 9 of each class, by number: 10 is after 9."""
    data = load_data("cifar10-dvs", cifar10_dvs, steps=2)
    assert (data.classes, data.shape, len(data.train), len(data.test)) == (10, (2, 2, 128, 128), 90, 20)
    assert data.train.labels.tolist() == np.repeat(np.arange(10), 9).tolist()
    darker = data.test.images[:4][:, 0, 0, 3]
    assert darker.argmax(1).tolist() == [9, 10, 9, 10]
    assert where(data.test.images[:1][0]) == {(0, 0, 3, 9): 1, (0, 1, 3, 20): 1, (1, 1, 3, 20): 2}


def test_a_damaged_recording_is_named(cifar10_dvs: Path) -> None:
    path = cifar10_dvs / "CIFAR10DVS/airplane/cifar10_airplane_0.aedat4"
    whole = path.read_bytes()
    for raw in (b"", whole[:20], whole[:-5]):
        path.write_bytes(raw)
        with pytest.raises(FileError, match="airplane_0.aedat4: is not a whole AEDAT 4 recording"):
            load_data("cifar10-dvs", cifar10_dvs).train.images[:1]
    rows = np.zeros(2, EVENT)
    write_aedat4(path, rows, kind="FRME")
    with pytest.raises(FileError, match="airplane_0.aedat4"):
        load_data("cifar10-dvs", cifar10_dvs).train.images[:1]
    rows["x"] = 128
    write_aedat4(path, rows)
    with pytest.raises(FileError, match=r"x of the events \(128..128\) is not in"):
        load_data("cifar10-dvs", cifar10_dvs).train.images[:1]


def test_a_class_without_recordings_is_named(cifar10_dvs: Path) -> None:
    for path in (cifar10_dvs / "CIFAR10DVS/ship").iterdir():
        path.unlink()
    with pytest.raises(FileError, match=r"number of recordings of ship \(0\) is below 2"):
        load_data("cifar10-dvs", cifar10_dvs)
