"""Both ways of a convolution equal torch's, for every geometry, and count the same synapses."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.program import LIF, Conv, Input, Output, Program
from spikeport.sim.counting.fanout import fan_out
from spikeport.sim.engine import columns as col
from spikeport.sim.engine.kernels import add_conv
from spikeport.sim.engine.layout import Layout, channels_first, channels_last, lay_out
from spikeport.sim.engine.room import make_room
from spikeport.sim.engine.windows import add_windows, find_edges

PAIR = st.tuples(st.integers(1, 3), st.integers(1, 3))


def laid_out(conv: Conv, source: tuple[int, int, int]) -> Layout:
    out = conv.output_shape(source)
    group = LIF("y", out, 4095, 0, 100, np.zeros(out, np.int16))
    return lay_out(Program((group,), (conv,), (Input("x", source, "spike"),), (Output("o", "y"),)))


def both_ways(conv: Conv, spikes: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """`(c_out, h, w)` sums, and how many synapses were counted; by windows, and by events."""
    lay = laid_out(conv, spikes.shape)  # type: ignore[arg-type]
    row, room = lay.connections[0], make_room(lay.groups, lay.connections, lay.node_offset)
    events, (starts, edges, rows) = room[2][1], room[3]
    listed = np.flatnonzero(channels_last(spikes.reshape(-1), spikes.shape))
    events[: listed.size] = listed
    assert row[col.GATHER] >= 0
    found = []
    for by_windows in (True, False):
        buffer = np.zeros(lay.buffer_size, np.int32)
        if by_windows:
            count = add_windows(buffer, 0, row, lay.bytes_, events, 0, listed.size, edges, rows)
        else:
            count = add_conv(buffer, 0, row, lay.bytes_, lay.pointers, lay.runs, events, 0, listed.size, starts)
        assert not buffer[row[col.N_TARGET] :].any()
        sums = channels_first(buffer[: row[col.N_TARGET]], conv.output_shape(spikes.shape))  # type: ignore[arg-type]
        found.append((sums << row[col.EXP], count))
    return found


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    channels=st.tuples(st.integers(1, 40), st.integers(1, 70)),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=PAIR,
    stride=PAIR,
    padding=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    dilation=st.integers(1, 3),
    rate=st.sampled_from([0.02, 0.3, 1.0]),
)
def test_equals_a_convolution(
    seed: int, channels: tuple[int, int], size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int],
    padding: tuple[int, int], dilation: int, rate: float,
) -> None:  # fmt: skip
    rng, (c_in, c_out) = np.random.default_rng(seed), channels
    reach = (dilation * (kernel[0] - 1) + 1, kernel[1])
    size = tuple(max(n, r - 2 * p) for n, r, p in zip(size, reach, padding, strict=True))  # type: ignore[assignment]
    conv = Conv(
        "x", "y", 2 * rng.integers(-128, 128, (c_out, c_in, *kernel)), 0, stride, padding, (dilation, 1)
    )  # fmt: skip
    spikes = (rng.random((c_in, *size)) < rate).astype(np.uint8)

    want = torch.nn.functional.conv2d(
        torch.from_numpy(spikes[None].astype(np.float64)), torch.from_numpy(conv.weight.astype(np.float64)),
        None, stride, padding, (dilation, 1),
    )[0].numpy()  # fmt: skip

    reached = int(fan_out(conv, spikes.shape) @ spikes.reshape(-1))  # type: ignore[arg-type]
    for sums, count in both_ways(conv, spikes):
        assert np.array_equal(sums, want)
        assert count == reached


SMALL = [
    ((1, 1), (1, 1), (1, 1), (1, 1), (0, 0), 1),
    ((2, 3), (4, 3), (2, 3), (1, 1), (1, 2), 1),
    ((3, 5), (5, 4), (3, 2), (2, 1), (2, 0), 1),
    ((5, 2), (3, 5), (2, 2), (1, 3), (4, 4), 2),
    ((2, 4), (6, 6), (3, 3), (2, 2), (1, 1), 2),
    ((3, 33), (3, 3), (1, 3), (1, 2), (0, 1), 3),
]
"""Channels, size, kernel, stride, padding and dilation of lines."""


@pytest.mark.parametrize("case", SMALL, ids=str)
@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_a_small_convolution_by_its_windows(case: tuple[Any, ...], rate: float, rng: np.random.Generator) -> None:
    """By its definition, target by target; the slot and the events stand in the middle of others."""
    (c_in, c_out), (h, w), kernel, stride, padding, dilation = case
    conv = Conv("x", "y", 2 * rng.integers(-128, 128, (c_out, c_in, *kernel)), 0, stride, padding, (dilation, 1))
    spikes, shape = (rng.random((c_in, h, w)) < rate).astype(np.uint8), conv.output_shape((c_in, h, w))
    lay = laid_out(conv, spikes.shape)  # type: ignore[arg-type]
    row, (_, edges, rows) = lay.connections[0], make_room(lay.groups, lay.connections, lay.node_offset)[3]
    found = np.flatnonzero(channels_last(spikes.reshape(-1), spikes.shape))
    events, buffer = (
        np.concatenate([[0, 0, 0], found, [0] * 40]).astype(np.int32),
        np.zeros(lay.buffer_size + 9, np.int32),
    )

    count = add_windows(buffer, 9, row, lay.bytes_, events, 3, found.size, edges, rows)

    want, reached = np.zeros(shape, np.int64), 0
    for o, y, x, c, i, j in product(*map(range, (*shape, c_in, *kernel))):
        line, column = y * stride[0] - padding[0] + i * dilation, x * stride[1] - padding[1] + j
        if 0 <= line < h and 0 <= column < w and spikes[c, line, column]:
            want[o, y, x] += int(conv.weight[o, c, i, j])
            reached += 1
    sums = channels_first(buffer[9 : 9 + row[col.N_TARGET]], shape)  # type: ignore[arg-type]
    assert np.array_equal(sums << row[col.EXP], want) and count == reached
    assert not buffer[:9].any() and not buffer[9 + row[col.N_TARGET] :].any()


def test_a_window_holds_more_events_than_fit_16_bits() -> None:
    weight = np.full((3, 300, 3, 3), -256)
    weight[2] = 254
    conv = Conv("x", "y", weight, padding=(1, 1))
    for sums, count in both_ways(conv, np.ones((300, 4, 4), np.uint8)):
        assert sums[:, 1, 1].tolist() == [-256 * 2700, -256 * 2700, 254 * 2700]
        assert count == 3 * 300 * 100  # 4 x 4 windows hold 9, 6 or 4 places


def test_edges_are_where_each_place_begins(rng: np.random.Generator) -> None:
    for channels in (1, 2, 3, 7, 48, 1000):
        events = np.flatnonzero(rng.random(50 * channels) < 0.3).astype(np.int32)
        edges = np.full(51, 7)
        find_edges(edges, 50, channels, events, 0, events.size)
        assert np.array_equal(edges, np.searchsorted(events, channels * np.arange(51)))
        find_edges(edges, 50, channels, np.concatenate([[0, 9, 9], events, [0]]).astype(np.int32), 3, 3 + events.size)
        assert np.array_equal(edges, 3 + np.searchsorted(events, channels * np.arange(51)))
