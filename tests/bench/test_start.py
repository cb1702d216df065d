"""The benchmark of the start runs; how long anything takes decides no test."""

import json
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from spikeport.bench.start import BUDGET_S, WAYS, started
from spikeport.commands.bench.start import bench_start
from spikeport.errors import InputError


def test_a_round_writes_a_row_for_each_start(tmp_path: Path) -> None:
    answer = bench_start(1, tmp_path / "out")
    rows = {row["start"]: row for row in json.loads((tmp_path / "out" / "start.json").read_text())["rows"]}
    assert list(rows) == list(WAYS) and len(answer.rows) == len(WAYS)
    assert rows["python -c pass"]["to_python"] == rows["import numpy"]["to_numpy"] == 1
    assert {name: row["budget_s"] for name, row in rows.items() if row["budget_s"]} == dict(BUDGET_S)
    assert (tmp_path / "out" / "start.md").read_text().startswith("| start | wall (min) |")


def test_a_start_has_its_own_times_alone() -> None:
    """Half a second of sleep is on the clock and not on the processor; sums are on both."""
    sleeping, summing = (started(("-c", code)) for code in ("import time; time.sleep(0.5)", "sum(range(3 * 10**7))"))
    assert sleeping.wall_s >= 0.5
    assert sleeping.cpu_s < summing.cpu_s


def test_a_start_that_fails_is_not_measured() -> None:
    with pytest.raises(CalledProcessError, match="exit status 3"):
        started(("-c", "raise SystemExit(3)"))


def test_no_rounds_are_refused() -> None:
    with pytest.raises(InputError, match=r"bench start: --rounds \(0\) is less than 1"):
        bench_start(0, None)
