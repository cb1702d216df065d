"""The classes of a node's neurons, laid out so that events of a class can be counted without a look at any of them.

Whether 64 neurons sent is one word: events of a class are bits under a mask. Of an image with many small pieces,
channels that have the same classes are added up first, then rows that do, and what is left is sums of runs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeport.fixed import Ints
from spikeport.program import Shape

BAND = 255
"""Channels that are added up in a byte."""


class Pieces(NamedTuple):
    """Neurons of one class each: bits of words, or runs in the sums of the rows of an image."""

    of: NDArray[np.int32]
    """The class of each piece."""
    word: NDArray[np.int32]
    mask: NDArray[np.uint64]
    """Where it is among all neurons, 64 in a word; empty for an image, as what follows is for others."""
    stop: Ints
    """Where it ends in the sums, one row after the other."""
    bands: Ints
    """Channels with the same classes, at most `BAND`: `(bands, 2)`, first and last + 1."""
    row: Ints
    """Which of the sums each row of a band is added to, `(bands, rows)`."""
    sums: tuple[int, int]
    """How many rows of sums there are, and how long they are."""


def pieces(label: Ints, shape: Shape) -> Pieces:
    """Of neurons with these classes, `(n,)`: as bits or as an image of this shape, whichever is less to do."""
    if len(shape) < 3:
        return _bits(label)
    image = _image(label.reshape(shape[0], shape[1], -1))
    effort = int(image.bands[-1, 1]) + image.row.size + 2 * image.of.size
    if effort < label.size // 64:  # each word has a piece at least
        return image
    bits = _bits(label)
    return image if effort < bits.of.size else bits


def _bits(label: Ints) -> Pieces:
    neuron = np.argsort(label + np.arange(label.size) // 64 * (label.max() + 1), kind="stable")
    word, of = neuron // 64, label[neuron]
    first = np.flatnonzero(np.append(True, (word[1:] != word[:-1]) | (of[1:] != of[:-1])))
    mask = np.bitwise_or.reduceat(np.left_shift(np.uint64(1), (neuron % 64).astype(np.uint64)), first)
    nothing, image = np.zeros(0, np.int64), np.zeros((0, 2), np.int64)
    return Pieces(of[first].astype(np.int32), word[first].astype(np.int32), mask, nothing, image, image, (0, 0))


def _image(label: Ints) -> Pieces:
    channels, rows, length = label.shape
    differ = np.flatnonzero((label[1:] != label[:-1]).any(axis=(1, 2))) + 1
    edges = np.union1d([0, *differ, channels], np.arange(0, channels, BAND))
    different, row = np.unique(label[edges[:-1]].reshape(-1, length), axis=0, return_inverse=True)
    of = different.reshape(-1)
    last = np.append(of[1:] != of[:-1], True)
    bands = np.stack([edges[:-1], edges[1:]], axis=1)
    stop, row, nothing = np.flatnonzero(last) + 1, row.reshape(-1, rows), np.zeros(0, np.int32)
    return Pieces(of[last].astype(np.int32), nothing, nothing.astype(np.uint64), stop, bands, row, different.shape)
