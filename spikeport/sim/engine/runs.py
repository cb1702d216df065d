"""What one place of a convolution's source reaches, as contiguous runs of its target, channel last.

A source column x reaches, through the kernel columns k with (x + padding - k dilation) mod stride = 0, output columns
that fall as k rises. Kernel columns are kept in falling order within each such phase, so that with one group and
neighbouring output columns the weights of a whole run lie side by side.
"""

import numpy as np
from numpy.typing import NDArray

from spikeport.program import Conv, Shape


def columns_in_order(conv: Conv) -> list[int]:
    """Kernel columns by phase, falling within each."""
    k_w = conv.weight.shape[3]
    return [k for phase in range(conv.stride[1]) for k in reversed(range(k_w)) if _phase(conv, k) == phase]


def runs_of(conv: Conv, source: Shape, target: Shape) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """`(n, 3)` runs (first target, first weight, length) in the order of places, and how many each place has.

    The first weight counts within one source channel; the first target is that of the first group.
    """
    lines = _reached(source[1], target[1], range(conv.weight.shape[2]), 0, conv)
    columns = _reached(source[2], target[2], columns_in_order(conv), 1, conv)
    across = [_merged(conv, reached, target[0]) for reached in columns]
    x = np.repeat(np.arange(source[2]), [len(parts) for parts in across])
    parts = np.array([part for merged in across for part in merged], np.int64).reshape(-1, 3)
    line, per_line = target[2] * target[0], conv.weight.shape[3] * (target[0] // conv.groups)
    runs = [np.zeros((0, 3), np.int32)]
    for rows in lines:
        # all columns of this line at once; a place's runs follow each other: by column, kernel row, then part
        by_column = np.argsort(np.tile(x, len(rows)), kind="stable")
        first = np.array([(row * line, i * per_line, 0) for i, row in rows], np.int64).reshape(-1, 1, 3)
        runs.append((first + parts).reshape(-1, 3)[by_column].astype(np.int32))
    counts = np.outer([len(rows) for rows in lines], [len(parts) for parts in across])
    return np.concatenate(runs), counts.reshape(-1).astype(np.int64)


def _reached(size: int, out: int, kernel: "range | list[int]", axis: int, conv: Conv) -> list[list[tuple[int, int]]]:
    """For each source index the (position in `kernel`, output index) pairs that it meets."""
    s, p, d = conv.stride[axis], conv.padding[axis], conv.dilation[axis]
    found: list[list[tuple[int, int]]] = []
    for n in range(size):
        hits = [(i, (n + p - k * d) // s) for i, k in enumerate(kernel) if (n + p - k * d) % s == 0]
        found.append([(i, o) for i, o in hits if 0 <= o < out])
    return found


def _merged(conv: Conv, reached: list[tuple[int, int]], c_out: int) -> list[tuple[int, int, int]]:
    """(first target, first weight, length) on one line; neighbours joined where target and weights both go on."""
    width = c_out // conv.groups
    parts: list[tuple[int, int, int]] = []
    for i, column in reached:
        to, weight = column * c_out, i * width
        if parts and conv.groups == 1 and parts[-1][0] + parts[-1][2] == to and parts[-1][1] + parts[-1][2] == weight:
            parts[-1] = (parts[-1][0], parts[-1][1], parts[-1][2] + width)
        else:
            parts.append((to, weight, width))
    return parts


def _phase(conv: Conv, k: int) -> int:
    return k * conv.dilation[1] % conv.stride[1]
