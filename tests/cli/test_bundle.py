"""`spikeport bundle` and `spikeport verify OUT.ZIP`: exit codes, lines, and files that are whole or not there."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from spikeport.commands.proof.bundling import bundle
from spikeport.errors import FileError, InputError, OverflowDetected
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.program_file import load_program, save_program
from tests.cli.command import in_child as spikeport

NIR = b"stands for a graph"


def layer(vth: int = 40) -> Program:
    group = LIF("lif1", (5,), -1, 0, vth, np.full(5, 4095), bias_exp=7)
    links = (Dense("x", "lif1", 2 * np.arange(-8, 12).reshape(5, 4), 7),)
    sha256 = hashlib.sha256(NIR).hexdigest()
    return Program((group,), links, (Input("x", (4,), "spike"),), (Output("y", "lif1"),), latency=1, nir_sha256=sha256)


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A Program, its NIR file, and six samples."""
    save_program(layer(), tmp_path / "net.h5")
    (tmp_path / "net.nir").write_bytes(NIR)
    np.savez(tmp_path / "x.npz", spikes=rng.integers(0, 2, (8, 6, 4)), labels=np.zeros(6, int))
    return tmp_path


def test_a_bundle_is_made_proven_and_touched(folder: Path) -> None:
    out = folder / "out.zip"
    made = spikeport(
        "bundle", folder / "net.h5", "--input", folder / "x.npz", "--nir", folder / "net.nir", "-o", out, "--json"
    )
    assert (made.returncode, made.stderr) == (0, "")
    said = json.loads(made.stdout)
    assert said["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest() and said["bytes"] == out.stat().st_size
    assert said["samples"] == 4 and "net.nir" in said["files"]

    proven = spikeport("verify", out, "--json")
    assert (proven.returncode, proven.stderr) == (0, "")
    assert json.loads(proven.stdout)["layers"] == {"lif1": "equal"}

    data = bytearray(out.read_bytes())
    data[-300] ^= 16
    out.write_bytes(data)
    damaged = spikeport("verify", out)
    assert (damaged.returncode, damaged.stdout) == (2, "")
    assert damaged.stderr.startswith(f"error SP104: {out}: directory entry of ") and damaged.stderr.count("\n") == 1


def test_the_same_files_give_the_same_bytes(folder: Path) -> None:
    names = [folder / "a.zip", folder / "b.zip"]
    for name in names:
        bundle(folder / "net.h5", folder / "x.npz", None, 2, name)
    assert names[0].read_bytes() == names[1].read_bytes()
    bundle(folder / "net.h5", folder / "x.npz", None, 3, names[1])
    assert names[0].read_bytes() != names[1].read_bytes()


def test_saving_a_program_gives_the_same_bytes(folder: Path) -> None:
    """So the bundle of a network that is compiled again is the same file."""
    first = (folder / "net.h5").read_bytes()
    save_program(load_program(folder / "net.h5"), folder / "again.h5")
    assert (folder / "again.h5").read_bytes() == first


def test_what_cannot_be_bundled_is_refused_and_nothing_is_written(folder: Path) -> None:
    net, x, out = folder / "net.h5", folder / "x.npz", folder / "out.zip"
    (folder / "other.nir").write_bytes(b"another graph")
    save_program(layer(vth=131071), folder / "over.h5")
    before = sorted(folder.iterdir())
    with pytest.raises(FileError, match=r"other.nir: is not the graph of .*net.h5: its SHA-256 is "):
        bundle(net, x, folder / "other.nir", 2, out)
    with pytest.raises(InputError, match="is a folder; bundle one Program of it"):
        bundle(folder, x, None, 2, out)
    with pytest.raises(FileError, match="none.h5: no such file"):
        bundle(folder / "none.h5", x, None, 2, out)
    with pytest.raises(FileError, match="x.npz: is not a spikeport Program"):
        bundle(x, x, None, 2, out)
    with pytest.raises(FileError, match="net.h5: is not a readable npz file"):
        bundle(net, net, None, 2, out)
    with pytest.raises(InputError, match=r"samples: count \(0\) is not above 0"):
        bundle(net, x, None, 0, out)
    with pytest.raises(FileError, match="x.npz: is what the bundle is made from"):
        bundle(net, x, None, 2, x)
    with pytest.raises(FileError, match="cannot be written"):
        bundle(net, x, None, 2, folder / "none" / "out.zip")
    with pytest.raises(OverflowDetected, match="lif1: v of neuron"):
        bundle(folder / "over.h5", x, None, 2, out)
    assert sorted(folder.iterdir()) == before


def test_a_program_without_a_graph_takes_no_graph(folder: Path) -> None:
    group = layer().groups[0]
    save_program(Program((group,), layer().connections, layer().inputs, layer().outputs), folder / "hand.h5")
    with pytest.raises(FileError, match="the Program names no NIR file"):
        bundle(folder / "hand.h5", folder / "x.npz", folder / "net.nir", 2, folder / "out.zip")


def test_a_full_disk_leaves_the_old_bundle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = folder / "out.zip"
    out.write_bytes(b"the old one")

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    before = sorted(folder.iterdir())
    monkeypatch.setattr("spikeport.commands.proof.bundling.Path.write_bytes", full)
    monkeypatch.setattr("spikeport.commands.proof.bundling.program_of", lambda data, where: layer())
    with pytest.raises(FileError, match="out.zip: cannot be written .No space left on device."):
        bundle(folder / "net.h5", folder / "x.npz", None, 2, out)
    assert out.read_bytes() == b"the old one" and sorted(folder.iterdir()) == before


def test_verify_says_what_a_program_needs(folder: Path) -> None:
    asked = spikeport("verify", folder / "net.h5")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert (
        asked.stderr == f"error SP105: {folder / 'net.h5'}: is a Program, not a bundle; name its input: --input x.npz\n"
    )


def test_its_checksum_stands_in_one_line(folder: Path) -> None:
    """To be copied: a table's title is folded where the window is narrow, and a note is not."""
    made = bundle(folder / "net.h5", folder / "x.npz", None, 4, folder / "out.zip")
    packed = (folder / "out.zip").read_bytes()
    assert f"SHA-256 {hashlib.sha256(packed).hexdigest()}" in made.notes
    assert "SHA" not in made.title
