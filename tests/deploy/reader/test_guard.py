"""Whatever a file does to the child, the parent lives, says so in one line, and soon."""

import os
import resource
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest

from spikeport.deploy.read import read_nir
from spikeport.deploy.reader import child, guard
from spikeport.deploy.reader.guard import read_tables
from spikeport.errors import FileError
from tests.processes import ended, until

Edit = Callable[[h5py.File], None]
N = "node/nodes"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    graph = nir.NIRGraph.from_list(nir.Input(np.array([4])), nir.Affine(np.ones((3, 4)), np.ones(3)), type_check=False)
    nir.write(tmp_path / "net.nir", graph, compression=None)
    return tmp_path / "net.nir"


def children_s() -> float:
    """Processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def refused(path: Path) -> FileError:
    start = children_s()
    with pytest.raises(FileError) as caught:
        read_tables(path)
    assert children_s() - start < 5  # of a core, whatever else the machine does
    assert caught.value.where == str(path) and "\n" not in str(caught.value)
    return caught.value


def edited(path: Path, edit: Edit) -> FileError:
    with h5py.File(path, "r+") as file:
        edit(file)
    return refused(path)


# ---------------------------------------------------------------- what comes back


def test_arrays_come_back_as_they_are(path: Path) -> None:
    values = {
        **{
            kind: np.arange(-3, 3).reshape(2, 3).astype(kind)
            for kind in ("<f4", ">f4", "<f2", "<f8", "<i8", "i1", "u2")
        },
        "bool": np.array([True, False]),
        "complex": np.array([1 + 2j]),
        "one": np.float32(0.1),
        "none": np.zeros((0, 2), np.float32),
        "words": np.array([["a", "é"], ["", "b"]], dtype=h5py.string_dtype()),
        "fixed": np.array([b"ab", b"c"]),
    }
    with h5py.File(path, "r+") as file:
        for key, value in values.items():
            file[f"{N}/affine/x{key}"] = value
        file[f"{N}/affine/word"] = "same"
    found = read_tables(path)["nodes"]["affine"]
    for key, value in values.items():
        got = found[f"x{key}"]
        words = value.dtype.kind in "OS"
        assert got.shape == value.shape and (words or got.dtype == value.dtype), key
        assert got.tolist() == ([x.decode() for x in value] if key == "fixed" else value.tolist()), key
    assert found["word"] == "same"


def test_compressed_and_chunked_arrays_come_back(path: Path) -> None:
    value = np.random.default_rng(0).normal(size=(70, 50)).astype(np.float32)
    with h5py.File(path, "r+") as file:
        del file[f"{N}/affine/weight"]
        file.create_dataset(f"{N}/affine/weight", data=value, chunks=(32, 32), compression="gzip", shuffle=True)
    assert np.array_equal(read_tables(path)["nodes"]["affine"]["weight"], value)


def test_only_spikeports_own_metadata_is_read(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["node/metadata/spikeport/dt_s"] = 1e-3
        file["node/metadata/spikeport/input"] = "bias"
        file["node/metadata/other/weight"] = np.ones(5)
        file[f"{N}/affine/metadata/exact"] = np.ones(5)
    table = read_tables(path)
    assert table["metadata"] == {"spikeport": {"dt_s": 1e-3, "input": "bias"}}
    assert "metadata" not in table["nodes"]["affine"]


def test_a_node_may_be_called_metadata_or_nodes(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.move(f"{N}/affine", f"{N}/metadata")
        file.move(f"{N}/input", f"{N}/nodes")
    assert set(read_tables(path)["nodes"]) >= {"metadata", "nodes"}


# ---------------------------------------------------------------- what is refused in the file


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3,))
    del file[f"{N}/affine/bias"]
    file.create_virtual_dataset(f"{N}/affine/bias", layout)


def unwritten(file: h5py.File) -> None:
    del file[f"{N}/affine/bias"]
    file.create_dataset(f"{N}/affine/bias", (3,), "f4")


def half_written(file: h5py.File) -> None:
    del file[f"{N}/affine/bias"]
    file.create_dataset(f"{N}/affine/bias", (3,), "f4", chunks=(2,))[:2] = 1


def odd_floats(file: h5py.File) -> None:
    """float32 with the exponent's bias of a flipped bit: HDF5 converts it to other values."""
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_ebias(125)
    del file[f"{N}/affine/bias"]
    h5py.h5d.create(file[f"{N}/affine"].id, b"bias", kind, h5py.h5s.create_simple((3,))).write(
        h5py.h5s.ALL, h5py.h5s.ALL, np.ones(3, np.float32)
    )


def replaced(value: object) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[f"{N}/affine/bias"]
        file[f"{N}/affine/bias"] = value

    return edit


def deep(file: h5py.File) -> None:
    group = file[N]
    for _ in range(40):
        group = group.create_group("g/nodes")


BIAS = "/node/nodes/affine/bias"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (virtual, f"{BIAS} lies in another file; export it again"),
        (unwritten, f"{BIAS} is not wholly written; export it again"),
        (half_written, f"{BIAS} is not wholly written; export it again"),
        (odd_floats, f"{BIAS} (float64) is not plain numbers or text; export it again"),
        (
            replaced(np.zeros(3, [("a", "f4")])),
            f"{BIAS} ([('a', '<f4')]) is not plain numbers or text; export it again",
        ),
        (replaced(np.void(b"abcd")), f"{BIAS} (|V4) is not plain numbers or text; export it again"),
        (replaced(h5py.Empty("f4")), f"{BIAS} holds nothing; export it again"),
        (replaced(np.array([b"\xff"], h5py.string_dtype())), f"{BIAS} is not UTF-8; export it again"),
        (replaced(np.longdouble(1)), f"{BIAS} (float128) is not plain numbers or text; export it again"),
        (replaced(np.array(["x"] * 70000, h5py.string_dtype())), f"{BIAS} (70000 texts) exceed 65536; export it again"),
        (deep, "groups within groups (66) exceed 64; export it again"),
        (lambda f: f.move(f"{N}/affine", f"{N}/a\nb"), "/node/nodes holds a name that is not printable text of less"),
        (lambda f: f.move(f"{N}/affine", f"{N}/{'x' * 256}"), "/node/nodes holds a name"),
    ],
)
def test_an_array_that_no_writer_of_nir_leaves_is_refused(path: Path, edit: Edit, message: str) -> None:
    assert str(edited(path, edit)).startswith(f"{path}: {message}")


def test_a_reference_is_refused(path: Path) -> None:
    error = edited(path, lambda f: replaced(np.array([f.ref], h5py.ref_dtype))(f))
    assert str(error) == f"{path}: {BIAS} (object) is not plain numbers or text; export it again"


def test_many_arrays_that_are_too_large_together_are_refused(path: Path) -> None:
    def edit(file: h5py.File) -> None:
        for k in range(5):
            file.create_dataset(f"{N}/affine/x{k}", (2**24,), "i1", chunks=(2**20,), compression="gzip", fillvalue=1)[
                :
            ] = 1

    error = edited(path, edit)
    assert (error.relation, error.limit) == ("exceed", "67108864 in the file")


def test_one_long_text_named_often_is_refused(path: Path) -> None:
    error = edited(path, replaced(np.array(["x" * 1000] * 5000, h5py.string_dtype())))
    assert (error.got, error.limit) == ("5000000 characters", "4194304 in the file")


def test_a_file_that_is_too_large_is_not_opened(path: Path) -> None:
    os.truncate(path, 2**28 + 1)
    assert str(refused(path)) == f"{path}: file (268435457 bytes) exceeds 268435456; make it less"


# ---------------------------------------------------------------- what may happen to the child


def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "child.py").write_text(f"import json, os, sys, time\n{text}")
    monkeypatch.setattr(child, "__file__", str(tmp_path / "child.py"))


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("os.kill(os.getpid(), 11)", "reading it ended with SIGSEGV"),
        ("os.abort()", "reading it ended with SIGABRT"),
        ("sys.exit('no h5py')", "no h5py"),
        ("sys.exit(3)", "reading it ended with exit code 3"),
        ("pass", "reading it gave nothing"),
        ("print('x' * 100)", "reading it gave nothing"),
        ("os.write(1, b'\\xff' * 8 + b'spikenir')", "reading it gave nothing"),
    ],
)
def test_a_child_that_comes_to_grief_is_one_clear_error(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, got: str
) -> None:
    script(tmp_path, monkeypatch, text)
    error = refused(path)
    assert (error.what, error.got) == ("is not a readable NIR file", got)


@pytest.mark.skipif(not hasattr(signal, "SIGXCPU"), reason="no such limit here")
@pytest.mark.parametrize(("text", "got"), [("while True: pass", "took more"), ("x = bytes(2 << 30)", "MemoryError")])
def test_time_and_memory_of_the_child_are_limited(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, got: str
) -> None:
    source = Path(child.__file__).parent
    script(
        tmp_path,
        monkeypatch,
        f"sys.path.append({str(source)!r})\nimport child as real\nreal.confine(1 << 30, 1)\n{text}",
    )
    (tmp_path / "child.py").rename(tmp_path / "fake.py")
    monkeypatch.setattr(child, "__file__", str(tmp_path / "fake.py"))
    assert got in str(refused(path).got)


def test_nothing_is_left_of_a_child_that_hangs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock's limit passes when the child and its own child have said who they are, however long that takes."""
    named = tmp_path / "pids"
    named.mkdir()

    class Timer(threading.Timer):
        def run(self) -> None:
            while len(list(named.iterdir())) < 2 and not self.finished.wait(0.01):
                pass
            super().run()

    monkeypatch.setattr(threading, "Timer", Timer)
    monkeypatch.setattr(guard, "WALL_PER_CPU", 0.01)
    script(tmp_path, monkeypatch, f"os.fork()\nopen(f'{named}/{{os.getpid()}}', 'w').close()\ntime.sleep(600)")
    assert refused(path).got == "reading it took more than a few seconds, or was ended"
    until(
        lambda: all(ended(pid) for pid in (int(path.name) for path in named.iterdir())), 60
    )  # what is killed may take its time to go


def test_the_child_ignores_the_pythons_surroundings(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json.py", "h5py.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise SystemExit(9)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("HDF5_PLUGIN_PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert read_nir("net.nir").sha256
