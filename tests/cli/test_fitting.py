"""`spikeport check` on rules, cores and what would fit: its tables, its JSON and its exit codes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from spikeport.program_file import save_program
from tests.cli.command import in_child as spikeport
from tests.deploy.small_programs import row, stack


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """5 channels of 300x300: two columns on a core, so 150 cores; and one for the layer behind."""
    save_program(stack((1, 300, 300), (5, 3, 1, 1), (3, 1, 64, 0)), tmp_path / "large.h5")
    return tmp_path / "large.h5"


def test_check_shows_the_cores_of_each_layer(tmp_path: Path) -> None:
    """784 sources: 20 words are 63 neurons, so 128 are 3 cores with 43 at most; 43 * 20 + 10 bits are 14 words."""
    save_program(row(128, 10, n_in=784), tmp_path / "net.h5")
    ran = spikeport("check", tmp_path / "net.h5", "--json")
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["would_fit"] == {"changes": [], "together": None, "tried": 0}
    assert answer["cores"] == [
        {
            "layer": "g0",
            "neurons": 128,
            "cores": 3,
            "limited_by": "synapses",
            "used": round(784 * 14 / 16_000, 4),
            "fullest_core": {
                "neurons": 43,
                "axons_in": 784,
                "axons_out": 43,
                "synapses": 784 * 14,
                "memory": 43 + 784 + 43 + 784 * 14 + 1,
            },
        },
        {
            "layer": "g1",
            "neurons": 10,
            "cores": 1,
            "limited_by": "memory",
            "used": round((10 + 128 + 10 + 128 * 4 + 1) / 20_000, 4),
            "fullest_core": {"neurons": 10, "axons_in": 128, "axons_out": 10, "synapses": 128 * 4, "memory": 661},
        },
    ]
    lines = spikeport("check", tmp_path / "net.h5").stdout.splitlines()
    assert lines[0].startswith(f"{tmp_path}/net.h5 fits loihi2: 2 layers, 138 neurons")
    assert lines[1].strip() == "4 of 120 cores of a loihi2; of a core:"
    row_of_g0 = next(line.split() for line in lines if line.strip().startswith("g0 "))
    assert row_of_g0 == ["g0", "128", "3", "synapses", "1.1%", "4.9%", "0.3%", "68.6%", "59.2%"]


def test_check_says_what_would_fit(large: Path) -> None:
    ran = spikeport("check", large, "--json")
    assert ran.returncode == 1, ran.stderr
    answer = json.loads(ran.stdout)
    assert [(v["id"], v["layer"], v["value"], v["limit"], v["unit"]) for v in answer["violations"]] == [
        ("cores_fit_one_chip", "the chip", 151, 120, "cores")
    ]
    assert all(v["source"] and v["remedy"] for v in answer["violations"])
    fitting = [c for c in answer["would_fit"]["changes"] if c["fits"]]
    assert fitting and all(c["cores"] <= c["cores_there"] and not c["left"] for c in fitting)
    told = spikeport("check", large)
    assert told.returncode == 1
    for change in fitting:
        assert f"{change['change']} fits: {change['cores']} of {change['cores_there']} cores" in told.stdout


def test_several_remedies_are_shown_together(tmp_path: Path) -> None:
    net = row(2, neurons={"reset_interval": 3, "dv": 4096})
    save_program(replace(net, chip="loihi2"), tmp_path / "net.h5")
    answer = json.loads(spikeport("check", tmp_path / "net.h5", "--json").stdout)
    assert answer["would_fit"]["together"]["fits"] is True
    assert {m["id"] for m in answer["would_fit"]["together"]["mends"]} == {
        "decays_fit_12_bits",
        "reset_intervals_are_powers_of_two",
    }
