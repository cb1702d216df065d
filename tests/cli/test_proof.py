"""`spikeport check` on overflow, in its lines, its JSON and its exit codes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeport.commands.compiling.proving import SIMULATED, verdicts
from spikeport.program import LIF, Dense, Input, Output, Program, Resonator, SigmaDelta, Sparse
from spikeport.program_file import load_program, save_program
from tests.cli.command import in_child as spikeport


def lif(name: str, size: int, du: int = 4095) -> LIF:
    return LIF(name, (size,), du, 512, 40, np.zeros(size, int))


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """`a` cannot overflow; `b` does if `a` fires; `c` does under inputs; `d` adds up spikes for ever."""
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


def test_check_has_one_line_for_each_layer(net: Path) -> None:
    ran = spikeport("check", net)
    assert ran.returncode == 0, ran.stderr
    undecided = "send the spikes that --witness FILE.npz writes; whether the network can send them is not decided"
    assert ran.stdout.splitlines()[-4:] == [
        "a: cannot overflow: a in [0, 1016], u in [0, 65024], v in [0, 67264] of +-8388607",
        f"b: neuron 0 overflows v at step 5 if a {undecided}",
        "c: neuron 0 overflows u at step 133 under the input that --witness FILE.npz writes",
        "d: not proven: sigma in [0, 17179869184]; no spikes were found that overflow it",
    ]


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    """`change` and `layer` cannot overflow, `sum` does under the input, `ring` under payloads of `layer`."""
    groups = (
        SigmaDelta("change", (2,), "delta", vth=3, spike_exp=1),
        SigmaDelta("layer", (1,), "sigma_delta", vth=5, bias=-10, cum_error=True),
        SigmaDelta("sum", (1,), "sigma"),
        Resonator("small", (1,), "rf", 100, sin_decay=0, cos_decay=0),
        Resonator("ring", (1,), "rf_izhikevich", 65535, sin_decay=2048, cos_decay=3400, state_exp=7),
    )
    connections = (
        Dense("x", "change", np.array([[3, 0], [0, 2]]), graded=True),
        Dense("change", "layer", np.array([[4, -6]]), graded=True),
        Dense("x", "sum", np.array([[200, 100]]), graded=True),
        Dense("x", "small", np.array([[2, 2]]), port="im"),
        Dense("layer", "ring", np.array([[100]]), graded=True, port="re"),
    )
    inputs = (Input("x", (2,), "graded", 0, 40),)
    save_program(Program(groups, connections, inputs, (Output("y", "ring"),), latency=1), tmp_path / "kinds.h5")
    return tmp_path / "kinds.h5"


def test_check_says_of_each_kind_of_neuron_what_it_says_of_lif(kinds: Path) -> None:
    """x is 3 * [0, 40] << 1, or 2 * [0, 40] << 1; sigma 4 times the one, -6 times the other; (40 * 300) 700 times."""
    ran = spikeport("check", kinds)
    assert ran.returncode == 0, ran.stderr
    change, layer_, sum_, small, ring = ran.stdout.splitlines()[-5:]
    assert change == "change: cannot overflow: a in [0, 240], delta in [-240, 240] of +-8388607"
    assert layer_ == (
        "layer: cannot overflow: a in [-1920, 1920], sigma in [-960, 960], activation in [-970, 950], "
        "delta in [-950, 950], error in [-954, 954] of +-8388607"
    )
    assert sum_ == "sum: neuron 0 overflows sigma at step 701 under the input that --witness FILE.npz writes"
    assert small.startswith("small: cannot overflow: a_re in [0, 0], a_im in [0, 4], re in [")
    assert small.endswith(" of +-8388607")
    assert ring.startswith("ring: neuron 0 overflows re at step ")
    assert ring.endswith(
        " if layer send the spikes that --witness FILE.npz writes; whether the network can send them is not decided"
    )


def test_the_witness_of_a_resonator_overflows_it_when_it_is_run(kinds: Path, tmp_path: Path) -> None:
    found = json.loads(spikeport("check", kinds, "--json", "--witness", tmp_path / "w.npz").stdout)["overflow"]
    assert [(g["group"], g["proven_under"]) for g in found] == [
        ("change", ["strict", "lava"]),
        ("layer", ["strict", "lava"]),
        ("sum", []),
        ("small", ["strict", "lava"]),
        ("ring", []),
    ]
    place = found[-1]["witness"]
    assert found[-1]["bounds"][-2]["what"] == "re" and place["raised"].startswith(
        f"ring: re of neuron 0 at step {place['step']} ("
    )
    for net, given, start in (
        ("kinds.h5", "w.npz", "error SP601: sum: sigma of neuron 0 at step 701 ("),
        ("w-ring-ring.h5", "w-ring.npz", f"error SP601: {place['raised'][:30]}"),
    ):
        ran = spikeport("run", tmp_path / net, "--input", tmp_path / given, "-o", tmp_path / "y.npz")
        assert ran.returncode == 1 and ran.stderr.startswith(start)


def test_the_written_witnesses_overflow_when_they_are_run(net: Path, tmp_path: Path) -> None:
    assert spikeport("check", net, "--witness", tmp_path / "w.npz").returncode == 0
    alone = spikeport("run", tmp_path / "w-b.h5", "--input", tmp_path / "w.npz", "-o", tmp_path / "y.npz")
    assert alone.returncode == 1
    assert alone.stderr.startswith("error SP601: b: v of neuron 0 at step 5 (")
    only_c = replace(load_program(net), connections=load_program(net).connections[2:])
    save_program(only_c, tmp_path / "c.h5")
    whole = spikeport("run", tmp_path / "c.h5", "--input", tmp_path / "w-c.npz", "-o", tmp_path / "y.npz")
    assert whole.returncode == 1
    assert whole.stderr.startswith("error SP601: c: u of neuron 0 at step 133 (")


def test_json_holds_bounds_and_witnesses_and_only_strict_overflow_changes_the_exit_code(net: Path) -> None:
    ran = spikeport("check", net, "--json", "--strict-overflow")
    assert ran.returncode == 1
    found = json.loads(ran.stdout)
    assert found["fits"] is True
    assert [(g["group"], g["proven"], g["proven_under"]) for g in found["overflow"]] == [
        ("a", True, ["strict", "lava"]),
        ("b", False, []),
        ("c", False, []),
        ("d", False, []),
    ]
    a, b, c, d = found["overflow"]
    assert a["bounds"][0] == {"what": "a", "interval": [0, 1016], "word": None, "fits": True}
    assert a["witness"] is None and [b["fits"] for b in d["bounds"]] == [True, False]
    assert (b["witness"]["of_network"], b["witness"]["inputs"]) == (False, ["a"])
    assert (c["witness"]["of_network"], c["witness"]["step"], c["witness"]["file"]) == (True, 133, None)
    assert b["witness"]["raised"].startswith("b: v of neuron 0 at step 5 (")


def test_of_a_large_layer_the_simulator_runs_only_a_witness_that_is_written(tmp_path: Path) -> None:
    """The search itself has run it; a simulated run of a large layer takes seconds, and there may be many."""
    n = SIMULATED + 1
    each = np.arange(n)
    link = Sparse("x", "large", each, each, np.full(n, 255), weight_exp=7)
    program = Program((lif("large", n, du=0),), (link,), (Input("x", (n,), "spike"),), (Output("y", "large"),))
    save_program(program, tmp_path / "net.h5")

    (quick,) = verdicts(load_program(tmp_path / "net.h5"), None)
    (written,) = verdicts(load_program(tmp_path / "net.h5"), tmp_path / "w.npz")

    assert quick.witness is not None and quick.raised == ""
    assert written.raised.startswith(f"large: u of neuron {quick.witness.neuron} at step {quick.witness.step} (")


def test_strict_overflow_is_content_with_what_is_proven(net: Path, tmp_path: Path) -> None:
    program = load_program(net)
    first = replace(
        program, groups=program.groups[:1], connections=program.connections[:1], outputs=(Output("y", "a"),)
    )
    save_program(first, tmp_path / "a.h5")
    assert spikeport("check", tmp_path / "a.h5", "--strict-overflow").returncode == 0
