"""Which class wins, by hand; and that the parts of a run decide as the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.errors import InputError
from spikeport.sim import decide, vote
from spikeport.sim.decide import DECISIONS, Decide, tally

V = np.array([
    # class 0  class 1  class 2
    [[5, 1, 4, 0, 0, 0]],
    [[-9, 0, 3, 3, 20, -1]],
    [[0, 2, 1, 0, -30, 2]],
])  # fmt: skip
"""Sums per class: 6 4 0; -9 6 19; 2 1 -28. Totals: -1 11 -9."""


@pytest.mark.parametrize(("how", "winner"), [("mean", 1), ("max", 2), ("last", 0)])
def test_blocks_are_added_up_and_the_largest_wins(how: Decide, winner: int) -> None:
    assert decide(V, 3, how).tolist() == [winner]
    assert decide(V.reshape(3, 1, 3, 1, 2), 3, how).tolist() == [winner]


def test_the_mean_is_the_default_and_counts_spikes(rng: np.random.Generator) -> None:
    assert decide(V, 3).tolist() == [1]
    spikes = (rng.random((9, 20, 12)) < 0.5).astype(np.uint8)
    assert decide(spikes, 4).tolist() == vote(spikes.sum(axis=0), 4).tolist()


@pytest.mark.parametrize("how", DECISIONS)
def test_the_lowest_class_wins_a_tie(how: Decide) -> None:
    assert decide(np.full((4, 2, 6), -3), 3, how).tolist() == [0, 0]
    assert decide(np.array([[[-3, 7, 7]]]), 3, how).tolist() == [1]


def test_sums_of_v_do_not_wrap() -> None:
    v = np.full((1000, 1, 1000), 8388544, np.int32)
    assert tally(v, 1).total.tolist() == [[8388544 * 10**6]]
    spikes = np.ones((300, 1, 2), np.uint8)
    assert tally(spikes, 1).total.tolist() == [[600]]


@given(seed=st.integers(0, 2**32), cut=st.integers(0, 6), how=st.sampled_from(DECISIONS))
def test_parts_one_after_the_other_decide_as_the_whole(seed: int, cut: int, how: Decide) -> None:
    v = np.random.default_rng(seed).integers(-3, 4, (6, 5, 4))
    parts = tally(v[:cut], 2).then(tally(v[cut:], 2))
    assert parts.steps == 6
    assert parts.winners(how).tolist() == decide(v, 2, how).tolist()


def test_what_cannot_decide_is_refused() -> None:
    with pytest.raises(InputError, match=r"vote: output neurons \(6\) do not divide by classes 4"):
        decide(V, 4)
    with pytest.raises(InputError, match="classes 0"):
        decide(V, 0)
    with pytest.raises(InputError, match=r"decide: name \(median\) is not one of mean, max, last"):
        decide(V, 3, "median")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"decide: steps of the output \(0\) are not above 0"):
        decide(V[:0], 3)
