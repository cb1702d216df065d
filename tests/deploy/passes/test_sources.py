"""What no core has a field for comes from a clock and a pulse: the same u and v, by the recurrence."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.deploy.bounds import prove
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.network import Network, Population, Readout
from spikeport.deploy.network_run import run_network
from spikeport.deploy.nodes import Input, Node, Output
from spikeport.deploy.options import Options
from spikeport.deploy.passes.schedule import Schedule
from spikeport.deploy.passes.sources import CLOCK, PULSE, Sources, clocked
from spikeport.deploy.pipeline import compile_graph
from spikeport.sim import simulate
from tests.deploy.graphs import DT_S, floats, graph, lif, linear, population
from tests.deploy.hardware import run_on_hardware

STEPS = 6


def network(*populations: Population) -> Network:
    return Network(populations, (), (("in", (1,)),), ())


def sourced(before: Network) -> Network:
    step = Sources()
    after = step.run(before, Options())
    step.ensures(after, Options())
    return after


def sent(made: Network) -> dict[str, list[list[float]]]:
    found = run_network(made, {"in": np.zeros((STEPS, 1, 1))})
    return {name: x[:, 0].tolist() for name, x in found.items()}


def weights(made: Network) -> dict[tuple[str, str, int], list[float]]:
    return {(q.source, q.target, q.lag): matrix(q.map).toarray().ravel().tolist() for q in made.projections}


def test_without_a_current_a_drive_is_the_cores_bias() -> None:
    after = sourced(network(population("n", 2, bias=floats(1, 2), drive=floats(3, 0))))
    (p,) = after.populations
    assert (p.bias.tolist(), p.drive.tolist()) == ([4, 2], [0, 0])
    assert after.projections == ()


def test_a_currents_drive_comes_from_the_clock_at_every_step() -> None:
    p = population("n", 2, keep=0.5, threshold=np.inf, keep_u=0.25, bias=1.0, drive=floats(3, 0))
    after = sourced(network(p))
    assert [q.name for q in after.populations] == [PULSE, CLOCK, "n"]
    assert weights(after)[CLOCK, "n", 0] == [3, 0]
    assert after.population("n").bias.tolist() == [1, 1]
    u, v, want = np.zeros(2), np.zeros(2), []
    for _ in range(STEPS):
        u = 0.25 * u + [3, 0]
        v = 0.5 * v + u + 1
        want.append(v.tolist())
    found = sent(after)
    assert found["n"] == want
    assert found[PULSE] == [[1]] + [[0]] * (STEPS - 1)
    assert found[CLOCK] == [[1]] * STEPS


def test_first_steps_come_from_the_pulse() -> None:
    p = population("n", 1, keep=0.0, threshold=np.inf, first=(floats(2), floats(0), floats(-5)))
    after = sourced(network(p))
    assert [q.name for q in after.populations] == [PULSE, "n"]
    entering = {key: value for key, value in weights(after).items() if key[1] == "n"}
    assert entering == {(PULSE, "n", 0): [2], (PULSE, "n", 2): [-5]}
    assert sent(after)["n"] == [[2], [0], [-5], [0], [0], [0]]


@pytest.mark.parametrize("keep_u", [0.0, 0.25, 1.0])
def test_a_bias_from_the_clock_is_there_at_every_step_whatever_the_current_keeps(keep_u: float) -> None:
    """At a chip's first step, too, though the bias itself now comes through the current."""
    p = population("n", 1, keep=0.5, threshold=np.inf, keep_u=keep_u, bias=1.5)
    after = clocked(network(p), ["n"], 1 << 15, with_bias=True)
    assert after.population("n").bias.tolist() == [0]
    v, want = 0.0, []
    for _ in range(STEPS):
        v = 0.5 * v + 1.5
        want.append([v])
    assert sent(after)["n"] == want


def test_one_clock_serves_all_and_is_started_once() -> None:
    a, b = (population(name, 1, keep_u=0.5, drive=1.0) for name in "ab")
    after = clocked(sourced(network(a, b, population("c", 1, bias=1.0))), ["c"], 1 << 15, with_bias=True)
    assert [q.name for q in after.populations] == [PULSE, CLOCK, "a", "b", "c"]
    assert sum(q.target == CLOCK for q in after.projections) == 2  # the pulse, and itself


def test_on_a_chip_they_start_with_the_sample() -> None:
    p = population("n", 1, keep=0.5, threshold=np.inf, keep_u=0.25, drive=3.0, first=(floats(1),))
    x = {"in": np.zeros((STEPS, 1, 1))}
    made = replace(sourced(network(p)), outputs=(Readout("out", "n", "v"),))
    scheduled = Schedule().run(made, Options())
    assert {q.name: q.start for q in scheduled.populations} == {PULSE: 1, CLOCK: 2, "n": 3}
    assert np.array_equal(run_on_hardware(scheduled, x)["out"], run_network(made, x)["n"])


@pytest.mark.parametrize("steps", [1, 2, 3, 17, 32, 100, 1 << 10, 1 << 15])
def test_the_pulse_is_held_down_for_a_whole_interval(steps: int) -> None:
    """Its bias works against what its own spike took off, at every step, up to the next clearing."""
    options = Options(steps=steps)
    made = Sources().run(network(population("n", 1, threshold=np.inf, first=(floats(1),))), options)
    found = run_network(made, {"in": np.zeros((options.reset_interval, 1, 1))})[PULSE]
    assert np.flatnonzero(found).tolist() == [0]


@pytest.mark.parametrize("steps", [1, 2, 3, 17, 32, 64, 100, 1 << 10, 1 << 15])
def test_its_integers_do_the_same_and_are_proven_to_where_samples_are_short(steps: int) -> None:
    nodes: dict[str, Node] = {"in": Input((1,)), "w": linear([[1.0]]), "n": lif(1, v_reset=-0.5), "out": Output()}
    program = compile_graph(graph(nodes), dt_s=DT_S, steps=steps)
    interval = Options(steps=steps).reset_interval
    result = simulate(program, np.zeros((2 * interval, 1, 1), np.int64), record=["spikeport_pulse"])
    pulses = result.sent["spikeport_pulse"]
    assert np.flatnonzero(pulses).tolist() == list(range(0, len(pulses), interval))
    if steps <= 64:
        assert next(b for b in prove(program) if b.group == "spikeport_pulse").proven
