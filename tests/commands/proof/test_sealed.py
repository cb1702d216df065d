"""A bundle that was touched anywhere is refused, in one line that says where."""

import hashlib
import io
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport.archive import spans, zip_bytes
from spikeport.commands.proof.sealed import FILES, MANIFEST, WORKERS, open_bundle, sealed_bytes
from spikeport.deploy.lava_env import WORKER
from spikeport.errors import FileError
from tests.commands.proof.bundles import VERSIONS, write_small

TINY = {name: bytes(range(k, k + 20)) for k, name in enumerate(FILES)}


def refused(path: Path) -> str:
    """The error's one line, without the path."""
    with pytest.raises(FileError) as error:
        open_bundle(path)
    text = str(error.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and error.value.exit_code == 2
    return text.removeprefix(f"{path}: ")


def test_a_whole_bundle_gives_back_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    path.write_bytes(sealed_bytes(TINY, VERSIONS))
    sealed = open_bundle(path)
    assert sealed.members == TINY and sealed.versions == VERSIONS
    with zipfile.ZipFile(path) as file:
        assert file.namelist() == [MANIFEST, *FILES]
        assert {name: file.read(name) for name in FILES} == TINY


def test_a_bundle_holds_all_scripts_of_the_workers_folder() -> None:
    assert sorted(path.stem for path in WORKER.parent.glob("*.py")) == list(WORKERS)


def places(data: bytes) -> list[str]:
    """What each byte is, after zipfile's own reading of the whole archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        sizes = {info.filename: info.file_size for info in file.infolist()}
    return [part.what for part in spans(sizes) for _ in range(part.start, part.end)]


def test_a_bit_flipped_in_any_byte_is_found_and_its_place_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    """Every byte of a bundle with files of 20 bytes: manifest, names, headers, directory, end record, data."""
    data, path = sealed_bytes(TINY, VERSIONS), tmp_path / "out.zip"
    for at, what in enumerate(places(data)):
        bad = bytearray(data)
        bad[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bad)
        said = refused(path)
        assert said.startswith(f"{what} is "), (at, said)
        exact, span = re.search(r"\(byte (\d+)\)", said), re.search(r"bytes (\d+) to (\d+)\)", said)
        assert exact is None or int(exact[1]) == at
        assert span is None or int(span[1]) <= at <= int(span[2])


def test_a_bit_flipped_in_a_real_bundle_is_found(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "out.zip"
    write_small(path, nir=b"a graph" * 30)
    data = path.read_bytes()
    what = places(data)
    assert set(what) >= {MANIFEST, *FILES}
    for at in sorted({*rng.integers(0, len(data), 400).tolist(), *(what.index(name) for name in FILES)}):
        bad = bytearray(data)
        bad[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bad)
        assert refused(path).startswith(f"{what[at]} is "), at


def test_a_file_that_was_cut_or_goes_on_is_refused(tmp_path: Path) -> None:
    data, path = sealed_bytes(TINY, VERSIONS), tmp_path / "out.zip"
    for length in {*range(0, len(data), 13), len(data) - 1}:
        path.write_bytes(data[:length])
        assert re.match(
            r"bytes \(\d+|bytes \([\d,]+\) are fewer than|manifest.json is|is no bundle|is a zip", refused(path)
        )
    path.write_bytes(data + b"\0")
    assert refused(path).startswith(f"has bytes beyond its end record, from byte {len(data):,} on")
    path.write_bytes(b"\0" + data)
    assert refused(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no bundle"),
        (os.urandom(5000), "is no bundle"),
        (zip_bytes({"a.txt": b"hello"}), "is a zip file, but no bundle"),
        (zip_bytes({MANIFEST: b"{}\n"}), "manifest.json is cut off or damaged"),
        (zip_bytes({MANIFEST: b"[" * 60000 + b"\n}\n"}), "manifest.json is damaged"),
        (zip_bytes({MANIFEST: b'{"seal": ' + b"9" * 6000 + b"\n}\n"}), "manifest.json is damaged"),
        (zip_bytes({MANIFEST: b'{\n"seal": "x"\n}\n'}), "manifest.json is damaged"),
        (b"spikeport-program sha256 0\n" + bytes(999), "is a Program, not a bundle; name its input: --input x.npz"),
    ],
    ids="empty noise zip short deep digits unsealed program".split(),
)
def test_what_is_no_bundle_is_refused(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "out.zip").write_bytes(data)
    assert refused(tmp_path / "out.zip").startswith(said)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.zip") == "no such file"
    assert refused(tmp_path) == "is a folder; name a file in it"


def listing(change: Any) -> bytes:
    """A sealed bundle whose manifest lists something else."""
    head = json.loads(zipfile.ZipFile(io.BytesIO(sealed_bytes(TINY, VERSIONS))).read(MANIFEST))
    del head["seal"]
    change(head)
    seal = hashlib.sha256(json.dumps(head, indent=1).encode()).hexdigest()
    return zip_bytes({MANIFEST: (json.dumps({**head, "seal": seal}, indent=1) + "\n").encode(), **TINY})


def put(*place: Any, to: Any) -> Any:
    def change(head: Any) -> None:
        for key in place[:-1]:
            head = head[key]
        head[place[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put("files", 3, "bytes", to=10**15), r"bytes \([\d,]+\) are fewer than 1,000,0"),
        (put("files", 3, "bytes", to=10**400), r"bytes \([\d,]+\) are fewer than 1"),
        (put("files", 3, "bytes", to=-1), "manifest.json has no list of files, or no versions"),
        (put("files", 3, "bytes", to=True), "manifest.json has no list of files, or no versions"),
        (put("files", 3, "name", to="../../evil"), r"manifest.json names \('../../evil'\)"),
        (put("files", 3, "name", to="/etc/passwd"), r"manifest.json names \('/etc/passwd'\)"),
        (put("files", 3, "name", to="é\n"), r"manifest.json names \('é\\n'\)"),
        (put("files", 3, "name", to=7), "manifest.json has no list of files, or no versions"),
        (put("files", 3, "sha256", to="0" * 63 + "é"), "manifest.json has no list of files, or no versions"),
        (put("files", 3, "sha256", to="0" * 64), "program.npz is damaged"),
        (lambda head: head["files"].append(head["files"][0]), "manifest.json names"),
        (lambda head: head["files"].insert(1, head["files"][0]), r"manifest.json names \('README.md'\)"),
        (lambda head: head["files"].pop(0), r"manifest.json names \('replay.py'\)"),
        (lambda head: head["files"].reverse(), r"manifest.json names \('workers/program_parts.py'\)"),
        (put("files", to=None), "manifest.json has no list of files, or no versions"),
        (put("files", to=[]), "manifest.json names"),
        (put("versions", to={"spikeport": 7}), "manifest.json has no list of files, or no versions"),
        (put("version", to=2), r"format \(spikeport-bundle 2\) is not spikeport-bundle 1"),
    ],
)
def test_a_manifest_that_lists_something_else_is_refused(change: Any, said: str, tmp_path: Path) -> None:
    (tmp_path / "out.zip").write_bytes(listing(change))
    assert re.match(said, refused(tmp_path / "out.zip"))


def test_a_member_under_another_or_a_second_name_is_found(tmp_path: Path) -> None:
    """Archives that other tools make of the same files: zip readers disagree about which of two entries counts."""
    data, path = sealed_bytes(TINY, VERSIONS), tmp_path / "out.zip"
    at = data.rindex(b"replay.py")  # in the directory
    path.write_bytes(data[:at] + b"../lay.py" + data[at + 9 :])
    assert refused(path).startswith("directory entry of replay.py is damaged")
    path.write_bytes(data)
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("replay.py", b"print('equal')")
    assert refused(path).startswith("has bytes beyond")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, x in {MANIFEST: zipfile.ZipFile(io.BytesIO(data)).read(MANIFEST), **TINY}.items():
            file.writestr(name, x)
    assert refused(path)
