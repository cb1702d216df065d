"""The benchmark of compile and check runs and says the truth; how fast anything is decides no test."""

import json
from pathlib import Path
from typing import Any

import nir
import pytest

from spikeport.bench.deploy import COMMANDS, QUICK, exponent, run
from spikeport.bench.resnet19 import resnet19
from spikeport.commands.bench.deploy import COLUMNS, bench_deploy
from spikeport.commands.bench.kept import markdown
from spikeport.deploy import compile_graph
from spikeport.errors import WorkerError


def points(costs: list[float]) -> list[dict[str, Any]]:
    return [{"synapses": 10**k, "compile": {"cpu_s": cost}} for k, cost in enumerate(costs, 3)]


def test_the_exponent_is_of_what_exceeds_the_smallest_network() -> None:
    assert exponent(points([2.0, 3.0, 12.0, 102.0]), "compile", "cpu_s") == pytest.approx(1.0)
    assert exponent(points([2.0, 3.0, 102.0, 10002.0]), "compile", "cpu_s") == pytest.approx(2.0)
    assert exponent(points([2.0, 2.1, 12.0, 102.0]), "compile", "cpu_s") is None


def test_a_command_that_ends_in_an_error_is_one(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="no such file.*with exit code 2"):
        run(["check", str(tmp_path / "none.nir")])


@pytest.mark.slow
def test_the_quick_form_measures_each_command_and_writes_a_table(tmp_path: Path) -> None:
    answer = bench_deploy(True, tmp_path / "out")

    data = json.loads((tmp_path / "out" / "deploy.json").read_text())
    assert [p["width"] for p in data["points"]] == list(QUICK.widths)
    assert all(p[c][what] > 0 for p in data["points"] for c in COMMANDS for what in ("seconds", "cpu_s", "peak_bytes"))
    nir.write(tmp_path / "net.nir", resnet19(QUICK.widths[-1], QUICK.side))
    program = compile_graph(tmp_path / "net.nir", steps=4, input="bias")
    assert data["points"][-1]["neurons"] == sum(g.size for g in program.groups)
    assert (tmp_path / "out" / "deploy.md").read_text().startswith(markdown(answer.rows, [], COLUMNS)[:40])
