"""Archives of which every byte follows from the members: numpy and zipfile are the oracles."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spikeport.archive import npz_arrays, npz_bytes, spans, zip_bytes
from spikeport.errors import FileError, InputError

NAMES = st.text("abcXYZ019_./", min_size=1, max_size=12)
INTEGERS = st.sampled_from(["u1", "i1", "<i2", "<u2", "<i4", "<i8", ">i4", ">i8"])
ARRAYS = INTEGERS.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_dims=4)))


@given(st.dictionaries(NAMES, st.binary(max_size=50), max_size=5))
def test_zipfile_reads_what_was_packed(members: dict[str, bytes]) -> None:
    packed = zip_bytes(members)
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == members
        assert all(i.date_time == (1980, 1, 1, 0, 0, 0) and i.external_attr >> 16 == 0o100644 for i in file.infolist())
    assert zip_bytes(members) == packed


@given(st.dictionaries(NAMES, st.binary(max_size=50), max_size=5))
def test_spans_say_what_each_byte_is(members: dict[str, bytes]) -> None:
    packed, parts = zip_bytes(members), spans({name: len(data) for name, data in members.items()})
    assert [p.start for p in parts] == [0, *(p.end for p in parts[:-1])] and parts[-1].end == len(packed)
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        for i in file.infolist():
            header = next(p for p in parts if p.start == i.header_offset and p.what.startswith("header of"))
            assert header.what == f"header of {i.filename}"
            place = parts[parts.index(header) + 1]
            assert place.what == i.filename and packed[place.start : place.end] == members[i.filename]
        first = next(p for p in parts if p.what.startswith(("directory", "end")))
        assert first.start == file.start_dir


def test_an_archive_beyond_4_gib_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikeport.archive.MAX_BYTES", 100)
    with pytest.raises(InputError, match=r"archive: bytes \(\d+\) exceed 100; take fewer samples"):
        zip_bytes({"a": b"x" * 20})


@given(st.dictionaries(NAMES, ARRAYS, max_size=4))
def test_numpy_reads_the_arrays_that_were_written(arrays: dict[str, np.ndarray]) -> None:
    data = npz_bytes(arrays)
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        assert set(file.files) == set(arrays)
        for name, x in arrays.items():
            assert file[name].dtype == x.dtype.newbyteorder("<")
            assert np.array_equal(file[name], x) and file[name].shape == x.shape
    found = npz_arrays(data, "here")
    assert list(found) == list(arrays)
    assert all(np.array_equal(found[name], x) and found[name].shape == x.shape for name, x in arrays.items())


def test_a_flipped_bit_is_refused_or_is_another_array() -> None:
    """CRCs and sizes, headers and directory: nothing of them is ignored. What is left is the arrays' own bytes."""
    arrays = {"a/b": np.arange(6, dtype=np.int32).reshape(2, 3), "c": np.zeros((0, 4), np.uint8)}
    data = npz_bytes(arrays)
    for at in range(len(data)):
        for bit in range(8):
            bad = bytearray(data)
            bad[at] ^= 1 << bit
            with pytest.raises(FileError):
                npz_arrays(bytes(bad), "here")


def pickled() -> bytes:
    file = io.BytesIO()
    np.savez(file, x=np.array([{"a": 1}], object))
    return file.getvalue()


def deflated() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, x=np.zeros(1 << 20, np.uint8))
    return file.getvalue()


def twice() -> bytes:
    one = npz_bytes({"a": np.ones(3, np.int16), "b": np.ones(3, np.int16)})
    return one.replace(b"b.npy", b"a.npy")


def claiming(shape: str) -> bytes:
    said = f"{{'descr': '<i4', 'fortran_order': False, 'shape': {shape}}}"
    text = said + " " * (-(10 + len(said) + 1) % 64) + "\n"
    return zip_bytes({"x.npy": b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(12)})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"\0" * 200,
        pickled(),
        deflated(),
        twice(),
        claiming("(1000000000000,)"),
        claiming("(" + "9" * 5000 + ",)"),
        claiming("(4, 1000000000)"),
        claiming("(3, )"),
        npz_bytes({"a": np.ones(3, np.int16)})[:-1],
        npz_bytes({"a": np.ones(3, np.int16)}) + b"\0",
        zip_bytes({"a.npy": b""}),
        zip_bytes({"a.txt": b"hello"}),
    ],
    ids="empty cut zeros pickled deflated twice tera digits product spaced short long void text".split(),
)
def test_what_was_not_written_so_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(FileError, match=r"^here: [^\n]+$"):
        npz_arrays(data, "here")
