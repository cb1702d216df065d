"""The benchmark of `spikeport score` runs, and says whether results are equal; how fast anything is decides no test."""

import json
from pathlib import Path
from typing import Any

import pytest

from spikeport.bench import score as bench
from spikeport.bench.score import CONTENDERS, Sizes, _points, _run
from spikeport.commands.bench.kept import markdown
from spikeport.commands.bench.score import COLUMNS, bench_score
from spikeport.errors import WorkerError


def run(rate: float, cpu_s: float, results: int = 1) -> dict[str, Any]:
    return {
        "samples_per_s": rate, "cpu_s": cpu_s, "seconds": 1.0, "wall_s": 3.0, "peak_bytes": 2**20, "shard_bytes": 1024,
        "results": results,
    }  # fmt: skip


def test_the_best_of_each_is_held_against_the_best_alone() -> None:
    points = _points("net", 10, {"one": [run(4.0, 5.0), run(5.0, 4.0)], "two": [run(8.0, 5.0), run(2.0, 9.0)]})
    assert [p["speedup"] for p in points] == [1.0, 8 / 5]
    assert [p["cpu_ratio"] for p in points] == [1.0, 5 / 4]
    assert [p["cpu_ms"] for p in points] == [400.0, 500.0] and points[0]["start_s"] == 2.0


def test_a_result_that_differs_once_is_told() -> None:
    points = _points("net", 10, {"one": [run(4.0, 5.0)] * 2, "two": [run(8.0, 5.0), run(2.0, 9.0, results=2)]})
    assert [p["equal"] for p in points] == [True, False]


def test_a_score_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="no such file.*with exit code 2"):
        _run(tmp_path, tmp_path / "out", ())


def test_it_measures_and_writes_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a second process, which takes as long to start as all else here."""
    monkeypatch.setattr(bench, "CONTENDERS", {"1 process": (1, 1), "1 process, 2 threads": (1, 2)})
    monkeypatch.setattr("spikeport.commands.bench.score.QUICK", Sizes({"mnist": 4}, shard=2, rounds=1))
    answer = bench_score(True, tmp_path)
    data = json.loads((tmp_path / "score.json").read_text())
    assert [p["contender"] for p in data["points"]] == ["1 process", "1 process, 2 threads"]
    assert all(p["equal"] and p["samples_per_s"] > 0 and p["cpu_ms"] > 0 for p in data["points"])
    assert (tmp_path / "score.md").read_text() == markdown(answer.rows, answer.notes[:2], COLUMNS)
    assert answer.exit_code == 0
    assert (2, 1) in CONTENDERS.values()
