"""Events are listed as numpy lists them."""

import numpy as np
import pytest

from spikeport.sim.engine.events import SPARE, list_events


@pytest.mark.parametrize("n", [0, 1, 7, 63, 64, 65, 200, 1000])
@pytest.mark.parametrize("rate", [0.0, 0.02, 0.5, 1.0])
def test_lists_what_is_not_zero_in_order(rng: np.random.Generator, n: int, rate: float) -> None:
    spiked = rng.integers(1, 256, n).astype(np.uint8) * (rng.random(n) < rate).astype(np.uint8)
    events = np.full(3 + n + SPARE, -1, np.int32)

    count = list_events(spiked, events, 3)

    assert np.array_equal(events[3 : 3 + count], np.flatnonzero(spiked))
    assert (events[:3] == -1).all()
