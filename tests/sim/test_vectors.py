"""The reference interpreter against what Lava's models were recorded to do; needs no Lava."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport import fixed
from spikeport.program import identical
from spikeport.sim import simulate
from tests.vectors.case import case_from_json, case_to_json

FILES = sorted((Path(__file__).parents[1] / "vectors").glob("lava_*.json"))
CASES = [(path.stem, case) for path in FILES for case in json.loads(path.read_text())["cases"]]


@pytest.mark.parametrize(("stem", "case"), CASES, ids=[f"{stem}: {case['name']}" for stem, case in CASES])
def test_reference_equals_the_recording(stem: str, case: dict[str, Any]) -> None:
    recorded = case_from_json(case["name"], case["in"])
    result = simulate(recorded.program, dict(recorded.inputs), record=list(case["out"]))
    for group, states in case["out"].items():
        for name, values in states.items():
            trace = result.traces[group]
            assert np.array_equal(trace.s if name == "s" else trace.state[name], values), f"{group}/{name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_are_small_and_say_where_they_come_from(path: Path) -> None:
    assert path.stat().st_size < 100_000
    head = json.loads(path.read_text())
    assert set(head) == {"about", "reference", "made_by", "versions", "seed", "cases"}
    assert head["versions"]["lava-nc"] == "0.10.0"
    assert len({case["name"] for case in head["cases"]}) == len(head["cases"]) > 0


def test_recordings_reach_the_edges_of_both_words() -> None:
    """Lava keeps u = 2^23 and turns -2^23 into it; v stops at -(2^23 - 1)."""
    outs = [case["out"]["g"] for stem, case in CASES if stem == "lava_lif"]
    u = {value for out in outs for value in np.ravel(out["u"]).tolist()}
    v = {value for out in outs for value in np.ravel(out["v"]).tolist()}
    edge = fixed.WRAP_AT
    assert {edge - 1, edge, 1 - edge, edge - 64, 64 - edge} <= u
    assert -edge not in u
    assert -fixed.V_MAX in v and min(v) == -fixed.V_MAX


def test_recordings_reach_the_32_bits_of_a_sigma_delta_neuron() -> None:
    """|-2^31| is negative in Lava's int32, so that no threshold is met, and a spike of it clears no error."""
    outs = [case["out"]["g"] for stem, case in CASES if stem == "lava_sigma_delta"]
    seen = {k: {v for out in outs for v in np.ravel(out.get(k, [])).tolist()} for k in ("sigma", "residue", "error")}
    assert -(2**31) in seen["sigma"] & seen["residue"] & seen["error"]
    cleared = [np.array(out["error"])[np.array(out["s"]) == -(2**31 >> 7)] for out in outs if "error" in out]
    assert any(len(errors) and errors.all() for errors in cleared)


def test_recordings_reach_both_ends_of_a_resonators_words() -> None:
    outs = [case["out"]["g"] for stem, case in CASES if stem == "lava_resonator"]
    for name in ("re", "im"):
        values = {v for out in outs for v in np.ravel(out[name]).tolist()}
        assert {-fixed.V_MAX, fixed.V_MAX} <= values


def test_cases_survive_json() -> None:
    for _, case in CASES[:: len(CASES) // 10]:
        once = case_from_json(case["name"], case["in"])
        again = case_from_json(case["name"], json.loads(json.dumps(case_to_json(once))))
        assert identical(once.program, again.program)
        assert case_to_json(once) == case["in"]
