"""Events by class against numpy's own counting, as bits and as an image."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spikeport.sim.counting import pieces as layout
from spikeport.sim.counting.active import Reached
from spikeport.sim.counting.class_events import Adds, add_active, add_events
from spikeport.sim.counting.pieces import Pieces, pieces

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 40))


def labels(rng: np.random.Generator, shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """Of each neuron; either any, or a product of classes along the axes, as convolutions on cut cores have them."""
    if rng.random() < 0.3:
        return np.unique(rng.integers(0, 7, np.prod(shape)), return_inverse=True)[1]
    c, y, x = (rng.integers(0, 3, n) for n in shape)
    return np.unique(((c[:, None, None] * 3 + y[:, None]) * 3 + x).reshape(-1), return_inverse=True)[1]


def counted(
    found: Pieces, label: NDArray[np.int64], sent: NDArray[np.uint8], first: int, last: int
) -> NDArray[np.int64]:
    """`(B, rows, 2 * classes)`: each class into a column of its own, and twice into another."""
    n, steps = int(label.max()) + 1, 4
    columns = np.stack([np.arange(n), np.arange(n) + n], axis=1).reshape(-1).astype(np.int32)
    adds = Adds(np.arange(n + 1) * 2, columns, np.tile([1, 2], n))
    sums = np.zeros((sent.shape[1], steps, 2 * n), np.int64)
    total = add_events(sent, first, last, found, adds, sums)
    assert np.array_equal(sums[:, :, :n].sum(axis=(0, 1)), total)
    assert np.array_equal(sums[:, :, :n] * 2, sums[:, :, n:])
    return sums[:, :, :n]


def layouts(label: NDArray[np.int64], shape: tuple[int, int, int]) -> tuple[Pieces, ...]:
    return layout._bits(label), layout._image(label.reshape(shape)), pieces(label, shape), pieces(label, (label.size,))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shape=SHAPES)
def test_events_of_each_class(seed: int, shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(seed)
    label = labels(rng, shape)
    sent = (rng.random((6, 2, label.size)) < 0.4) * rng.integers(1, 256, (6, 2, label.size))
    first = int(rng.integers(0, 3))
    expected = np.zeros((2, 4, int(label.max()) + 1), np.int64)
    for step, b in np.ndindex(4, 2):
        expected[b, (first + step) % 4] += np.bincount(label[sent[first + step, b] != 0], minlength=expected.shape[2])
    for found in layouts(label, shape):
        assert np.array_equal(counted(found, label, sent.astype(np.uint8), first, first + 4), expected)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shape=SHAPES)
def test_active_neurons_of_each_class(seed: int, shape: tuple[int, int, int]) -> None:
    """Reached, all of its step reached, or spiked; several channels may share their marks."""
    rng = np.random.default_rng(seed)
    label, plane = labels(rng, shape), shape[1] * shape[2]
    alike = int(rng.choice([k for k in range(1, shape[0] + 1) if shape[0] % k == 0]))
    marks, own = (
        (rng.random((3, samples, n)) < 0.3).astype(np.uint8)
        for samples, n in ((2, label.size // alike), (3, label.size))
    )
    full = (rng.random((3, 2)) < 0.3).astype(np.uint8)
    classes = int(label.max()) + 1
    expected = np.zeros((3, 3, classes), np.int64)
    for i, b, j in np.ndindex(3, 2, label.size):
        channel, place = divmod(j, plane)
        if full[i, b] or marks[i, b, channel // alike * plane + place] or own[i, 1 + b, j]:
            expected[1 + b, i, label[j]] += 1
    reached = Reached(1, marks, full, label.size if alike == 1 else plane, alike)
    for found in layouts(label, shape):
        sums = np.zeros_like(expected)
        add_active(reached, own, 0, found, np.bincount(label), sums)
        assert np.array_equal(sums, expected)


def test_bits_and_images_are_chosen_by_what_there_is_to_do() -> None:
    columns = np.tile(np.arange(64) % 8, 16 * 32)
    assert len(pieces(columns, (16, 32, 64)).bands) == 1
    assert pieces(columns, (columns.size,)).word.size == 16 * 32 * 8
    blocks = np.repeat(np.arange(16), 2048)
    assert pieces(blocks, (16, 32, 64)).word.size == 512  # each word has one class
    assert Counter(pieces(blocks, (16, 32, 64)).of.tolist()) == dict.fromkeys(range(16), 32)


def test_more_channels_than_a_byte_counts() -> None:
    label = np.tile([0, 1], 600)
    found = layout._image(label.reshape(600, 1, 2))
    assert found.bands.tolist() == [[0, 255], [255, 510], [510, 600]] and found.sums == (1, 2)
    sent = np.ones((1, 1, 1200), np.uint8)
    assert counted(found, label, sent, 0, 1).tolist() == [[[600, 600], [0, 0], [0, 0], [0, 0]]]
