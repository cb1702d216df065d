"""Padding in words against torch's own convolution."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikeport.deploy.nodes import Conv1d, Conv2d
from spikeport.errors import DeployError
from tests.deploy.reader.tables import conv, ends, read

size = st.integers(1, 5)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@given(size, size, st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(6, 9), st.integers(6, 9))
def test_same_is_torchs_same(kh: int, kw: int, dh: int, dw: int, groups: int, h: int, w: int) -> None:
    weight = np.random.default_rng(kh * 10 + kw).normal(size=(2 * groups, 2, kh, kw))
    given = conv(2 * groups, 2, kh, kw, weight=weight, padding="same", dilation=[dh, dw], groups=groups)
    nodes = {**ends(2 * groups, h, w), "k": given}
    if any(d > 1 and d * (k - 1) % 2 for k, d in ((kh, dh), (kw, dw))):
        with pytest.raises(DeployError, match="is not symmetric for kernel"):
            read(nodes)
        return
    node = read(nodes).nodes["k"]
    assert isinstance(node, Conv2d)
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 2 * groups, h, w)))
    asked = torch.nn.functional.conv2d(x, torch.from_numpy(weight), None, 1, "same", (dh, dw), groups)
    found = torch.nn.functional.conv2d(
        x, torch.from_numpy(node.weight), None, node.stride, node.padding, node.dilation, node.groups
    )
    assert asked.shape == found.shape == (1, *read(nodes).shapes()["k"])
    assert torch.allclose(asked, found, rtol=1e-12, atol=1e-12)  # torch adds the zeros in too


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@given(st.integers(1, 6), st.integers(1, 3), st.integers(8, 12))
def test_same_along_one_axis_is_torchs_same(k: int, d: int, n: int) -> None:
    nodes = {**ends(1, n), "k": conv(2, 1, k, padding="same", dilation=d)}
    if d > 1 and d * (k - 1) % 2:
        with pytest.raises(DeployError, match="is not symmetric for kernel"):
            read(nodes)
        return
    node = read(nodes).nodes["k"]
    assert isinstance(node, Conv1d)
    x = torch.arange(n, dtype=torch.float64).reshape(1, 1, n) ** 2
    weight = torch.from_numpy(np.arange(2.0 * k).reshape(2, 1, k))
    asked = torch.nn.functional.conv1d(x, weight, None, 1, "same", d)
    found = torch.nn.functional.conv1d(x, torch.from_numpy(node.weight), None, node.stride, node.padding, node.dilation)
    assert torch.equal(asked, found)  # whole numbers


def test_valid_is_no_padding() -> None:
    nodes = {**ends(1, 6, 6), "k": conv(1, 1, 3, 3, padding="valid", stride=[2, 1])}
    node = read(nodes).nodes["k"]
    assert isinstance(node, Conv2d) and node.padding == (0, 0)
    assert read(nodes).shapes()["k"] == (1, 2, 4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"padding": "same", "stride": [2, 1]},
            "k: padding (same) has no meaning at stride (2, 1); write the padding as numbers",
        ),
        (
            {"padding": "same", "dilation": [1, 3]},
            "k: padding (same) is not symmetric for kernel 2 with dilation 3; write the padding as numbers",
        ),
        ({"padding": "full"}, "k: padding (full) is not a number, same or valid; write the padding as numbers"),
        ({"padding": -1}, "k: convolution (stride (1, 1), padding (-1, -1), dilation (1, 1), groups 1) is not a valid"),
    ],
)
def test_other_paddings_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DeployError) as caught:
        read({**ends(1, 6, 6), "k": conv(1, 1, 3, 2, **fields)})
    assert str(caught.value).startswith(message)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3), st.integers(1, 2))
def test_shapes_are_torchs(kh: int, kw: int, stride: int, padding: int, dilation: int, groups: int) -> None:
    geometry: dict[str, Any] = {"stride": [stride, 1], "padding": padding, "dilation": [1, dilation], "groups": groups}
    nodes = {**ends(groups, 10, 12), "k": conv(2 * groups, 1, kh, kw, **geometry)}
    weight = torch.zeros(2 * groups, 1, kh, kw)
    asked = torch.nn.functional.conv2d(
        torch.zeros(1, groups, 10, 12), weight, None, (stride, 1), padding, (1, dilation), groups
    )
    assert read(nodes).shapes()["k"] == tuple(asked.shape[1:])
