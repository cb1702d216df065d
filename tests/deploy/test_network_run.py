"""A float network in float time equals its recurrence, written out by hand."""

import numpy as np
import pytest

from spikeport.deploy.maps.base import Dense, Identity
from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.network_run import Activity, components, fire, run_network
from tests.deploy.graphs import floats, population

X = [1.5, 0.0, 2.25, 0.5, 3.0, 3.0, 0.0, 0.25, 4.0, 1.0]


def network(populations: list[Population], *projections: Projection) -> Network:
    return Network(tuple(populations), projections, (("in", (1,)),), ())


def run(made: Network, x: list[float]) -> Activity:
    return run_network(made, {"in": np.array(x).reshape(-1, 1, 1)})


def one(source: str, target: str, weight: float = 1.0, lag: int = 0) -> Projection:
    return Projection(source, target, Dense(floats([weight])), lag)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("at_threshold", [False, True])
def test_a_neuron_follows_its_rule(reset: str, at_threshold: bool) -> None:
    p = population(
        "n",
        1,
        keep=0.5,
        threshold=1.5,
        keep_u=0.25,
        bias=0.125,
        drive=-0.5,
        first=(floats(2), floats(-1)),
        reset=reset,
        at_threshold=at_threshold,
    )
    u, v, want = 0.0, 0.0, []
    for t, x in enumerate(X):
        u = 0.25 * u + 0.5 * x - 0.5 + (2, -1, *[0] * 8)[t]
        v = 0.5 * v + u + 0.125
        s = v >= 1.5 if at_threshold else v > 1.5
        want.append(int(s))
        v = (v - 1.5 if reset == "subtract" else 0.0) if s else v
    assert 0 < sum(want) < len(want)
    found = run(network([p], one("in", "n", 0.5)), X)["n"]
    assert found.dtype == np.uint8
    assert found.ravel().tolist() == want


def test_a_tie_is_a_spike_where_the_population_says_so() -> None:
    for at_threshold in (False, True):
        p = population("n", 1, at_threshold=at_threshold)
        assert run(network([p], one("in", "n")), [1.0])["n"].item() == at_threshold


def test_neurons_that_do_not_fire_give_v() -> None:
    p = population("n", 1, threshold=np.inf)
    assert run(network([p], one("in", "n")), [4.0, 0.0, 2.0])["n"].ravel().tolist() == [4, 2, 3]


def test_v_before_its_resets_is_given_as_well() -> None:
    x = np.array([2.0, 0.5, 0.25]).reshape(-1, 1, 1)
    sent, v = fire(population("n", 1), x)
    assert (sent.ravel().tolist(), v.ravel().tolist()) == ([1, 0, 0], [2, 0.5, 0.5])


def test_what_a_projection_brings_is_as_old_as_its_lag() -> None:
    p = population("n", 1, keep=0.0, threshold=0.5)
    x = [1.0, 0.0, 0.0, 1.0, 1.0]
    for lag in (0, 1, 3, 5, 9):
        found = run(network([p], one("in", "n", lag=lag)), x)["n"].ravel().tolist()
        assert found == ([0] * lag + x)[: len(x)]


def test_paths_into_one_population_add_up() -> None:
    p = population("n", 1, keep=0.0, threshold=np.inf, drive=10.0)
    found = run(network([p], one("in", "n", 2.0), one("in", "n", 5.0, lag=1)), [1.0, 0.0, 3.0])["n"]
    assert found.ravel().tolist() == [12, 15, 16]


def test_a_population_that_hears_itself_does_so_a_step_later() -> None:
    p = population("n", 1)
    v, s, want = 0.0, 0, []
    for x in X:
        v = 0.5 * v + 0.5 * x - 0.75 * s
        s = int(v > 1)
        v = 0.0 if s else v
        want.append(s)
    assert 0 < sum(want) < len(want)
    assert run(network([p], one("in", "n", 0.5), one("n", "n", -0.75, lag=1)), X)["n"].ravel().tolist() == want


def test_a_loop_of_two_runs_step_by_step_and_what_hears_one_of_them_runs_after_it() -> None:
    """b hears a at once, a hears b two steps later; c stands between them in the order, and hears a alone."""
    a, b, c = (population(name, 1, keep=0.0, threshold=0.5) for name in "abc")
    made = network(
        [a, c, b], one("in", "a"), one("a", "b"), one("b", "a", 1.0, lag=2), one("a", "c"), one("in", "b", -1.0)
    )
    assert [[p.name for p in part] for part in components(made)] == [["a", "b"], ["c"]]
    x, s_a, s_b = [1, 0, 0, 1, 1, 0, 0, 0], [], []
    for t, now in enumerate(x):
        s_a.append(int(now + (s_b[t - 2] if t >= 2 else 0) > 0.5))
        s_b.append(int(s_a[t] - now > 0.5))
    found = run(made, x)
    assert {name: found[name].ravel().tolist() for name in "abc"} == {"a": s_a, "b": s_b, "c": s_a}


def test_a_loop_that_comes_back_runs_forever() -> None:
    """So the one above could not be silent."""
    a, b = (population(name, 1, keep=0.0, threshold=0.5) for name in "ab")
    found = run(network([a, b], one("in", "a"), one("a", "b"), one("b", "a", lag=2)), [1, 0, 0, 0, 0, 0, 0])
    assert found["a"].ravel().tolist() == [1, 0, 1, 0, 1, 0, 1]


def test_samples_and_neurons_are_apart() -> None:
    p = population("n", 2, keep=floats(0.0, 1.0), threshold=floats(0.5, 1.5))
    made = Network((p,), (Projection("in", "n", Identity(2)),), (("in", (2,)),), ())
    x = np.array([[[1, 1], [0, 0]], [[1, 1], [1, 1]], [[0, 0], [1, 1]]], float)
    assert run_network(made, {"in": x})["n"].tolist() == [[[1, 0], [0, 0]], [[1, 1], [1, 0]], [[0, 0], [1, 1]]]
