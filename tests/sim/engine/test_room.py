"""The loop's arrays are as large as the Program asks for."""

import numpy as np
import pytest

from spikeport.program import LIF, Conv, Dense, Input, Output, Program
from spikeport.sim.engine.layout import lay_out
from spikeport.sim.engine.room import make_room


def lif(name: str, shape: tuple[int, ...], rest: int = 0) -> LIF:
    return LIF(name, shape, 4095, 0, 100, np.zeros(shape, np.int16), refractory_steps=rest)


@pytest.mark.parametrize("widest_first", [False, True])
@pytest.mark.parametrize("rests", [False, True])
def test_room_is_for_the_widest_group_and_for_all_events(widest_first: bool, rests: bool) -> None:
    """Nodes of 24, 12 and 30, or of 24, 30 and 12 neurons; a kernel of 2 x 3 places and 2 channels; 16 and 4 spare."""
    conv = Conv("x", "g", np.ones((3, 2, 2, 3), int))
    g, h = lif("g", (3, 2, 2)), lif("h", (30,), int(rests))
    dense = Dense("g", "h", np.ones((30, 12), int))
    groups = (h, g) if widest_first else (g, h)
    lay = lay_out(Program(groups, (conv, dense), (Input("x", (2, 3, 4), "spike"),), (Output("y", "h"),)))

    arriving, firing, sending, for_delivery = make_room(lay.groups, lay.connections, lay.node_offset)

    assert [len(x) for x in arriving] == [30, 30 * rests, 30 * rests]
    assert [len(x) for x in firing] == [30, 2]
    assert [len(x) for x in sending] == [66, 66 + 16, 3]
    assert [len(x) for x in for_delivery] == [30, 3 * 4 + 1, 2 * 3 * 2 + 16 + 4]
