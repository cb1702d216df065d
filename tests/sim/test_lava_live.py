"""The reference interpreter against Lava itself, on this machine, all state and spikes of every neuron and step."""

import json
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from spikeport import fixed
from spikeport.commands.conformance.lava import Conformance, compare_random_programs
from spikeport.deploy.lava import LavaRun, Mode, run_lava_jobs
from spikeport.deploy.lava_env import LavaEnv
from spikeport.errors import OverflowDetected
from spikeport.program import LIF, Conv, Output, Program
from spikeport.sim import simulate
from spikeport.sim.compare import Comparison, compare
from spikeport.sim.random_programs import random_program
from tests.lava import lava_or_skip
from tests.sim.test_readout import ONE, summing
from tests.sim.test_vectors import FILES
from tests.vectors.case import Case, case_from_json
from tests.vectors.edges import lif_edges, overflow_edges, resonator_edges, sigma_delta_edges, ternary_edges

N_PROGRAMS = 200
N_QUICK = 20
NEURONS = {"LIF", "LIFReset", "TernaryLIF", "Delta", "Sigma", "SigmaDelta", "RF", "RF_IZ"}
CONNECTIONS = {"Dense", "DelayDense", "Sparse", "DelaySparse", "Conv"}


@pytest.fixture(scope="module")
def env() -> LavaEnv:
    return lava_or_skip()


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


def everything(found: Conformance) -> None:
    assert found.equal, found.first
    assert set(found.by_neuron) == NEURONS
    assert set(found.by_connection) == CONNECTIONS | {f"{name}, graded" for name in CONNECTIONS}
    print(f"{found.values:,} values compared, 0 differ; {found.by_neuron}")


def test_every_node_type_equals_lavas_models(env: LavaEnv) -> None:
    everything(compare_random_programs(N_QUICK, seed=1, env=env, steps=12, batch=2))


@pytest.mark.slow
def test_many_random_programs_equal_lavas_models(env: LavaEnv) -> None:
    found = compare_random_programs(N_PROGRAMS, env=env)
    everything(found)
    assert found.programs == N_PROGRAMS
    assert found.values > 10_000_000


def test_a_difference_is_found_and_named(env: LavaEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed, "keep_v", lambda dv: max(0, fixed.DECAY_ONE - 2 - dv))
    found = compare_random_programs(5, seed=1, env=env, steps=12)
    assert not found.equal
    assert found.differing > 0
    assert re.fullmatch(r"seed \d: step \d+, \w+, sample \d, neuron \d+: [uv] is -?\d+ and -?\d+ .*", found.first)


def test_edges_equal_lavas_models(env: LavaEnv) -> None:
    edges = (lif_edges, overflow_edges, ternary_edges, sigma_delta_edges, resonator_edges)
    compare_all([case for family in edges for case in family()], env, "models")


@pytest.mark.slow
def test_programs_equal_lavas_runtime(env: LavaEnv) -> None:
    """All node types; conv with a delay, a bias input and a reset are the parts that the worker carries itself."""
    found = compare_random_programs(N_QUICK, seed=1, mode="runtime", env=env, steps=8, batch=1)
    everything(found)
    programs = [case.program for case in cases(N_QUICK + 1)[1:]]
    assert any(delayed_conv(p) for p in programs)
    assert any(p.encoders for p in programs)
    assert any(g.reset_interval > 1 for p in programs for g in p.groups)


def read_everywhere(case: Case) -> Case:
    """The same, with an output for each v that there is."""
    lifs = [g.name for g in case.program.groups if isinstance(g, LIF)]
    outputs = tuple(Output(f"{name}_v", name, reads="v") for name in lifs)
    return replace(case, program=replace(case.program, outputs=(*case.program.outputs, *outputs)))


@pytest.mark.parametrize("mode", ["models", "runtime"])
def test_what_an_output_reads_is_lavas_v_at_every_step(mode: Mode, env: LavaEnv) -> None:
    found = [read_everywhere(case) for case in cases(N_QUICK if mode == "models" else 3)]
    runs = run_lava_jobs([(case.program, case.inputs) for case in found], mode=mode, env=env)
    moving = 0
    for case, run in zip(found, runs, strict=True):
        result = simulate(case.program, dict(case.inputs), profile="lava")
        for output in case.program.outputs[1:]:
            want = run.traces[output.source].v[case.program.latency :]
            assert np.array_equal(result.outputs[output.name], want), f"{case.name}: {output.name}"
            moving += np.unique(want).size > 2
        compare_one(case, run)
    assert moving > len(found) // 2


def test_a_readout_equals_lavas_up_to_its_last_value(env: LavaEnv) -> None:
    """8388544 is read; a bias of 1 to 63 more makes Lava's neuron spike too, and v is 0."""
    found = [Case(f"bias {b}", replace(summing(b), profile="lava"), {"x": ONE}) for b in (-1, 0, 1, 63, 64)]
    runs = run_lava_jobs([(case.program, case.inputs) for case in found], env=env)
    for case, run in zip(found, runs, strict=True):
        compare_one(case, run)
    assert [int(run.traces["out"].v[1, 0, 1]) for run in runs] == [8388543, 8388544, 0, 0, 0]


def test_recordings_are_what_lava_does_today(env: LavaEnv) -> None:
    recorded = [case for path in FILES for case in json.loads(path.read_text())["cases"]]
    found = [case_from_json(case["name"], case["in"]) for case in recorded]
    runs = run_lava_jobs([(case.program, case.inputs) for case in found], env=env)
    for case, run in zip(recorded, runs, strict=True):
        for group, states in case["out"].items():
            trace = run.traces[group]
            assert {k: x.tolist() for k, x in {**trace.state, "s": trace.s}.items()} == states, case["name"]


def test_random_programs_leave_their_words() -> None:
    """Otherwise the comparison says nothing about wrapping and saturation."""
    left: Counter[str] = Counter()
    for case in cases(N_PROGRAMS):
        try:
            simulate(case.program, dict(case.inputs), profile="strict")
        except OverflowDetected as overflow:
            left[overflow.what.split(" of neuron")[0]] += 1
    assert all(left[name] >= 3 for name in ("u", "v", "re", "im", "sigma", "a", "sum of graded spikes"))


def delayed_conv(program: Program) -> bool:
    return any(isinstance(c, Conv) and c.delay > 0 for c in program.connections)
