"""The marks of active neurons, for whoever sums them otherwise than by step."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spikeport.sim.counting.active import Marks, Reach


def active_marks(reaches: tuple[Reach, ...], sent: Mapping[str, Marks], own: Marks, window: range) -> NDArray[np.uint8]:
    """Not 0 where a neuron received an operation in a step of its window, or spiked in it, `(W, B, n)`.

    Args:
        reaches: Of the connections into the group.
        sent: `(steps, B, n)` of their sources, the whole run of some samples.
        own: Likewise of the group.
    """
    first = window.start - 1
    marks = own[first : window.stop - 1].copy()
    full = np.zeros(marks.shape[:2], np.uint8)
    for reach in reaches:
        reach.mark(marks, full, sent[reach.source], 0, first)
    marks[full != 0] = 1
    return marks
