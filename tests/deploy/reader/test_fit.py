"""Parameters take the shape of what feeds them; Inputs lose a batch where nothing else can be meant."""

from typing import Any

import numpy as np
import pytest
import torch

from spikeport.deploy.nodes import LIF, Flatten, Input, Scale
from spikeport.errors import DeployError
from tests.deploy.reader.tables import Table, conv, ends, flatten, lif, linear, node, read


def tau_of(shape: tuple[int, ...], tau: Any) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    """The time constants of a LIF that is fed by values of `shape`, and the remarks."""
    graph = read({**ends(*shape), "n": lif(*shape, tau=tau)})
    neuron = graph.nodes["n"]
    assert isinstance(neuron, LIF)
    assert {x.shape for x in (neuron.tau, neuron.r, neuron.v_leak, neuron.v_threshold, neuron.v_reset)} == {shape}
    return neuron.tau, graph.remarks


@pytest.mark.parametrize("tau", [0.5, [0.5], [[[0.5]]]])
def test_one_value_is_taken_for_all(tau: Any) -> None:
    found, remarks = tau_of((2, 3, 4), tau)
    assert found.tolist() == np.full((2, 3, 4), 0.5).tolist()
    assert remarks == ("n: one value of tau is taken for all (2, 3, 4)",)


def test_whole_shapes_need_no_remark() -> None:
    assert tau_of((2, 3), np.ones((2, 3)))[1] == ()


def test_one_value_for_one_neuron_needs_no_remark() -> None:
    assert tau_of((1,), 0.5)[1] == ()


@pytest.mark.parametrize("tau", [[1.0, 2.0], [[[1.0]], [[2.0]]]])
def test_one_value_for_each_channel_is_spread_over_the_image(tau: Any) -> None:
    found, remarks = tau_of((2, 3, 4), tau)
    assert np.array_equal(found, np.broadcast_to([[[1.0]], [[2.0]]], (2, 3, 4)))
    assert len(remarks) == 1 and remarks[0].startswith("n: tau (2")


def test_a_leading_axis_of_one_is_a_batch() -> None:
    found, remarks = tau_of((2,), [[1.0, 2.0]])
    assert found.tolist() == [1.0, 2.0]
    assert remarks == ("n: tau (1, 2) is taken as (2,), without batch and time",)


@pytest.mark.parametrize(
    ("shape", "tau"),
    [((2, 3, 4), (3,)), ((2, 3, 4), (4,)), ((2, 3, 4), (24,)), ((6,), (2, 3)), ((3, 4, 3), (3,)), ((4,), (2,))],
)
def test_what_does_not_spread_in_one_way_only_is_refused_with_both_shapes(
    shape: tuple[int, ...], tau: tuple[int, ...]
) -> None:
    with pytest.raises(DeployError) as caught:
        tau_of(shape, np.arange(1.0, np.prod(tau) + 1).reshape(tau))
    assert str(caught.value) == (
        f"n: tau shape ({tau}) does not spread over the shape of what feeds the node, {shape}; "
        "give one value, one for each channel as (c, 1, 1), or the whole shape"
    )


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Scale", {"scale": 2.0}),
        ("Threshold", {"threshold": 0.5}),
        ("Delay", {"delay": 0.0}),
        ("I", {"r": 1.0}),
        ("IF", {"r": 1.0, "v_threshold": 1.0}),
        ("LI", {"tau": 1.0, "r": 1.0, "v_leak": 0.0}),
        ("CubaLI", {"tau_syn": 1.0, "tau_mem": 1.0, "r": 1.0, "v_leak": 0.0}),
        ("CubaLIF", {"tau_syn": 1.0, "tau_mem": 1.0, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0}),
    ],
)
def test_every_pointwise_node_is_spread(kind: str, fields: dict[str, Any]) -> None:
    graph = read({**ends(2, 3), "n": node(kind, **fields)})
    assert all(x.shape == (2, 3) for x in vars(graph.nodes["n"]).values())
    said = {"v_reset": "0", "w_in": "1"}
    missing = [key for key in ("v_reset", "w_in") if hasattr(graph.nodes["n"], key)]
    assert graph.remarks[: len(missing)] == tuple(f"n: {key} is missing and taken as {said[key]}" for key in missing)


# ---------------------------------------------------------------- batch and time


@pytest.mark.parametrize(
    ("shape", "then", "taken"),
    [
        ((1, 8), linear(8, 3), (8,)),
        ((1, 1, 8), linear(8, 3), (8,)),
        ((1, 2, 5, 6), conv(1, 2, 3, 3), (2, 5, 6)),
        ((1, 2, 7), conv(1, 2, 3), (2, 7)),
        ((1, 4), lif(4), (4,)),
    ],
)
def test_leading_ones_of_an_input_are_batch_and_time(shape: Any, then: Table, taken: Any) -> None:
    graph = read({**ends(*shape), "first": then})
    entry = graph.nodes["input"]
    assert isinstance(entry, Input) and entry.shape == taken
    assert graph.remarks == (f"input: shape {shape} is taken as {taken}, without batch and time",)


@pytest.mark.parametrize(
    ("shape", "then"), [((1, 4), lif(1, 4)), ((1, 5, 6), conv(1, 1, 3, 3)), ((1, 4), flatten()), ((1, 4), lif())]
)
def test_an_axis_of_one_that_may_be_meant_stays(shape: Any, then: Table) -> None:
    entry = read({**ends(*shape), "first": then}).nodes["input"]
    assert isinstance(entry, Input) and entry.shape == shape


def test_a_batch_of_many_is_refused() -> None:
    with pytest.raises(DeployError) as caught:
        read({**ends(10, 8), "w": linear(8, 3)})
    assert str(caught.value) == (
        "input: shape ((10, 8)) has more axes than w takes, which are 1; "
        "write the shape of one sample at one step, without batch and time"
    )


@pytest.mark.parametrize(
    ("axes", "meant"),
    [((1, -1), (0, -1)), ((0, -1), (0, -1)), ((2, 3), (1, 2)), ((-3, -1), (-3, -1)), ((-4, 1), (-3, 0))],
)
def test_a_flatten_that_counts_the_batch_is_counted_without(axes: tuple[int, int], meant: tuple[int, int]) -> None:
    graph = read({**ends(2, 3, 4), "f": flatten(*axes, input_type=[1, 2, 3, 4])})
    found = graph.nodes["f"]
    assert isinstance(found, Flatten) and (found.start, found.end) == meant
    assert graph.shapes()["f"] == tuple(n for n in torch.zeros(1, 2, 3, 4).flatten(*axes).shape if n != 1)
    assert len(graph.remarks) == 1


# ---------------------------------------------------------------- what the file says beside the truth


def test_shapes_that_follow_from_the_input_count_more_than_stated_ones() -> None:
    """nir 1.0.8 writes the wrong ones behind kernels that are not square."""
    nodes = {"k": conv(1, 1, 3, 5), "l": conv(1, 1, 3, 3, input_shape=[8, 10]), "f": flatten(input_type=[1, 6, 8])}
    graph = read({**ends(1, 10, 12), **nodes})
    assert graph.shapes() == {"input": (1, 10, 12), "k": (1, 8, 8), "l": (1, 6, 6), "f": (36,), "output": (36,)}
    assert graph.remarks == (
        "l: its input_shape (1, 8, 10) is not (1, 8, 8), which feeds it and is taken",
        "f: its input_type (1, 6, 8) is not (1, 6, 6), which feeds it and is taken",
    )


@pytest.mark.parametrize("nonsense", [[1, -3], [0], 1.5, "wide", np.zeros((2, 2)), np.zeros(0)])
def test_stated_shapes_that_are_none_do_not_count(nonsense: Any) -> None:
    nodes = {"k": conv(1, 1, 3, 3, input_shape=nonsense), "f": flatten(input_type=nonsense)}
    graph = read({**ends(1, 4, 4), **nodes})
    assert graph.shapes()["f"] == (4,)
    assert graph.remarks == (
        "k: its input_shape is no shape and is not used",
        "f: its input_type is no shape and is not used",
    )


def test_missing_biases_are_0_with_a_remark() -> None:
    given = {key: x for key, x in conv(2, 1, 3, 3).items() if key != "bias"}
    graph = read({**ends(1, 4, 4), "k": given})
    assert graph.remarks == ("k: bias is missing and taken as 0",)
    assert vars(graph.nodes["k"])["bias"].tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(2**13, 2**12), (2**30,) * 8])
def test_more_values_than_any_board_has_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DeployError) as caught:
        read({**ends(*shape), "n": lif()})
    assert str(caught.value) == f"input: shape ({shape}) exceeds 16777216 values; make the layer smaller"


def test_a_scale_of_every_value_stays_as_it_is() -> None:
    found = read({**ends(3), "s": node("Scale", scale=[1.0, 2.0, 3.0])}).nodes["s"]
    assert isinstance(found, Scale) and found.scale.tolist() == [1, 2, 3]


@pytest.mark.parametrize("key", ["tau", "tau_syn", "tau_mem"])
@pytest.mark.parametrize("value", [0.0, -1e-3])
def test_time_constants_that_are_not_above_0_are_refused(key: str, value: float) -> None:
    fields = {"r": 1.0, "v_leak": 0.0, "v_threshold": 1.0}
    fields |= {"tau": value} if key == "tau" else {"tau_syn": 1.0, "tau_mem": 1.0, key: value}
    with pytest.raises(DeployError) as caught:
        read({**ends(3), "n": node("LIF" if key == "tau" else "CubaLIF", **fields)})
    assert str(caught.value) == f"n: {key} ({value}) is not above 0; export it again"


def test_a_negative_delay_is_refused() -> None:
    with pytest.raises(DeployError, match=r"^n: delay \(-1.0\) is below 0"):
        read({**ends(3), "n": node("Delay", delay=[0.0, -1.0, 0.0])})
