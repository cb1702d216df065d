"""Smaller copies of a Program are slices of it; numpy's own slicing is the oracle."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.deploy.resize import with_channels, with_double_stride
from spikeport.errors import ProgramError
from spikeport.program import Conv, Dense, Encoder, Input, Output, Program, Sparse, identical
from tests.deploy.small_programs import lif, stack


@pytest.fixture
def net(rng: np.random.Generator) -> Program:
    """An image on the host, a convolution, a shortcut of listed synapses, a dense layer with delays."""
    bias = rng.integers(-9, 9, (6, 8, 8))
    groups = (lif("a", (6, 8, 8), bias_mant=bias), lif("b", (4, 8, 8)), lif("c", (5,)))
    host = Conv("x", "a", rng.integers(-9, 9, (6, 1, 3, 3)) * 2, padding=(1, 1))
    row, col = np.nonzero(rng.random((256, 384)) < 0.05)
    connections = (
        Conv("a", "b", rng.integers(-9, 9, (4, 6, 3, 3)) * 2, padding=(1, 1)),
        Sparse("a", "b", row, col, rng.integers(-9, 9, row.size) * 2),
        Dense("b", "c", rng.integers(-9, 9, (5, 256)) * 2, delay=rng.integers(0, 9, (5, 256))),
    )
    encoders = (Encoder(host, rng.integers(-9, 9, (6, 8, 8))),)
    return Program(groups, connections, (Input("x", (1, 8, 8), "bias", 0, 9),), (Output("y", "c"),), encoders)


def matrix(sparse: Sparse, n: int, m: int) -> np.ndarray:
    found = np.zeros((n, m), int)
    found[sparse.row, sparse.col] = sparse.weight
    return found


def test_fewer_channels_are_the_first_ones(net: Program) -> None:
    small = with_channels(net, {"a": 4, "b": 3})
    assert [g.shape for g in small.groups] == [(4, 8, 8), (3, 8, 8), (5,)]
    assert np.array_equal(small.groups[0].bias_mant, net.groups[0].bias_mant[:4])  # type: ignore[union-attr]
    (before,), (host,) = net.encoders, small.encoders
    assert np.array_equal(host.synapses.weight, before.synapses.weight[:4])
    assert np.array_equal(host.offset, before.offset[:4])
    conv, sparse, dense = small.connections
    assert np.array_equal(conv.weight, net.connections[0].weight[:3, :4])
    assert isinstance(sparse, Sparse) and isinstance(net.connections[1], Sparse)
    whole = matrix(net.connections[1], 256, 384).reshape(4, 64, 6, 64)
    assert np.array_equal(matrix(sparse, 192, 256), whole[:3, :, :4].reshape(192, 256))
    for name in ("weight", "delay"):
        old, new = (getattr(c, name) for c in (net.connections[2], dense))
        assert np.array_equal(new, old.reshape(5, 4, 64)[:, :3].reshape(5, 192))


def test_all_channels_are_the_program_itself(net: Program) -> None:
    assert identical(with_channels(net, {"a": 6}), net)


def test_twice_the_stride_halves_the_image_and_all_behind_it(net: Program) -> None:
    small = with_double_stride(net, "a")
    assert [g.shape for g in small.groups] == [(6, 4, 4), (4, 4, 4), (5,)]
    assert small.encoders[0].synapses.stride == (2, 2)  # type: ignore[union-attr]
    dense = net.connections[2].weight.reshape(5, 4, 8, 8)[:, :, :4, :4]
    assert np.array_equal(small.connections[2].weight, dense.reshape(5, 64))


def test_no_stride_may_change_what_the_network_puts_out() -> None:
    with pytest.raises(ProgramError) as caught:
        with_double_stride(stack((1, 8, 8), (3, 3, 1, 1), (2, 3, 1, 1)), "c0")
    assert caught.value.where == "y"


def test_a_shortcut_that_does_not_shrink_with_its_layer_is_refused() -> None:
    """c1 hears from c0 twice, once past the layer whose stride would double."""
    net = stack((1, 8, 8), (3, 3, 1, 1), (3, 3, 1, 1), (3, 3, 1, 1), 2)
    shortcut = Conv("c0", "c2", np.ones((3, 3, 1, 1), int), delay=1)
    net = replace(net, connections=(*net.connections, shortcut))
    with pytest.raises(ProgramError):
        with_double_stride(net, "c1")
    assert with_double_stride(net, "c0").shape_of("c2") == (3, 4, 4)


def test_channels_of_a_grouped_convolution_are_refused() -> None:
    net = stack((4, 6, 6), (4, 3, 1, 1), 2)
    grouped = Conv("x", "c0", np.ones((4, 2, 3, 3), int), padding=(1, 1), groups=2)
    net = replace(net, connections=(grouped, net.connections[1]))
    with pytest.raises(ProgramError) as caught:
        with_channels(net, {"c0": 3})
    assert str(caught.value) == "x -> c0: groups of a convolution (2)"
