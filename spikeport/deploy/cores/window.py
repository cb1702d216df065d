"""Which inputs of a convolution the cores of its output need, axis by axis."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spikeport.cores import Cut
from spikeport.fixed import Ints
from spikeport.program import Conv, Shape


@dataclass(frozen=True, eq=False)
class Window:
    """One axis of a convolution whose output is cut into blocks."""

    needed: Ints
    """`(blocks,)`: inputs that a block has synapses from."""
    cores: Ints
    """`(n_in,)`: blocks that an input reaches."""
    alike: Mapping[tuple[tuple[int, ...], int], Ints]
    """Blocks by the sizes of the distinct sets of taps with which inputs reach them, and by their own size."""


def window(conv: Conv, source: Shape, target: Cut, axis: int) -> Window:
    """Of rows (axis 1) or columns (axis 2)."""
    at = axis - 1
    geometry = (conv.stride[at], conv.padding[at], conv.dilation[at])
    return _window(source[axis], target.shape[axis], conv.weight.shape[2 + at], *geometry, target.block[axis])


@lru_cache(maxsize=1024)
def _window(n_in: int, n_out: int, kernel: int, stride: int, padding: int, dilation: int, block: int) -> Window:
    o, k = np.arange(n_out)[:, None], np.arange(kernel)
    i = o * stride - padding + k * dilation
    inside = (i >= 0) & (i < n_in)
    part, tap, _ = np.broadcast_arrays(o // block, k, i)
    reached = np.zeros((-(-n_out // block), n_in, kernel), bool)
    reached[part[inside], i[inside], tap[inside]] = True
    any_tap: NDArray[np.bool_] = np.logical_or.reduce(reached, axis=2)
    alike: dict[tuple[tuple[int, ...], int], list[int]] = {}
    for index, taps in enumerate(reached):
        sets = {one.tobytes(): int(one.sum()) for one in taps[any_tap[index]]}
        size = min(block, n_out - index * block)
        alike.setdefault((tuple(sets.values()), size), []).append(index)
    return Window(any_tap.sum(axis=1), any_tap.sum(axis=0), {key: np.array(found) for key, found in alike.items()})


def filters(conv: Conv, target: Cut) -> Ints:
    """`(parts, groups)`: how many filters of each of the convolution's groups a block of channels has."""
    per_group = conv.weight.shape[0] // conv.groups
    first = target.starts(0)[:, None]
    after = first + target.sizes(0)[:, None]
    begin = np.arange(conv.groups) * per_group
    return np.maximum(np.minimum(after, begin + per_group) - np.maximum(first, begin), 0)
