"""The profile `loihi1` against nengo-loihi's emulator itself, on this machine, all state and spikes."""

import json
from pathlib import Path

import numpy as np
import pytest

from spikeport.errors import WorkerError
from tests.sim.loihi1 import run
from tests.sim.test_loihi1 import FILES
from tests.vectors.case import Case, case_from_json
from tests.vectors.loihi1_edges import random_cases
from tests.vectors.loihi1_emulator import EmulatorRun, interpreter, run_emulator

N_QUICK, N_MANY = 30, 300


@pytest.fixture(scope="module")
def python() -> Path:
    try:
        return interpreter()
    except WorkerError as missing:
        pytest.skip(f"NOT COMPARED WITH NENGO-LOIHI: {missing}")


def compare_all(cases: list[Case], python: Path) -> tuple[int, set[str]]:
    """How many values were equal, all of them, and which words were left on the way."""
    values, left = 0, set()
    for case, ran in zip(cases, run_emulator(cases, python), strict=True):
        values += compare_one(case, ran)
        left |= set(ran.overflows)
    return values, left


def compare_one(case: Case, ran: EmulatorRun) -> int:
    values = 0
    for group, trace in run(case).traces.items():
        for name, x in {**trace.state, "s": trace.s}.items():
            assert np.array_equal(x, ran.groups[group][name]), f"{case.name}: {group}/{name}"
            values += x.size
    return values


def test_random_programs_equal_the_emulator(python: Path) -> None:
    values, left = compare_all(random_cases(1, N_QUICK), python)
    assert values > 50_000 and {"q0", "current"} <= left
    print(f"{values:,} values compared, 0 differ")


@pytest.mark.slow
def test_many_random_programs_equal_the_emulator(python: Path) -> None:
    values, left = compare_all(random_cases(2, N_MANY), python)
    assert values > 1_000_000 and left == {"q0", "current", "u2"}
    print(f"{values:,} values compared, 0 differ")


def test_recordings_are_what_the_emulator_does_today(python: Path) -> None:
    recorded = [case for path in FILES for case in json.loads(path.read_text())["cases"]]
    found = [case_from_json(case["name"], case["in"], "loihi1") for case in recorded]
    for case, ran in zip(recorded, run_emulator(found, python), strict=True):
        assert (ran.groups, ran.overflows) == (case["out"], case["left"]), case["name"]
