"""The reference interpreter against Lava itself, on this machine, every u, v and spike of every neuron and step."""

import json

import numpy as np
import pytest

from spikeport.deploy.lava import LavaRun, Mode, run_lava_jobs
from spikeport.deploy.lava_env import LavaEnv, find_lava
from spikeport.errors import LavaMissing, OverflowDetected
from spikeport.program import Conv, Program
from spikeport.sim import simulate
from spikeport.sim.compare import Comparison, compare
from spikeport.sim.random_programs import random_program
from tests.sim.test_vectors import FILES
from tests.vectors.case import Case, case_from_json
from tests.vectors.edges import lif_edges, overflow_edges

N_PROGRAMS = 200
N_RUNTIME = 3


@pytest.fixture(scope="module")
def env() -> LavaEnv:
    try:
        return find_lava()
    except LavaMissing as missing:
        pytest.skip(f"NOT COMPARED WITH LAVA: {missing}")


def cases(count: int) -> list[Case]:
    found = []
    for seed in range(count):
        program, inputs = random_program(np.random.default_rng(seed))
        found.append(Case(f"seed {seed}", program, inputs))
    return found


def compare_all(found: list[Case], env: LavaEnv, mode: Mode) -> list[Comparison]:
    runs = run_lava_jobs([(case.program, case.inputs) for case in found], mode=mode, env=env)
    print(runs[0].describe())
    return [compare_one(case, run) for case, run in zip(found, runs, strict=True)]


def compare_one(case: Case, run: LavaRun) -> Comparison:
    result = simulate(case.program, dict(case.inputs), record=[g.name for g in case.program.groups], profile="lava")
    comparison = compare(result.traces, run.traces)
    assert comparison.equal, f"{case.name}: {comparison.first} (reference, Lava)"
    return comparison


@pytest.mark.slow
def test_random_programs_equal_lavas_models(env: LavaEnv) -> None:
    comparisons = compare_all(cases(N_PROGRAMS), env, "models")
    values = sum(comparison.values for comparison in comparisons)
    print(f"{values:,} values compared, 0 differ")
    assert values > 1_000_000


def test_edges_equal_lavas_models(env: LavaEnv) -> None:
    compare_all([*lif_edges(), *overflow_edges()], env, "models")


@pytest.mark.slow
def test_programs_equal_lavas_runtime(env: LavaEnv) -> None:
    """Conv with a delay, a bias input and a reset are the parts that the worker carries itself."""
    found = [case for case in cases(N_PROGRAMS) if delayed_conv(case.program)][:1]
    found += [case for case in cases(N_PROGRAMS) if case.program.encoders][:1]
    found += [case for case in cases(N_PROGRAMS) if any(g.reset_interval > 1 for g in case.program.groups)][:1]
    assert len(found) == N_RUNTIME
    compare_all(found, env, "runtime")


def test_recordings_are_what_lava_does_today(env: LavaEnv) -> None:
    recorded = [case for path in FILES for case in json.loads(path.read_text())["cases"]]
    found = [case_from_json(case["name"], case["in"]) for case in recorded]
    runs = run_lava_jobs([(case.program, case.inputs) for case in found], env=env)
    for case, run in zip(recorded, runs, strict=True):
        for group, states in case["out"].items():
            assert {k: getattr(run.traces[group], k).tolist() for k in "uvs"} == states, case["name"]


def test_random_programs_leave_both_words() -> None:
    """Otherwise the comparison says nothing about wrapping and saturation."""
    left = {"u": 0, "v": 0}
    for case in cases(N_PROGRAMS):
        try:
            simulate(case.program, dict(case.inputs), profile="strict")
        except OverflowDetected as overflow:
            left[overflow.what[0]] += 1
    assert min(left.values()) > 10


def delayed_conv(program: Program) -> bool:
    return any(isinstance(c, Conv) and c.delay > 0 for c in program.connections)
