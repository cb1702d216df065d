"""What would fit: everything that is told was tried, and fits when it is checked again."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.chip import LOIHI1, LOIHI2, Chip
from spikeport.deploy import check
from spikeport.deploy.remedies import Advice, Remedy, advise
from spikeport.deploy.rules import design
from spikeport.program import Conv, Dense, Program
from tests.deploy.random_programs import random_chip, random_program
from tests.deploy.small_programs import row, stack


def advised(program: Program, chip: Chip) -> Advice:
    return advise(design(program, chip))


def lines(program: Program, chip: Chip) -> list[str]:
    return advised(program, chip).lines()


def broken(program: Program, chip: Chip) -> set[tuple[str, str]]:
    return {(v.id, v.layer) for v in check(program, chip)}


def check_again(remedy: Remedy, before: set[tuple[str, str]]) -> None:
    left = broken(remedy.after.program, remedy.after.chip)
    assert left == set(remedy.left)
    assert left < before
    assert set(remedy.mends) <= before and not set(remedy.mends) & left
    assert remedy.fits == (not left)


@given(st.integers(0, 2**32 - 1))
def test_each_remedy_mends_what_it_says_when_it_is_checked_again(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program, chip = random_program(rng), random_chip(rng)
    if rng.random() < 0.3:
        groups = tuple(replace(g, reset_interval=3, dv=4096) for g in program.groups)  # type: ignore[type-var]
        program = replace(program, groups=groups)
    before = broken(program, chip)
    advice = advised(program, chip)
    for remedy in (*advice.remedies, *([advice.together] if advice.together else [])):
        check_again(remedy, before)
    assert advice.together is None or advice.together.fits
    assert [r.kind for r in advice.remedies] == sorted(r.kind for r in advice.remedies)


def test_the_most_channels_that_fit_are_found() -> None:
    """A core takes 16 neurons: 16 channels of 4x4 take 16 cores, the 3 neurons behind them one, and there are 9."""
    net = stack((1, 6, 6), (16, 3, 1, 0), 3)
    chip = replace(LOIHI2, neurons_per_core=16, cores_per_chip=9)
    found = lines(net, chip)
    assert found[0] == "the network as it is on a loihi1 fits: 2 of 128 cores"
    assert found[1] == "the network as it is on 2 chips of loihi2 fits: 17 of 18 cores"
    assert "c0 with 8 of 16 channels fits: 9 of 9 cores" in found
    assert "c0 with twice the stride fits: 5 of 9 cores" in found  # 2x2 pixels, so 4 channels on a core


def test_a_smaller_network_is_the_same_network_sliced() -> None:
    net = stack((1, 6, 6), (12, 3, 1, 0), 3)
    rng = np.random.default_rng(1)
    conv, dense = net.connections
    weight = rng.integers(-9, 9, dense.weight.shape) * 2
    net = replace(net, connections=(conv, replace(dense, weight=weight)))
    advice = advised(net, replace(LOIHI2, neurons_per_core=16, cores_per_chip=9))
    after = next(r for r in advice.remedies if r.change == "c0 with 8 of 12 channels").after.program
    assert after.shape_of("c0") == (8, 4, 4)
    assert np.array_equal(after.connections[0].weight, conv.weight[:8])
    assert np.array_equal(after.connections[1].weight, weight.reshape(3, 12, 4, 4)[:, :8].reshape(3, -1))


@pytest.mark.parametrize(
    ("weights", "exponent", "moved"),
    [([4, -6], -8, ([2, -3], -7)), ([8, -12], -8, ([4, -6], -7)), ([3, 5], 7, ([6, 10], 6)), ([200, 5], 7, None)],
    ids=["odd with mixed signs", "halved", "doubled", "no room"],
)
def test_an_exponent_moves_only_where_the_products_stay(
    weights: list[int], exponent: int, moved: tuple[list[int], int] | None
) -> None:
    """Mixed signs have even mantissas only; 400 has more than 8 bits."""
    net = row(1)
    net = replace(net, connections=(Dense("x", "g0", np.array([weights]), weight_exp=exponent),))
    chip = replace(LOIHI1, min_weight_exp=-7, max_weight_exp=6)
    found = [r for r in advised(net, chip).remedies if r.kind == 0]
    odd = moved is not None and any(w % 2 for w in moved[0]) and min(moved[0]) < 0
    if moved is None or odd:
        assert found == []
        return
    (remedy,) = found
    (after,) = remedy.after.program.connections
    assert (after.weight.tolist(), after.weight_exp) == ([moved[0]], moved[1])
    assert remedy.line() == "x -> g0 with exponents in range, mantissas shifted against them fits: 1 of 128 cores"


def test_reset_intervals_go_to_the_next_power_of_two() -> None:
    net = row(2, 2, neurons={"reset_interval": 12})
    found = advised(net, LOIHI2).remedies
    assert [r.line() for r in found] == [
        "g0, g1 with reset intervals raised to the next power of two fits: 2 of 120 cores",
        "the network as it is on a loihi1 fits: 2 of 128 cores",
    ]
    assert [g.reset_interval for g in found[0].after.program.groups] == [16, 16]


def test_several_changes_are_told_together_where_none_is_enough() -> None:
    net = row(2, 2, weight_exp=-8, neurons={"reset_interval": 12, "dv": 4096})
    advice = advised(net, replace(LOIHI2, min_weight_exp=-7))
    assert not any(r.fits for r in advice.remedies)
    assert advice.together is not None
    assert advice.together.line() == (
        "x -> g0, g0 -> g1 with exponents in range, mantissas shifted against them"
        " and g0, g1 with reset intervals raised to the next power of two"
        " and g0, g1 with decays at the nearest end of their range fits: 2 of 120 cores"
    ).replace("x -> g0, g0 -> g1", "g0 -> g1, x -> g0")
    assert check(advice.together.after.program, advice.together.after.chip) == []


def test_it_is_said_if_nothing_fits() -> None:
    """One neuron has 17,000 sources, and they are the input, which stays as it is."""
    assert lines(row(1, n_in=17_000), LOIHI2) == ["nothing that was tried makes it fit (1 changes)"]


def test_a_dense_layer_with_too_many_sources_hears_from_fewer() -> None:
    net = row(9, 1, n_in=2)
    chip = replace(LOIHI2, axons_in_per_core=7)
    assert "g0 with 7 of 9 neurons fits: 2 of 120 cores" in lines(net, chip)


def test_depthwise_layers_shrink_together() -> None:
    net = stack((1, 6, 6), (8, 3, 1, 0))
    depthwise = Conv("c0", "c1", np.ones((8, 1, 3, 3), int), groups=8)
    behind = stack((8, 4, 4), (8, 3, 1, 0), 3)
    groups = (*net.groups, replace(behind.groups[0], name="c1"), replace(behind.groups[1], name="c2"))
    dense = replace(behind.connections[1], source="c1", target="c2")
    outputs = (replace(behind.outputs[0], source="c2"),)
    net = replace(net, groups=groups, connections=(*net.connections, depthwise, dense), outputs=outputs)
    advice = advised(net, replace(LOIHI2, neurons_per_core=16, cores_per_chip=9, generation=2))
    narrower = next(r for r in advice.remedies if r.change.startswith("c0 with") and "channels" in r.change)
    shapes = [narrower.after.program.shape_of(name)[0] for name in ("c0", "c1")]
    assert shapes[0] == shapes[1] < 8
    check_again(narrower, broken(net, advice.remedies[-1].after.chip))
