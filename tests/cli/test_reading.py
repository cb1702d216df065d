"""What the reader repaired is printed; what it refuses is one line."""

import gzip
from pathlib import Path

import pytest

from tests.cli.command import done, spikeport

VECTORS = Path(__file__).parents[1] / "vectors" / "nir"
SAID = [f"lif{k}: v_reset is missing and taken as 0" for k in (1, 2)]

GUESS = (
    "read as nir steps it: nothing tells a framework; NIR's equations by Euler's rule; --convention NAME takes another"
)


def unpacked(tmp_path: Path, name: str) -> Path:
    path = tmp_path / "net.nir"
    path.write_bytes(gzip.decompress((VECTORS / f"{name}.nir.gz").read_bytes()))
    return path


@pytest.mark.parametrize(("version", "said"), [("1.0.0", SAID), ("1.0.8", [])])
def test_check_and_compile_print_what_was_repaired(tmp_path: Path, version: str, said: list[str]) -> None:
    path = unpacked(tmp_path, f"{version}_layers")
    for arguments in (["check", path], ["compile", path, "-o", tmp_path / "net.h5"]):
        assert done(*arguments, "--json").json["remarks"] == [*said, GUESS]
        lines = done(*arguments).out.splitlines()
        assert [line for line in lines if "missing" in line] == said
    assert done("check", tmp_path / "net.h5", "--json").json["remarks"] == []


@pytest.mark.parametrize("name", ["1.0.8_nested", "1.0.8_layers"])
def test_nested_and_recurrent_files_are_compiled(tmp_path: Path, name: str) -> None:
    path = unpacked(tmp_path, name)
    assert done("compile", path, "-o", tmp_path / "net.h5").code == 0
    assert (tmp_path / "net.h5").exists()


def test_what_is_not_lowered_is_one_line_and_writes_nothing(tmp_path: Path) -> None:
    path = unpacked(tmp_path, "1.0.8_kinds")
    for arguments in (["check", path], ["compile", path, "-o", tmp_path / "net.h5"]):
        ran = spikeport(*arguments)
        assert (ran.code, ran.out) == (2, "")
        assert (
            ran.err
            == "error SP402: li: source (i) sends no spikes; let only an Output follow neurons that do not fire\n"
        )
    assert not (tmp_path / "net.h5").exists()
