"""A Program comes back from its file as it was; anything else in a file is a FileError."""

import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from spikeport.errors import FileError
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program, Sparse, identical
from spikeport.program_file import SEAL_BYTES, load_program, save_program, seal
from spikeport.sim.random_programs import KINDS, random_program


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.int64)


@pytest.fixture
def whole(rng: np.random.Generator) -> Program:
    """One of each part, every field off its default."""
    return Program(
        groups=(
            LIF("zeta", (2, 4, 4), du=4095, dv=100, vth=5, bias_mant=rng.integers(-5, 5, (2, 4, 4)), bias_exp=3),
            LIF("b", (6,), 0, 0, 9, zeros(6), reset_interval=8, reset_offset=3, v_unit=1 / 3),
        ),
        connections=(
            Conv("x", "zeta", rng.integers(0, 9, (2, 1, 2, 2)), 1, (1, 1), (2, 2), (4, 3), delay=2),
            Dense("zeta", "b", rng.integers(-20, 20, (6, 32)) * 2, -3, rng.integers(0, 9, (6, 32))),
            Sparse("b", "b", np.array([0, 5]), np.array([2, 0]), np.array([1, 2]), -1, np.array([1, 2])),
            Sparse("b", "b", zeros(0), zeros(0), zeros(0)),
        ),
        inputs=(Input("x", (1, 4, 3), "spike"), Input("image", (1, 4, 4), "bias", -7, 255)),
        outputs=(Output("y", "b", classes=3), Output("x", "zeta", reads="v")),
        encoders=(Encoder(Conv("image", "zeta", rng.integers(0, 9, (2, 1, 1, 1))), rng.integers(0, 9, (2, 4, 4)), 7),),
        latency=3,
        dt_s=2e-4,
        chip="loihi1",
        profile="lava",
        nir_sha256="0123456789abcdef" * 4,
    )


@pytest.fixture
def path(whole: Program, tmp_path: Path) -> Path:
    save_program(whole, tmp_path / "net.h5")
    return tmp_path / "net.h5"


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder that may be read only. Root may write anywhere, so root becomes nobody meanwhile."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o555)
        if user == 0:
            os.seteuid(65534)
        yield Path(name)
        os.seteuid(user)


def refused(path: Path) -> FileError:
    with pytest.raises(FileError) as caught:
        load_program(path)
    assert caught.value.where == str(path)
    return caught.value


# ---------------------------------------------------------------- there and back


def test_a_program_comes_back_identical(whole: Program, path: Path) -> None:
    assert identical(load_program(path), whole)


@pytest.mark.parametrize("seed", range(25))
def test_a_random_program_comes_back_identical(seed: int, tmp_path: Path) -> None:
    program, _ = random_program(np.random.default_rng(seed), kinds=KINDS)
    save_program(program, tmp_path / "net.h5")
    assert identical(load_program(tmp_path / "net.h5"), program)


def test_groups_keep_their_order(whole: Program, path: Path) -> None:
    assert [g.name for g in load_program(path).groups] == ["zeta", "b"]


def test_more_than_ten_connections_keep_their_order(whole: Program, tmp_path: Path) -> None:
    many = tuple(Dense("b", "b", zeros(6, 6), delay=d) for d in range(12))
    save_program(replace(whole, connections=many), tmp_path / "net.h5")
    assert [c.delay for c in load_program(tmp_path / "net.h5").connections] == list(range(12))


def test_text_and_path_objects_name_the_same_file(whole: Program, path: Path) -> None:
    assert identical(load_program(str(path)), whole)


def test_other_readers_of_hdf5_see_the_layout(path: Path) -> None:
    with h5py.File(path) as file:
        assert (file.attrs["format"], file.attrs["version"]) == ("spikeport-program", 2)
        assert set(file) == {"groups", "inputs", "outputs", "connections", "encoders"}
        assert file["connections/1/weight"].shape == (6, 32)
        assert file["connections/1"].attrs["kind"] == "dense"


def test_the_seal_can_be_read_without_hdf5(path: Path) -> None:
    assert path.read_bytes()[:SEAL_BYTES].startswith(b"spikeport-program sha256 ")


# ---------------------------------------------------------------- writing


def test_a_program_replaces_the_file_that_was_there(whole: Program, path: Path) -> None:
    save_program(replace(whole, latency=9), path)
    assert load_program(path).latency == 9
    assert os.listdir(path.parent) == ["net.h5"]


def test_a_folder_that_is_not_there_is_a_file_error_and_is_not_made(whole: Program, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        save_program(whole, tmp_path / "no" / "net.h5")
    assert caught.value.what == "cannot be written"
    assert caught.value.do == "choose a folder that you may write to"
    assert os.listdir(tmp_path) == []


def test_a_folder_that_may_not_be_written_stays_as_it_was(whole: Program, locked: Path) -> None:
    with pytest.raises(FileError, match=r"cannot be written \(Permission denied\)"):
        save_program(whole, locked / "net.h5")
    assert os.listdir(locked) == []


def test_a_folder_in_the_files_place_stays_as_it_was(whole: Program, tmp_path: Path) -> None:
    (tmp_path / "net.h5").mkdir()
    with pytest.raises(FileError, match="cannot be written"):
        save_program(whole, tmp_path / "net.h5")
    assert os.listdir(tmp_path) == ["net.h5"]


def test_a_write_that_fails_midway_leaves_the_old_file(
    whole: Program, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(h5py.Group, "create_dataset", full)
    with pytest.raises(FileError, match="No space left on device"):
        save_program(replace(whole, latency=9), path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["net.h5"]


# ---------------------------------------------------------------- damage


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert str(refused(tmp_path / "net.h5")) == f"{tmp_path}/net.h5: no such file"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path).what == "no such file"


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x89HDF\r\n\x1a\n", b"\0" * 4096], ids=["empty", "text", "hdf", "nul"]
)
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.h5").write_bytes(content)
    error = refused(tmp_path / "net.h5")
    assert error.what == "is not a spikeport Program"
    assert error.do == "make one with: spikeport compile net.nir"


def test_an_hdf5_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file["weight"] = [1, 2]
    assert refused(tmp_path / "net.h5").what == "is not a spikeport Program"


def test_a_truncated_file_is_refused_wherever_it_ends(path: Path) -> None:
    data = path.read_bytes()
    for end in [*range(0, 600, 37), *range(600, len(data), len(data) // 100), len(data) - 1]:
        path.write_bytes(data[:end])
        refused(path)


def test_a_file_that_was_appended_to_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    assert refused(path).what == "is damaged"


def test_a_flipped_bit_anywhere_is_refused_fast_and_in_little_memory(path: Path, rng: np.random.Generator) -> None:
    data = path.read_bytes()
    start, memory = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for position in rng.choice(len(data), 400, replace=False):
        flipped = bytearray(data)
        flipped[position] ^= 1 << rng.integers(8)
        path.write_bytes(flipped)
        assert refused(path).what in ("is damaged", "is not a spikeport Program")
    assert time.monotonic() - start < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 64 * 1024  # KiB


# ---------------------------------------------------------------- sealed files with the wrong content

Edit = Callable[[h5py.File], None]


def attribute(where: str, name: str, value: object) -> Edit:
    def edit(file: h5py.File) -> None:
        file[where].attrs[name] = value

    return edit


def without(where: str, name: str) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[where].attrs[name]

    return edit


def dataset(where: str, data: object) -> Edit:
    def edit(file: h5py.File) -> None:
        if where in file:
            del file[where]
        file[where] = data

    return edit


def removed(where: str) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[where]

    return edit


def edited(path: Path, edit: Edit) -> FileError:
    with h5py.File(path, "r+") as file:
        edit(file)
    seal(path)
    return refused(path)


CONTENT: list[tuple[Edit, str]] = [
    (attribute("/", "format", "other"), "is not a spikeport Program"),
    (without("/", "format"), "is not a spikeport Program"),
    (attribute("/", "version", 1), "format version (1) is not 2; compile it again"),
    (attribute("/", "version", "2"), "format version (2) is not 2; compile it again"),
    (without("/", "version"), "format version is not 2"),
    (without("/", "latency"), "lacks (latency); compile it again"),
    (without("/", "chip"), "lacks (chip)"),
    (removed("groups"), "lacks (groups)"),
    (removed("inputs"), "lacks (inputs)"),
    (removed("outputs"), "lacks (outputs)"),
    (removed("groups/b"), "is not a valid Program: zeta -> b: target (b) is not a neuron group"),
    (removed("groups/b/bias_mant"), "/groups/b lacks (bias_mant)"),
    (removed("connections/1/weight"), "/connections/1 lacks (weight)"),
    (removed("encoders/0/offset"), "/encoders/0/offset is not a data set of this file"),
    (removed("encoders/0/synapses"), "synapses is not a group of this file"),
    (without("groups/b", "du"), "/groups/b lacks (du)"),
    (without("groups/b", "order"), "is not a readable HDF5 file"),
    (without("connections/1", "kind"), "/connections/1: kind (None) is not one of dense, sparse, conv"),
    (without("encoders/0", "shift"), "/encoders/0 lacks (shift)"),
    (attribute("connections/1", "kind", "full"), "kind (full) is not one of dense, sparse, conv"),
    (attribute("encoders/0/synapses", "kind", "sparse"), ""),
    (attribute("/", "latency", -1), "program: latency (-1) is not in [0, 1048576]"),
    (attribute("/", "latency", 1.5), "program: latency (1.5) is not an integer"),
    (attribute("/", "latency", [1, 2]), "program: latency ((1, 2)) is not an integer"),
    (attribute("/", "dt_s", "fast"), "program: dt_s ('fast') is not a positive number"),
    (attribute("/", "dt_s", np.nan), "program: dt_s (nan) is not a positive number"),
    (attribute("/", "dt_s", h5py.Empty("f")), "program: dt_s"),
    (attribute("/", "profile", "other"), "program: profile (other) is not one of strict, lava, loihi1"),
    (attribute("/", "chip", 3), "program: chip (3) is not printable ASCII text"),
    (attribute("/", "chip", np.bytes_(b"\xff")), ""),
    (attribute("/", "nir_sha256", [1, 2]), "program: nir_sha256 ((1, 2)) is not printable ASCII text"),
    (attribute("groups/b", "vth", 2**17), "b: vth (131072) is not in [0, 131071]"),
    (attribute("groups/b", "vth", True), "b: vth (True) is not an integer"),
    (attribute("groups/b", "vth", 2**64 - 1), "b: vth (18446744073709551615) is not in [0, 131071]"),
    (attribute("groups/b", "v_unit", "x"), "b: v_unit ('x') is not a positive number"),
    (dataset("groups/b/v_unit", 1), "b: v_unit (array(1)) is not a positive number"),
    (attribute("groups/b", "shape", (7,)), "b: bias_mant shape ((6,)) is not (7,)"),
    (attribute("groups/b", "shape", 6), "b: shape (6) is not positive sizes below 2^31 in all"),
    (attribute("groups/b", "name", "../b"), "name ('../b') is not letters, digits and underscores"),
    (attribute("groups/b", "order", "first"), "is not a readable HDF5 file"),
    (attribute("groups/b", "order", (1, 2)), "is not a readable HDF5 file"),
    (dataset("groups/b/bias_mant", np.full(6, 4096)), "b: bias_mant (4096) is not in [-4096, 4095]"),
    (dataset("groups/b/bias_mant", np.zeros(6)), "/groups/b/bias_mant (float64, 48 bytes) is not an integer array"),
    (dataset("groups/b/bias_mant", "text"), "/groups/b/bias_mant (object"),
    (dataset("groups/b/bias_mant", zeros(5)), "b: bias_mant shape ((5,)) is not (6,)"),
    (dataset("connections/1/weight", np.full((6, 32), 300)), "weight (300) is not in [-256, 255]"),
    (dataset("connections/1/weight", zeros(6, 31)), "delay shape ((6, 32)) is not (6, 31)"),
    (dataset("connections/1/source", zeros(2)), ""),
    (dataset("connections/2/row", np.array([0, 6])), "b -> b: row (6) is not below 6"),
    (dataset("connections/2/delay", np.array([0, 63])), "b -> b: delay (63) is not in [0, 62]"),
    (attribute("connections/0", "stride", (0, 1)), "x -> zeta: stride (0) is not in [1, 32767]"),
    (attribute("connections/0", "groups", 0), "x -> zeta: groups (0) is not in [1, 2]"),
    (attribute("connections/0", "padding", (0, 0)), "x -> zeta: kernel ([2, 2]) exceeds the padded source"),
    (dataset("inputs/x/kind", zeros(2)), ""),
    (attribute("inputs/x", "kind", "other"), "x: input kind (other) is not one of spike, graded, bias"),
    (without("groups/b", "neuron"), "/groups/b: neuron (None) is not one of lif, sigma_delta, resonator"),
    (attribute("groups/b", "neuron", "alif"), "neuron (alif) is not one of lif, sigma_delta, resonator"),
    (attribute("groups/b", "neuron", "resonator"), "/groups/b lacks (kind)"),
    (attribute("groups/b", "reset", "half"), "b: reset (half) is not one of zero, subtract"),
    (attribute("groups/b", "vth_low", "none"), "b: vth_low ('none') is not an integer"),
    (attribute("connections/1", "graded", 1), "zeta -> b: graded (1) is not True or False"),
    (attribute("connections/1", "port", (1, 2)), "zeta -> b: port ((1, 2)) is not one of a, re, im"),
    (attribute("inputs/image", "low", 300), "image: low (300) is not below high 255"),
    (attribute("outputs/y", "source", "nobody"), "y: source (nobody) is not a neuron group"),
    (attribute("outputs/y", "reads", "u"), "y: reads (u) is not one of s, v"),
    (attribute("outputs/y", "reads", 1), "y: reads (1) is not one of s, v"),
    (attribute("outputs/y", "classes", 4), "y: neurons (6) do not divide by classes 4"),
    (attribute("encoders/0", "shift", 25), "shift (25) is not in [0, 24]"),
    (dataset("encoders/0/offset", zeros(3)), "offset shape ((3,)) is not (2, 4, 4)"),
    (dataset("encoders/0/offset", np.full((2, 4, 4), 2**31)), "offset (2147483648) is not in"),
]


@pytest.mark.parametrize(("edit", "words"), CONTENT, ids=[words for _, words in CONTENT])
def test_the_loader_trusts_no_content(edit: Edit, words: str, path: Path) -> None:
    assert words in str(edited(path, edit))


@pytest.mark.parametrize("folder", ["groups", "inputs", "outputs", "connections", "encoders"])
def test_a_data_set_in_a_groups_place_is_refused(folder: str, path: Path) -> None:
    assert edited(path, dataset(folder, [1, 2])).what == f"{folder} is not a group of this file"


@pytest.mark.parametrize(
    "where", ["groups", "groups/b", "groups/b/bias_mant", "encoders/0/offset", "encoders/0/synapses"]
)
@pytest.mark.parametrize("kind", ["soft", "external"])
def test_a_link_is_not_followed_even_to_the_right_content(where: str, kind: str, path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    other.write_bytes(path.read_bytes())

    def edit(file: h5py.File) -> None:
        file.move(where, "moved")
        file[where] = h5py.SoftLink("/moved") if kind == "soft" else h5py.ExternalLink(str(other), where)

    assert "of this file" in edited(path, edit).what


def test_data_kept_in_another_file_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"\0" * 48)

    def edit(file: h5py.File) -> None:
        del file["groups/b/bias_mant"]
        file.create_dataset("groups/b/bias_mant", (6,), "i8", external=[(str(tmp_path / "raw"), 0, 48)])

    assert edited(path, edit).what == "/groups/b/bias_mant is not a data set of this file"


def test_a_virtual_data_set_is_refused(path: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = zeros(6)

    def edit(file: h5py.File) -> None:
        del file["groups/b/bias_mant"]
        layout = h5py.VirtualLayout((6,), "i8")
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "x", (6,))
        file.create_virtual_dataset("groups/b/bias_mant", layout)

    assert edited(path, edit).what == "/groups/b/bias_mant is not a data set of this file"


def test_an_array_that_claims_more_than_its_file_can_hold_is_refused_unread(path: Path) -> None:
    def edit(file: h5py.File) -> None:
        file["groups/b"].attrs["shape"] = (2**30,)
        del file["groups/b/bias_mant"]
        file.create_dataset("groups/b/bias_mant", (2**30,), "i2", chunks=(2**20,), compression="gzip")

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = edited(path, edit)
    assert str(error).endswith("(int16, 2147483648 bytes) is not an integer array that this file can hold")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 64 * 1024  # KiB


def test_a_large_array_of_zeros_comes_back(whole: Program, tmp_path: Path) -> None:
    """It compresses as far as gzip goes; the claim is true all the same."""
    large = LIF("b", (6,), 0, 0, 9, zeros(6))
    big = LIF("big", (4000,), 0, 0, 1, zeros(4000))
    program = Program((large, big), (Dense("big", "big", zeros(4000, 4000)),), whole.inputs, (Output("y", "b"),))
    save_program(program, tmp_path / "net.h5")
    assert (tmp_path / "net.h5").stat().st_size < 2**18
    assert identical(load_program(tmp_path / "net.h5"), program)


def test_a_lava_dl_file_is_to_be_converted(tmp_path: Path) -> None:
    (tmp_path / "model.net").write_bytes(b"\x89HDF\r\n\x1a\n")
    assert refused(tmp_path / "model.net").do == "convert it: spikeport convert model.net -o net.h5"
