"""A board's run: what a user's own arrays become, what is refused, and the chip's placeholder of v."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from spikeport.errors import FileError, InputError
from spikeport.fixed import Ints
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim import simulate
from spikeport.sim.board_run import BoardRun, board_run, in_simulator_terms, is_board_run, save_board_run
from spikeport.sim.compare import compare_recorded
from spikeport.sim.result import Trace

PROGRAM = Program(
    (LIF("g", (2, 3), 4095, 512, 9, np.zeros((2, 3), np.int64)), LIF("y", (2,), 0, 0, 20, np.zeros(2, np.int64))),
    (Dense("x", "g", np.full((6, 4), 4)), Dense("g", "y", np.full((2, 6), 6))),
    (Input("x", (4,), "spike"),),
    (Output("y", "y"),),
    latency=2,
)


@pytest.fixture
def traces(rng: np.random.Generator) -> dict[str, Trace]:
    return dict(simulate(PROGRAM, rng.integers(0, 2, (6, 3, 4)), record=["g", "y"]).traces)


def recorded(traces: dict[str, Trace]) -> dict[str, dict[str, Ints]]:
    """u of one group, v and s of the other, as a board with few probes gives them; v as its registers have it."""
    y = traces["y"]
    assert np.any(y.s)
    return {"g": {"u": traces["g"].u}, "y": {"v": np.where(y.s != 0, 128, y.v), "s": y.s}}


def arrays_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, x: found.update({name: x[()]}) if isinstance(x, h5py.Dataset) else None)
    return found


def test_a_users_arrays_come_back_as_they_were(tmp_path: Path, traces: dict[str, Trace]) -> None:
    given = BoardRun(
        recorded(traces),
        {"board": {"name": "Kapoho Point"}, "offsets": {"input": 1}},
        power_w={"total": np.array([2.5, 2.75])},
        static_power_w={"total": np.array([2.0])},
        step_s={"execution": np.array([1e-5, 2e-5, 3e-5])},
        activity={"core": np.array([4]), "syn_ops": np.array([12])},
    )
    save_board_run(tmp_path / "y.h5", PROGRAM, given)
    arrays = arrays_of(tmp_path / "y.h5")
    assert is_board_run(arrays)
    found = board_run("y.h5", arrays, PROGRAM)
    assert (found.batch, found.board) == (3, "name Kapoho Point")
    for table in ("power_w", "static_power_w", "step_s", "activity"):
        ours, theirs = getattr(found, table), getattr(given, table)
        assert ours.keys() == theirs.keys() and all(np.array_equal(ours[k], theirs[k]) for k in ours)
    for group, of_group in given.recorded.items():
        assert all(np.array_equal(found.recorded[group][k], x) for k, x in of_group.items())


def test_a_placeholder_of_v_stands_for_zero_and_nothing_else_does(traces: dict[str, Trace]) -> None:
    given = recorded(traces)
    found, places = in_simulator_terms(given, traces)
    assert places == np.count_nonzero(traces["y"].s)
    assert compare_recorded(traces, found).equal
    del given["y"]["s"]  # without spikes the simulator says where they are
    assert compare_recorded(traces, in_simulator_terms(given, traces)[0]).equal
    quiet = np.argwhere(traces["y"].s == 0)[0]
    given["y"]["v"][tuple(quiet)] = 128
    comparison = compare_recorded(traces, in_simulator_terms(given, traces)[0])
    assert comparison.differing == 1 and comparison.first is not None and comparison.first.b == 128


def test_only_what_is_recorded_is_compared(traces: dict[str, Trace]) -> None:
    given = recorded(traces)
    given["g"]["u"] = given["g"]["u"].copy()
    given["g"]["u"][3, 1, 0, 2] += 64
    found = compare_recorded(traces, in_simulator_terms(given, traces)[0])
    assert [(g.group, g.values, dict(g.by_variable)) for g in found.groups] == [
        ("g", 8 * 3 * 6, {"u": 1}),
        ("y", 2 * 8 * 3 * 2, {"v": 0, "s": 0}),
    ]
    assert found.first is not None
    assert (found.first.step, found.first.group, found.first.variable, found.first.neuron) == (4, "g", "u", 2)
    with pytest.raises(InputError, match=r"compare g: shape of u .* is not"):
        compare_recorded(traces, {"g": {"u": given["g"]["u"][:4]}})
    with pytest.raises(InputError, match=r"compare: groups \(z\) are not in g, y"):
        compare_recorded(traces, {"z": {"u": given["g"]["u"]}})


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "floats": (
        lambda a: a.update({"g/u": a["g/u"] * 1.0}),
        r"y: g/u \(float64 .*\) is not integers \(steps, B, 2, 3\)",
    ),
    "shape": (lambda a: a.update({"y/s": a["y/s"][..., :1]}), r"y: y/s \(.*\) is not integers \(steps, B, 2\)"),
    "steps": (
        lambda a: a.update({"y/s": a["y/s"][:4]}),
        r"y: \(steps, samples\) of the recorded arrays .* are not one",
    ),
    "variable": (lambda a: a.update({"g/w": a["g/u"]}), r"y: array \(g/w\) is not one of g/u, g/v, g/s, y/u"),
    "group": (lambda a: a.update({"h/u": a["g/u"]}), r"y: array \(h/u\) is not one of g/u"),
    "no groups": (lambda a: [a.pop(k) for k in ("g/u", "y/v", "y/s")], "y: holds no recorded groups"),
    "facts": (lambda a: a.update({"hardware-run/facts": np.frombuffer(b"{", np.uint8)}), "y: hardware-run/facts"),
    "version": (
        lambda a: a.update({"hardware-run/facts": np.frombuffer(json.dumps({"format": 9}).encode(), np.uint8)}),
        "y: is not a board run of this format",
    ),
    "negative watts": (
        lambda a: a.update({"hardware-run/power_w/total": np.array([1.0, -1.0])}),
        r"hardware-run/power_w/total .* is not finite numbers \(n,\), none below 0",
    ),
    "no number": (lambda a: a.update({"hardware-run/step_s/execution": np.array([np.nan])}), "is not finite numbers"),
    "another Program": (lambda a: a.update(program_sha256=np.zeros(32, np.uint8)), "run is that of another Program"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_run_of_this_program_is_refused(tmp_path: Path, traces: dict[str, Trace], name: str) -> None:
    save_board_run(tmp_path / "y.h5", PROGRAM, BoardRun(recorded(traces)))
    arrays = arrays_of(tmp_path / "y.h5")
    change, message = WRONG[name]
    change(arrays)
    with pytest.raises((FileError, InputError), match=message):
        board_run("y", arrays, PROGRAM)


def test_a_run_that_does_not_fit_its_program_is_not_written(tmp_path: Path, traces: dict[str, Trace]) -> None:
    for wrong in (BoardRun({"g": {"u": traces["y"].u}}), BoardRun({"other": {"u": traces["y"].u}}), BoardRun({})):
        with pytest.raises((FileError, InputError), match=re.escape("board run: ")):
            save_board_run(tmp_path / "y.h5", PROGRAM, wrong)
    with pytest.raises((FileError, InputError), match="board run: hardware-run/power_w/total"):
        save_board_run(tmp_path / "y.h5", PROGRAM, BoardRun(recorded(traces), power_w={"total": np.zeros((2, 2))}))
    assert list(tmp_path.iterdir()) == []


def test_another_arithmetic_is_another_program(tmp_path: Path, traces: dict[str, Trace]) -> None:
    save_board_run(tmp_path / "y.h5", PROGRAM, BoardRun(recorded(traces)))
    with pytest.raises(InputError, match="is that of another Program"):
        board_run("y", arrays_of(tmp_path / "y.h5"), replace(PROGRAM, dt_s=1e-3))
