"""The recorded nets: their files, read and run by the float interpreter, give what their frameworks gave."""

import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from spikeport.errors import FileError
from tests.trained import data
from tests.trained.coding import bernoulli
from tests.trained.held import hold
from tests.trained.live import KEPT, recorded, table
from tests.trained.nets import Trained, read_trained, write_plain

NETS = read_trained()


def test_the_recorded_nets_are_those_that_are_kept() -> None:
    assert sorted(net.name for net in NETS) == sorted(KEPT)


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_a_trained_net_gives_its_frameworks_spikes_and_classes(net: Trained) -> None:
    held = hold(net)
    assert held.classes == held.differ == 0
    assert held.accuracy == net.accuracy
    assert held.deviation < 1e-5  # of membranes, which are float32 in the framework; spikes are equal


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_a_trained_net_has_learned_and_its_record_agrees_with_itself(net: Trained) -> None:
    assert net.accuracy >= 0.93
    assert np.mean(net.scores.argmax(1) == net.labels) == net.accuracy
    first = net.scores_of(net.out)
    assert np.allclose(first, net.scores[: len(first)], rtol=0, atol=1e-6)
    steps, _, *shape = net.spikes.shape
    assert net.calibration.shape == (steps, data.CALIBRATION, *shape)


@pytest.mark.parametrize("net", NETS[:1], ids=lambda net: net.name)
def test_a_net_written_plainly_holds_its_own_spikes(net: Trained, tmp_path: Path) -> None:
    write_plain(net, tmp_path)
    with np.load(tmp_path / f"{net.name}.npz") as plain:
        assert np.array_equal(plain["spikes"], net.spikes)
        assert np.array_equal(plain["labels"], net.labels)
    with np.load(tmp_path / f"{net.name}_calibration.npz") as plain:
        assert np.array_equal(plain["spikes"], net.calibration)
    assert (tmp_path / f"{net.name}.nir").read_bytes() == net.graph.read_bytes()


def test_recording_adds_what_the_interpreter_made_of_a_net(tmp_path: Path) -> None:
    net = NETS[0]
    shared = net.graph.with_name(f"{net.provenance['data']}.npz")
    for path in (net.graph, net.graph.with_suffix(".npz"), shared):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    bare = {key: value for key, value in net.provenance.items() if key != "held"}
    (tmp_path / f"{net.name}.json").write_text(json.dumps(bare))
    (copy,) = read_trained(tmp_path)
    assert recorded(copy).provenance["held"].keys() == net.provenance["held"].keys()
    (again,) = read_trained(tmp_path)
    assert table([again]) == table([net])


def test_the_recorded_spikes_are_drawn_from_the_test_images() -> None:
    source = data.SOURCES["digits"]
    _, test = source.split()
    dense = next(net for net in NETS if net.name == "norse_digits_dense")
    spikes = dense.spikes.reshape(source.steps, len(test), *test.images.shape)
    assert np.array_equal(dense.labels, test.labels)
    assert not spikes[:, test.images[:] == 0].any()
    assert spikes[:, test.images[:] == 255].all()
    assert abs(spikes.mean() - test.images[:].mean() / 255) < 0.005


def test_a_pixel_spikes_as_often_as_it_is_bright(rng: np.random.Generator) -> None:
    images = np.array([[0, 51, 255]], np.uint8)
    spikes = bernoulli(images, 20_000, rng)
    assert spikes.shape == (20_000, 1, 3)
    assert np.allclose(spikes.mean((0, 1)), [0, 0.2, 1], rtol=0, atol=0.02)


def test_fashion_mnist_is_read_from_idx_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "FASHION", tmp_path)
    images, labels = np.arange(2 * 28 * 28).reshape(2, 28, 28).astype(np.uint8), np.array([9, 3], np.uint8)
    for part in ("train", "t10k"):
        head = bytes([0, 0, 8, 3]) + struct.pack(">3i", 2, 28, 28)
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + images.tobytes()))
        head = bytes([0, 0, 8, 1]) + struct.pack(">i", 2)
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(head + labels.tobytes()))
    train, test = data.SOURCES["fashion"].split()
    assert np.array_equal(train.images, images[:, None])
    assert test.labels.tolist() == [9, 3]


def test_fashion_mnist_that_is_absent_is_said_with_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "FASHION", tmp_path)
    with pytest.raises(FileError, match="dataset-fashion-mnist"):
        data.SOURCES["fashion"].split()
