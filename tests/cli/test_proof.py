"""`spikeport check` on overflow, in its lines, its JSON and its exit codes."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeport.program import LIF, Dense, Input, Output, Program, SigmaDelta
from spikeport.program_file import load_program, save_program


def lif(name: str, size: int, du: int = 4095) -> LIF:
    return LIF(name, (size,), du, 512, 40, np.zeros(size, int))


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """`a` cannot overflow; `b` does if `a` fires; `c` does under inputs; `d` is of another kind."""
    program = Program(
        groups=(lif("a", 3), lif("b", 2), lif("c", 2, du=0), SigmaDelta("d", (2,), "sigma")),
        connections=(
            Dense("x", "a", np.full((3, 4), 254)),
            Dense("a", "b", -np.full((2, 3), 255), weight_exp=7, delay=2),
            Dense("x", "c", np.full((2, 4), 254)),
            Dense("c", "d", np.eye(2, dtype=int)),
        ),
        inputs=(Input("x", (4,), "spike"),),
        outputs=(Output("y", "b"),),
        latency=2,
    )
    save_program(program, tmp_path / "net.h5")
    return tmp_path / "net.h5"


def spikeport(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spikeport", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_check_has_one_line_for_each_layer(net: Path) -> None:
    ran = spikeport("check", net)
    assert ran.returncode == 0, ran.stderr
    undecided = "send the spikes that --witness FILE.npz writes; whether the network can send them is not decided"
    assert ran.stdout.splitlines()[1:] == [
        "a: cannot overflow: a in [0, 1016], u in [0, 65024], v in [0, 67264] of +-8388607",
        f"b: neuron 0 overflows v at step 5 if a {undecided}",
        "c: neuron 0 overflows u at step 131 under the input that --witness FILE.npz writes",
        "d: not analysed: its neurons are SigmaDelta",
    ]


def test_the_written_witnesses_overflow_when_they_are_run(net: Path, tmp_path: Path) -> None:
    assert spikeport("check", net, "--witness", tmp_path / "w.npz").returncode == 0
    alone = spikeport("run", tmp_path / "w-b.h5", "--input", tmp_path / "w.npz", "-o", tmp_path / "y.npz")
    assert alone.returncode == 1
    assert alone.stderr.startswith("error: b: v of neuron 0 at step 5 (")
    only_c = replace(load_program(net), connections=load_program(net).connections[2:])
    save_program(only_c, tmp_path / "c.h5")
    whole = spikeport("run", tmp_path / "c.h5", "--input", tmp_path / "w-c.npz", "-o", tmp_path / "y.npz")
    assert whole.returncode == 1
    assert whole.stderr.startswith("error: c: u of neuron 0 at step 131 (")


def test_json_holds_bounds_and_witnesses_and_only_strict_overflow_changes_the_exit_code(net: Path) -> None:
    ran = spikeport("check", net, "--json", "--strict-overflow")
    assert ran.returncode == 1
    found = json.loads(ran.stdout)
    assert found["fits"] is True
    assert [(g["group"], g["analysed"], g["proven"]) for g in found["overflow"]] == [
        ("a", True, True),
        ("b", True, False),
        ("c", True, False),
        ("d", False, False),
    ]
    a, b, c, d = found["overflow"]
    assert a["bounds"][0] == {"what": "a", "interval": [0, 1016], "word": None, "fits": True}
    assert a["witness"] is None and d["bounds"] == []
    assert (b["witness"]["of_network"], b["witness"]["inputs"]) == (False, ["a"])
    assert (c["witness"]["of_network"], c["witness"]["step"], c["witness"]["file"]) == (True, 131, None)
    assert b["witness"]["raised"].startswith("b: v of neuron 0 at step 5 (")


def test_strict_overflow_is_content_with_what_is_proven(net: Path, tmp_path: Path) -> None:
    program = load_program(net)
    first = replace(
        program, groups=program.groups[:1], connections=program.connections[:1], outputs=(Output("y", "a"),)
    )
    save_program(first, tmp_path / "a.h5")
    assert spikeport("check", tmp_path / "a.h5", "--strict-overflow").returncode == 0
