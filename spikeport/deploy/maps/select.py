"""Some of a map's targets or sources, or all of them times a factor."""

from math import gcd

import numpy as np
from scipy.sparse import csr_array, diags_array

from spikeport.deploy.maps.base import Conv, Dense, Image, LinearMap
from spikeport.deploy.maps.conv import Indices, conv, with_groups
from spikeport.deploy.maps.kind import of_matrix, or_listed
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.nodes import Floats


def rows(map: LinearMap, index: Indices) -> LinearMap:
    """Only these targets, ascending. A `Conv` stays one where they are whole channels."""
    if len(index) == map.shape[0]:
        return map
    if isinstance(map, Dense):
        return Dense(map.weight[index])
    if isinstance(map, Conv) and (channels := _whole_channels(index, map.target)) is not None:
        groups = _groups_of(channels, map.target[0], map.groups)
        return _regrouped(map, with_groups(map, groups)[channels], groups, map.source)
    return of_matrix(matrix(map)[index])


def columns(map: LinearMap, index: Indices) -> LinearMap:
    """Only these sources, ascending. A `Conv` stays one where they are whole channels."""
    if len(index) == map.shape[1]:
        return map
    if isinstance(map, Dense):
        return Dense(map.weight[:, index])
    if isinstance(map, Conv) and (channels := _whole_channels(index, map.source)) is not None:
        groups = _groups_of(channels, map.source[0], map.groups)
        weight = with_groups(map, groups).reshape(groups, -1, map.source[0] // groups, *map.weight.shape[2:])
        within = (channels % (map.source[0] // groups)).reshape(groups, 1, -1, 1, 1)
        kept = np.take_along_axis(weight, within, axis=2).reshape(map.target[0], -1, *map.weight.shape[2:])
        return _regrouped(map, kept, groups, (len(channels), *map.source[1:]))
    return of_matrix(matrix(map)[:, index])


def scaled_rows(map: LinearMap, factor: Floats) -> LinearMap:
    """Each target's value times its factor `(m,)`. A `Conv` stays one where each channel has one factor."""
    match map:
        case Dense():
            return Dense(map.weight * factor[:, None])
        case Conv() if (per_channel := _per_channel(factor, map.target)) is not None:
            return _with_weight(map, map.weight * per_channel[:, None, None, None])
        case _:
            return of_matrix(_diagonal(factor) @ matrix(map))


def scaled_columns(map: LinearMap, factor: Floats) -> LinearMap:
    """Each source's value times its factor `(n,)`. A `Conv` stays one where each channel has one factor."""
    match map:
        case Dense():
            return Dense(map.weight * factor)
        case Conv() if (per_channel := _per_channel(factor, map.source)) is not None:
            per_target = per_channel.reshape(map.groups, -1).repeat(map.target[0] // map.groups, axis=0)
            return _with_weight(map, map.weight * per_target[:, :, None, None])
        case _:
            return of_matrix(matrix(map) @ _diagonal(factor))


def _diagonal(factor: Floats) -> csr_array:
    return diags_array(factor, format="csr")


def _with_weight(map: Conv, weight: Floats) -> Conv:
    return Conv(weight, map.stride, map.padding, map.dilation, map.groups, map.source, map.target)


def _per_channel(factor: Floats, image: Image) -> Floats | None:
    channels = factor.reshape(image[0], -1)
    return channels[:, 0] if np.all(channels == channels[:, :1]) else None


def _whole_channels(index: Indices, image: Image) -> Indices | None:
    """The channels whose neurons these are, all of each; None if there are none such."""
    size = image[1] * image[2]
    channels = np.unique(index // size)
    whole = (channels[:, None] * size + np.arange(size)).ravel()
    return channels if len(index) and np.array_equal(index, whole) else None


def _groups_of(channels: Indices, of: int, groups: int) -> int:
    """The groups to cut by: as they are if each of them keeps equally many of its channels, else one."""
    left = np.bincount(channels // (of // groups), minlength=groups)
    return groups if np.all(left == left[0]) else 1


def _regrouped(map: Conv, weight: Floats, groups: int, source: Image) -> LinearMap:
    cut = conv(weight, map.stride, map.padding, map.dilation, groups, source)
    return or_listed(_finest(cut) if groups == 1 else cut)


def _finest(cut: Conv) -> Conv:
    """With as many groups as the weight allows: a pool that was cut at both ends is depthwise again."""
    c_out, c_in = cut.weight.shape[:2]
    o, i = np.nonzero(np.any(cut.weight, axis=(2, 3)))
    divides = (g for g in range(gcd(c_out, c_in), 0, -1) if c_out % g == 0 and c_in % g == 0)
    groups = next(g for g in divides if np.array_equal(o // (c_out // g), i // (c_in // g)))
    blocks = cut.weight.reshape(groups, c_out // groups, groups, c_in // groups, *cut.weight.shape[2:])
    each = np.arange(groups)
    weight = blocks[each, :, each].reshape(c_out, c_in // groups, *cut.weight.shape[2:])
    return conv(weight, cut.stride, cut.padding, cut.dilation, groups, cut.source)
