"""The benchmark of sessions runs; how fast anything is decides no test."""

import json
from pathlib import Path

import pytest

from spikeport.bench.stream import CASES, QUICK, _ways
from spikeport.commands.bench.stream import bench_stream
from spikeport.errors import InputError


def test_every_way_gives_all_of_the_output() -> None:
    case = CASES["784-128-10"](QUICK.steps)
    ways = _ways(case)
    assert len(ways.pop("the run in one")()) == case.steps
    assert len(ways) == 3
    for way in ways.values():
        assert way() == QUICK.steps == way()  # a way can be timed again and again


def test_the_quick_form_writes_a_table(tmp_path: Path) -> None:
    answer = bench_stream(["none"], True, tmp_path / "out")
    rows = json.loads((tmp_path / "out" / "stream.json").read_text())["rows"]
    assert [row["case"] for row in rows] == ["784-128-10"] * 4 and len(answer.rows) == 4
    assert all(row["step_s"] > 0 for row in rows)
    assert (tmp_path / "out" / "stream.md").read_text().startswith("| network | how |")
    with pytest.raises(InputError, match=r"bench: peer \(z\) is not one of"):
        bench_stream(["z"], True, None)
