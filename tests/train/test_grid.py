"""The carried grid: integers survive, grids grow when weights outgrow them, mantissas fit a core."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikeport.checks import check_weight
from spikeport.train import grid

LEAST = torch.tensor(2.0**-9)


@given(
    st.lists(st.integers(-128, 127).map(lambda k: 2 * k), min_size=1, max_size=6)
    | st.lists(st.integers(0, 255), min_size=1, max_size=6)
    | st.lists(st.integers(-255, 0), min_size=1, max_size=6),
    st.integers(0, 7),
)
def test_mantissas_at_their_exponent_are_what_they_were(mantissas: list[int], exp: int) -> None:
    if min(mantissas) >= 0 or max(mantissas) <= 0:
        mantissas = [max(m, -255) for m in mantissas]  # -256 has no place where signs do not mix
    weight = torch.tensor(mantissas) * 2.0**exp * LEAST
    unit = grid.unit_of([weight], [exp], LEAST)
    assert unit == LEAST
    assert grid.whole(weight, exp, unit, LEAST).tolist() == [m << exp for m in mantissas]
    assert torch.equal(grid.rounded(weight, exp, unit, LEAST), weight)


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=6), st.integers(0, 7))
def test_any_weights_become_mantissas_that_a_core_takes(values: list[float], exp: int) -> None:
    weight = torch.tensor(values)
    unit = grid.unit_of([weight], [exp], LEAST)
    whole = grid.whole(weight, exp, unit, LEAST).numpy()
    assert np.array_equal(whole >> exp << exp, whole)
    mantissas = whole >> exp
    if mantissas.min() == -256 and mantissas.max() <= 0:  # of one sign after all: one exponent more holds it
        mantissas = mantissas >> 1
    check_weight("w", mantissas)
    step = float(unit) * 2**exp * (2 if grid.signs_mix(weight, exp, LEAST) else 1)
    assert np.abs(whole * float(unit) - weight.numpy()).max() <= step * (0.5 + 1e-5)


def test_the_unit_grows_with_the_weight_that_outgrows_it() -> None:
    small, large = torch.tensor([1.0, -1.0]) * 254 * LEAST, torch.tensor([300.0, 1.0]) * LEAST
    assert grid.unit_of([small, large], [0, 1], LEAST) == LEAST
    assert grid.unit_of([small, large], [0, 0], LEAST) == pytest.approx(float(LEAST) * 300 / 255)


def test_a_weight_that_rounds_to_zero_does_not_mix_the_signs() -> None:
    weight = torch.tensor([255.0, -0.5, 3.0]) * LEAST
    assert grid.whole(weight, 0, LEAST, LEAST).tolist() == [255, 0, 3]
    weight[1] = -0.6 * LEAST
    assert grid.whole(weight, 0, LEAST, LEAST).tolist() == [256, 0, 4]  # even; the unit would have grown


def test_gradients_pass_as_if_nothing_had_been_rounded() -> None:
    weight = torch.tensor([0.3, -0.7], requires_grad=True)
    unit = grid.unit_of([weight], [0], LEAST)
    (grid.rounded(weight, 0, unit, LEAST) * torch.tensor([2.0, 5.0])).sum().backward()
    assert weight.grad is not None and weight.grad.tolist() == [2.0, 5.0]


def test_no_weights_at_all_have_the_least_unit() -> None:
    assert grid.unit_of([torch.zeros(0)], [0], LEAST) == LEAST
