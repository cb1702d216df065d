"""The commands on a Program with every kind of neuron."""

from pathlib import Path

import numpy as np
import pytest

from spikeport.commands.compiling import compile as compiling
from spikeport.commands.energy import energy
from spikeport.commands.running import run as running
from spikeport.program import LIF, Dense, Input, Output, Program, Resonator, SigmaDelta
from spikeport.program_file import save_program
from tests.lava import lava_or_skip

PAIR = np.array([[20, -4], [2, 30]])
PROGRAM = Program(
    groups=(
        SigmaDelta("change", (2,), "delta", vth=3),
        LIF("both", (2,), 1000, 500, 90, np.zeros(2, int), vth_low=-90),
        Resonator("ring", (2,), "rf_izhikevich", 200, 1200, 3800),
    ),
    connections=(
        Dense("x", "change", PAIR, graded=True),
        Dense("change", "both", PAIR, graded=True),
        Dense("both", "ring", PAIR, graded=True, port="re"),
        Dense("both", "ring", PAIR, port="im"),
    ),
    inputs=(Input("x", (2,), "graded", -50, 50),),
    outputs=(Output("y", "both"),),
    latency=2,
)


@pytest.fixture
def files(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, Path]:
    save_program(PROGRAM, tmp_path / "net.h5")
    np.savez(tmp_path / "x.npz", spikes=rng.integers(-50, 51, (20, 2, 2)))
    return tmp_path / "net.h5", tmp_path / "x.npz"


def test_run_writes_every_variable_and_payloads_with_their_sign(files: tuple[Path, Path], tmp_path: Path) -> None:
    answer = running.run(*files, tmp_path / "y.npz", "sim", ["all"], False, None)
    with np.load(tmp_path / "y.npz") as found:
        assert set(found.files) == {
            *("spikes", "latency", "program_sha256", "change/act", "change/residue", "change/s"),
            *("both/u", "both/v", "both/s", "ring/re", "ring/im", "ring/s"),
        }
        assert set(np.unique(found["spikes"])) == {-1, 0, 1}
        assert answer.data["spikes"] == np.count_nonzero(found["spikes"])
        assert found["change/s"].min() < -100
        assert found["ring/s"].dtype == np.uint8


def test_energy_reports_on_every_kind(files: tuple[Path, Path], tmp_path: Path) -> None:
    answer = energy.energy(energy.Asked(*files, html=tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text()
    assert answer.data["totals"]["energy_pj"]["graded_macs"]["nominal"] > 0
    assert "synaptic operations with a payload" in page
    assert "ring" in page


def test_check_says_which_chip_has_them(files: tuple[Path, Path]) -> None:
    assert compiling.check(files[0], "loihi2", {}).exit_code == 0
    answer = compiling.check(files[0], "loihi1", {})
    assert answer.exit_code == 1
    assert [row[1] for row in answer.rows] == ["change", "both", "ring"] + [
        *("x -> change", "change -> both", "both -> ring", "x")
    ]


def test_verify_shows_each_groups_variables(files: tuple[Path, Path]) -> None:
    lava_or_skip()
    answer = running.verify(*files, 2, "models", 300.0)
    assert answer.exit_code == 0
    assert answer.columns == ("group", "values") + tuple(
        f"{name} differ" for name in ("act", "residue", "u", "v", "re", "im", "spikes")
    )
    assert answer.rows[1] == ("both", str(22 * 2 * 2 * 3), "–", "–", "0", "0", "–", "–", "0")
