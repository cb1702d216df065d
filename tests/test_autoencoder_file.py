"""A bundle comes back from its folder as it was; anything else there is a FileError, and nothing is lost."""

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport.autoencoder import Bundle
from spikeport.autoencoder_file import _seal, _sha256, is_bundle, load_bundle, save_bundle
from spikeport.errors import FileError
from spikeport.program import identical
from spikeport.program_file import load_program
from tests.arrays import arrays_of
from tests.bundles import small_bundle

READOUTS = pytest.mark.parametrize("readout", ["membrane", "taid"])


@pytest.fixture(scope="module")
def bundles() -> dict[str, Bundle]:
    return {readout: small_bundle(readout=readout) for readout in ("membrane", "taid")}


def arrays(part: Any) -> list[tuple[str, Any]]:
    return [(name, value.tolist() if isinstance(value, np.ndarray) else value) for name, value in vars(part).items()]


@READOUTS
@pytest.mark.parametrize("alone", [False, True])
def test_a_bundle_comes_back(readout: str, alone: bool, bundles: dict[str, Bundle], tmp_path: Path) -> None:
    bundle = replace(bundles[readout], encoder=None, bottleneck=None) if alone else bundles[readout]
    save_bundle(bundle, tmp_path / "b")
    found = load_bundle(tmp_path / "b")
    assert found.programs.keys() == bundle.programs.keys()
    for name, program in bundle.programs.items():
        assert identical(found.programs[name], program)
        assert identical(load_program(tmp_path / "b" / f"{name}.h5"), program)
    assert (found.steps, found.pixels) == (bundle.steps, bundle.pixels)
    for name in ("bottleneck", "attention"):
        mine, theirs = getattr(bundle, name), getattr(found, name)
        assert (mine is None) == (theirs is None)
        assert mine is None or arrays(mine) == arrays(theirs)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert is_bundle(tmp_path / "b") and not is_bundle(tmp_path)


def test_a_bundle_replaces_a_bundle(bundles: dict[str, Bundle], tmp_path: Path) -> None:
    save_bundle(bundles["taid"], tmp_path / "b")
    save_bundle(replace(bundles["membrane"], encoder=None, bottleneck=None), tmp_path / "b")
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["bundle.json", "decoder.h5"]
    assert load_bundle(tmp_path / "b").attention is None
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_nothing_else_is_replaced(bundles: dict[str, Bundle], tmp_path: Path) -> None:
    save_bundle(bundles["taid"], tmp_path / "b")
    (tmp_path / "b" / "images.png").write_bytes(b"mine")
    with pytest.raises(FileError, match=r"holds \(images.png\) would be lost with the folder"):
        save_bundle(bundles["membrane"], tmp_path / "b")
    assert (tmp_path / "b" / "images.png").read_bytes() == b"mine"
    assert load_bundle(tmp_path / "b").attention is not None
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(FileError, match="is no folder"):
        save_bundle(bundles["membrane"], tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_write_that_fails_leaves_what_was_there(
    bundles: dict[str, Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_bundle(bundles["taid"], tmp_path / "b")
    rename, calls = Path.rename, []

    def fails_once(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:  # the old one is aside
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails_once)
    with pytest.raises(FileError, match=r"cannot be written \(No space left on device\)"):
        save_bundle(bundles["membrane"], tmp_path / "b")
    assert load_bundle(tmp_path / "b").attention is not None
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    with pytest.raises(FileError, match="cannot be written"):
        save_bundle(bundles["membrane"], tmp_path / "missing" / "b")


@pytest.fixture
def folder(bundles: dict[str, Bundle], tmp_path: Path) -> Path:
    save_bundle(bundles["taid"], tmp_path / "b")
    return tmp_path / "b"


def refused(folder: Path, what: str) -> None:
    with pytest.raises(FileError, match=what) as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)


def test_what_is_no_bundle_is_refused(folder: Path, tmp_path: Path) -> None:
    refused(tmp_path / "missing", "no such folder")
    refused(tmp_path, "lacks bundle.json; make a bundle with")
    refused(folder / "decoder.h5", "lacks bundle.json")


@pytest.mark.parametrize("name", ["encoder.h5", "decoder.h5", "host.npz", "bundle.json"])
def test_every_bit_counts(name: str, folder: Path, rng: np.random.Generator) -> None:
    whole = (folder / name).read_bytes()
    for place in rng.integers(0, len(whole), 12):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        (folder / name).write_bytes(bytes(flipped))
        try:
            load_bundle(folder)
        except FileError as error:
            assert "\n" not in str(error)
        else:
            assert json.loads(bytes(flipped)) == json.loads(whole)  # between two tokens
    (folder / name).write_bytes(whole[: len(whole) // 2])
    refused(folder, "is damaged" if name == "bundle.json" else "is not the bundle's")
    (folder / name).unlink()
    refused(folder, f"lacks {name}")


def test_files_of_two_bundles_are_not_mixed(folder: Path, bundles: dict[str, Bundle], tmp_path: Path) -> None:
    save_bundle(bundles["membrane"], tmp_path / "other")
    os.replace(tmp_path / "other" / "decoder.h5", folder / "decoder.h5")
    refused(folder, "is not the bundle's; compile it again, or copy it again")


def forged(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """What someone with this code could write: every hash is right."""
    head = json.loads((folder / "bundle.json").read_text())
    del head["seal"]
    change(head)
    head["sha256"] = {n: _sha256(folder / n) if (folder / n).is_file() else "" for n in head["sha256"]}
    head["seal"] = _seal(head)
    (folder / "bundle.json").write_text(json.dumps(head))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda head: head.update(version=2), r"format version \(2\) is not 1"),
        (lambda head: head.update(format="other"), "is not a spikeport bundle"),
        (lambda head: head.update(steps=3), "taid: steps"),
        (lambda head: head.update(steps="4"), "bundle: steps"),
        (lambda head: head.update(latent=8), r"latent neurons \(8\) are not 7"),
        (lambda head: head.update(more=1), "is damaged"),
        (lambda head: head.update(pixels={"low": 0}), "is not a valid bundle"),
        (lambda head: head.update(pixels=[]), "is not a valid bundle"),
        (lambda head: head.update(readout={}), "is not a valid bundle"),
        (lambda head: head.update(readout={"kind": "other"}), r"readout: kind \(other\)"),
        (lambda head: head.update(readout={"kind": "membrane"}), "output reads"),
        (lambda head: head["readout"].update(padding=5), "is not a valid bundle"),
        (lambda head: head["readout"].update(form=[]), "taid: form"),
        (lambda head: head["sha256"].pop("host.npz"), "is not a valid bundle"),
        (lambda head: head["sha256"].pop("decoder.h5"), "is damaged"),
        (lambda head: head["sha256"].update({"../host.npz": ""}), "is damaged"),
    ],
)
def test_a_forged_bundle_is_refused_in_one_line(change: Any, what: str, folder: Path) -> None:
    forged(folder, change)
    refused(folder, what)


@pytest.mark.parametrize("content", [b"", b"[1]", b"null", b"{", b"[" * 50_000, b'{"format": 1}', b" " * (1 << 17)])
def test_a_head_that_is_none_is_refused(content: bytes, folder: Path) -> None:
    (folder / "bundle.json").write_bytes(content)
    refused(folder, "bundle.json: is (damaged|not a spikeport bundle)")


def test_nothing_is_unpickled_or_unpacked(folder: Path) -> None:
    whole = arrays_of(folder / "host.npz")
    np.savez_compressed(folder / "host.npz", **whole)
    forged(folder, lambda head: None)
    refused(folder, "is not an npz file of the host's arrays")
    np.savez(folder / "host.npz", **{**whole, "taid_bias": np.array([{"a": 1}], object)})  # type: ignore[arg-type]
    forged(folder, lambda head: None)
    refused(folder, "is not a readable npz file")
    (folder / "host.npz").write_bytes(pickle.dumps(whole))
    forged(folder, lambda head: None)
    refused(folder, "is not a readable npz file")
