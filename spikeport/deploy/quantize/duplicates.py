"""Neurons, or whole channels, that hear the same with the same integers, and so always do the same."""

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.maps.base import Conv
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.maps.weights import with_weights
from spikeport.deploy.network import Population, Projection
from spikeport.deploy.quantize.integer_network import IntegerNetwork

MOST = 1 << 22
"""Integers that are compared one by one; a larger population is looked at no further."""


def duplicates(integers: IntegerNetwork, p: Population) -> NDArray[np.int64]:
    """For each neuron, the first that is its like, `(n,)`; itself if there is none before it.

    A neuron that hears itself, or what the host computes, has no like.
    """
    own = np.arange(p.size)
    into = integers.hears(p.name)
    if not into or any(q.source == p.name for q in into):
        return own
    rounded = integers.rounded[p.name]
    if all(isinstance(q.map, Conv) for q in into) and _one_bias_a_channel(p, rounded.bias):
        pixels = p.size // p.shape[0]
        rows = [w.reshape(p.shape[0], -1) for w in rounded.weights]
        first = _first(np.concatenate([*rows, rounded.bias.reshape(p.shape[0], -1)[:, :1]], axis=1))
        return (first[:, None] * pixels + np.arange(pixels)).reshape(-1)
    if sum(np.prod(q.map.shape) for q in into) > MOST:
        return own
    rows = [_dense(q, w) for q, w in zip(into, rounded.weights, strict=True)]
    return _first(np.concatenate([*rows, rounded.bias.reshape(-1, 1)], axis=1))


def _one_bias_a_channel(p: Population, bias: NDArray[np.int64]) -> bool:
    return len(p.shape) == 3 and not np.any(np.ptp(bias.reshape(p.shape[0], -1), axis=1))


def _dense(q: Projection, weight: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.rint(matrix(with_weights(q.map, weight.astype(np.float64))).toarray()).astype(np.int64)


def _first(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    _, first, label = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first[label.reshape(-1)]
