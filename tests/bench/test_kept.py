"""What a benchmark leaves in its folder; one that takes nothing is refused before anything is measured."""

import json
from pathlib import Path

import pytest

from spikeport.commands.bench.kept import keep, markdown, prepare
from spikeport.errors import FileError
from tests.cli.command import spikeport
from tests.errors.lines import said

QUICK = {
    "autoencoders": ("--quick",),
    "deploy": ("--quick",),
    "directions": ("--seeds", "1"),
    "energy": ("--quick",),
    "mapping": ("--quick",),
    "score": ("--quick",),
    "sim": ("--quick",),
    "start": ("--rounds", "1"),
    "stream": ("--quick",),
    "train": ("--rounds", "1"),
}


@pytest.mark.parametrize("name", QUICK)
def test_a_folder_that_is_a_file_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("hello\n")
    ran = spikeport("bench", name, *QUICK[name], "-o", tmp_path / "out")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert said(ran.err).startswith(f"{tmp_path}/out: cannot be written (")
    assert (tmp_path / "out").read_text() == "hello\n"


def test_numbers_and_table_lie_side_by_side(tmp_path: Path) -> None:
    prepare(tmp_path / "new" / "out")
    text = markdown([["a", "1"], ["b", "2"]], ["on one thread"], ["who", "time"])
    (said,) = keep(tmp_path / "new" / "out", "sim", {"rows": [1, 2]}, text)
    assert said == f"wrote {tmp_path}/new/out/sim.json and {tmp_path}/new/out/sim.md"
    assert json.loads((tmp_path / "new/out/sim.json").read_text()) == {"rows": [1, 2]}
    assert (tmp_path / "new/out/sim.md").read_text() == (
        "| who | time |\n| --- | --- |\n| a | 1 |\n| b | 2 |\n\n- on one thread\n"
    )
    assert sorted(path.name for path in (tmp_path / "new/out").iterdir()) == ["sim.json", "sim.md"]


def test_without_a_folder_nothing_is_written() -> None:
    prepare(None)
    assert keep(None, "sim", {}, "") == []


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "sim.json").write_text("before")
    with pytest.raises(TypeError):
        keep(tmp_path, "sim", {"rows": object()}, "")
    (tmp_path / "sim.md").mkdir()
    with pytest.raises(FileError):
        keep(tmp_path, "sim", {}, "")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
