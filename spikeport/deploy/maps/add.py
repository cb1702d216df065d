"""Two maps between the same populations as one, where that costs no more memory."""

from math import gcd

import numpy as np

from spikeport.deploy.maps.base import Conv, Dense, Identity, LinearMap, Sparse
from spikeport.deploy.maps.conv import Indices, conv, pointwise, with_groups
from spikeport.deploy.maps.kind import held, of_matrix, synapses
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.nodes import Floats


def add(a: LinearMap, b: LinearMap) -> LinearMap | None:
    """The sum of both; None where holding it takes more weights than holding both."""
    if isinstance(a, Dense):
        return Dense(a.weight + matrix(b))
    if isinstance(b, Dense):
        return add(b, a)
    limit = held(a) + held(b)
    if (both := _of_convs(a, b)) is not None and held(both) <= limit:
        return both
    if max(synapses(a), synapses(b)) > limit:  # not worth writing it out: only what cancels could be left out
        return None
    total = matrix(a) + matrix(b)
    return next((kind for kind in (of_matrix(total), Sparse(total)) if held(kind) <= limit), None)


def _of_convs(a: LinearMap, b: LinearMap) -> Conv | None:
    """The smaller kernel put into the larger where both move over one image alike; an Identity has one tap."""
    if isinstance(a, Identity) and isinstance(b, Conv) and b.source == b.target:
        return _of_convs(pointwise(np.ones(b.source[0]), b.source), b)
    if isinstance(b, Identity):
        return None if isinstance(a, Identity) else _of_convs(b, a)
    if not (isinstance(a, Conv) and isinstance(b, Conv) and a.source == b.source and a.target == b.target):
        return None
    small, large = sorted((a, b), key=lambda map: map.weight.shape[2] * map.weight.shape[3])
    if small.stride != large.stride:
        return None
    groups = gcd(a.groups, b.groups)
    put = _put_into(small, large, groups)
    if put is None:
        return None
    weight = with_groups(large, groups) + put
    return conv(weight, large.stride, large.padding, large.dilation, groups, large.source)


def _put_into(small: Conv, large: Conv, groups: int) -> Floats | None:
    """The small one's weight on the taps of the large one; None where some tap has no place there."""
    own = with_groups(small, groups)
    taps = [_places(small, large, axis) for axis in (0, 1)]
    if taps[0] is None or taps[1] is None:
        return None
    weight = np.zeros((*own.shape[:2], *large.weight.shape[2:]))
    weight[:, :, taps[0][:, None], taps[1][None, :]] = own
    return weight


def _places(small: Conv, large: Conv, axis: int) -> Indices | None:
    """The large one's taps that meet the same source places as the small one's."""
    taps = np.arange(small.weight.shape[2 + axis]) * small.dilation[axis]
    places, between = np.divmod(taps + large.padding[axis] - small.padding[axis], large.dilation[axis])
    fits = np.all(between == 0) and places[0] >= 0 and places[-1] < large.weight.shape[2 + axis]
    return places if fits else None
