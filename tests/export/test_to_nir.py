"""Export: the portable form, what any reader makes of it in float32, and what is refused."""

import os
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.deploy import compile_graph
from spikeport.errors import ExportError, FileError
from spikeport.export import to_nir, write_nir
from spikeport.sim import simulate
from spikeport.train import (
    ALIF,
    DALIF,
    Image,
    MaxPool2d,
    QuantConv2d,
    QuantConvTranspose2d,
    QuantLinear,
    SpikingLayer,
    Vote,
)
from tests.nets import random_net

V_STEP = 2.0**-12  # one step of v in a graph's units
SEEDS = range(12)


def linear(n_in: int, n_out: int, **options: Any) -> SpikingLayer:
    torch.manual_seed(0)
    return SpikingLayer(QuantLinear(n_in, n_out), DALIF(), **options)


def conv(*args: Any, image: Image | None = None, **options: Any) -> SpikingLayer:
    torch.manual_seed(0)
    return SpikingLayer(QuantConv2d(*args, **options), ALIF(), image=image)


def transposed(*args: Any, **options: Any) -> SpikingLayer:
    return SpikingLayer(QuantConvTranspose2d(*args, **options), ALIF())


def spiking(net: nn.Module) -> list[SpikingLayer]:
    return [m for m in net.modules() if isinstance(m, SpikingLayer)]


def lifs(graph: nir.NIRGraph) -> list[nir.LIF]:
    return [node for node in graph.nodes.values() if isinstance(node, nir.LIF)]


def current(node: Any, x: np.ndarray) -> np.ndarray:
    """A synapse node on float32 `(B, *in)`, by torch's own functions."""
    y, weight, bias = (torch.from_numpy(np.asarray(a, np.float32)) for a in (x, node.weight, node.bias))
    if isinstance(node, nir.Conv2d):
        geometry = [tuple(int(n) for n in pair) for pair in (node.stride, node.padding, node.dilation)]
        return F.conv2d(y, weight, bias, *geometry, groups=int(node.groups)).numpy()
    return F.linear(y, weight, bias).numpy()


def refused(net: nn.Module, sample: Tensor, **options: Any) -> ExportError:
    with pytest.raises(ExportError) as caught:
        to_nir(net, sample, **options)
    return caught.value


# ---------------------------------------------------------------- the portable form


@pytest.mark.parametrize("dt_s", [1e-4, 1e-3 / 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_neuron_has_the_one_form_that_all_readers_share(seed: int, dt_s: float) -> None:
    net, x = random_net(seed)
    neurons = lifs(to_nir(net, x, dt_s=dt_s))
    layers = spiking(net)
    assert len(neurons) == len(layers)
    for node, layer in zip(neurons, layers, strict=True):
        ints = layer.integers()
        for values in (node.tau, node.r, node.v_leak, node.v_threshold, node.v_reset):
            assert values.dtype == np.float32
            assert values.shape == node.tau.shape
            assert np.ptp(values) == 0
        assert node.r.flat[0] == 1
        assert node.v_leak.flat[0] == node.v_reset.flat[0] == 0
        assert node.tau.flat[0] == np.float32(dt_s * 4096 / ints.dv)
        assert float(node.v_threshold.flat[0]) / V_STEP == 64 * ints.vth + 0.5  # exactly half a step above the grid


@pytest.mark.parametrize("seed", SEEDS)
def test_nodes_stand_in_one_chain_from_input_to_output(seed: int) -> None:
    net, x = random_net(seed)
    graph = to_nir(net, x)
    names = list(graph.nodes)
    assert (names[0], names[-1]) == ("input", "output")
    assert graph.edges == list(zip(names[:-1], names[1:], strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_a_float32_reader_gives_the_integer_layers_potentials(seed: int, tmp_path: Path) -> None:
    """v += d (-v + I), d = dt / tau, as NIR's readers step it, layer by layer on the same input spikes.

    The chip rounds toward zero, by less than one step of v each time, and an image's bias to whole mantissas.
    Within that bound potentials agree, and spikes wherever a potential is farther than it from the threshold.
    """
    net, x = random_net(seed)
    write_nir(to_nir(net, x), tmp_path / "net.nir")
    graph = nir.read(tmp_path / "net.nir", type_check=False)
    program = compile_graph(tmp_path / "net.nir")
    image = spiking(net)[0].image
    shown = x.numpy() if image is None else np.broadcast_to(x.numpy(), (image.steps, *x.shape))
    run = simulate(program, shown, record=[g.name for g in program.groups])
    spikes = shown * (1 if image is None else image.scale)
    chain = [graph.nodes[b] for _, b in to_nir(net, x).edges]
    groups = iter(program.groups)
    for node in chain:
        if isinstance(node, nir.Flatten):
            spikes = spikes.reshape(*spikes.shape[:2], -1)
        elif isinstance(node, (nir.Conv2d, nir.Affine)):
            currents = np.stack([current(node, s) for s in spikes])
        elif isinstance(node, nir.LIF):
            group = next(groups)
            trace, window = run.traces[group.name], slice(group.reset_offset - 1, group.reset_offset - 1 + len(spikes))
            rounded = 32 if group.name == "lif1" and image else 0  # half a bias mantissa of 64 steps
            _check_layer(node, currents, trace.v[window] * V_STEP, trace.s[window], (1.5 + rounded) * V_STEP)
            spikes = trace.s[window]


def _check_layer(node: nir.LIF, currents: np.ndarray, v_chip: np.ndarray, s_chip: np.ndarray, rounding: float) -> None:
    d = np.float32(1e-4) / node.tau
    threshold = float(node.v_threshold.flat[0])
    largest = max(np.abs(d * currents).max(), threshold)
    v = np.zeros_like(currents[0])
    for t, i in enumerate(currents):
        v = v + d * (-v + i)
        bound = (t + 1) * (rounding + 1e-6 * largest)
        sure = np.abs(v - threshold) > bound
        s = v > threshold
        assert np.array_equal(s[sure], s_chip[t][sure])
        v = np.where(s_chip[t], np.float32(0), v)  # the chip's reset, so that one early spike is not counted twice
        assert np.abs(v - v_chip[t]).max() <= bound


@pytest.mark.parametrize("inclusive", [False, True], ids=[">", ">="])
def test_exact_ties_are_the_same_to_readers_with_either_comparison(inclusive: bool) -> None:
    """One step from rest, where sums meet the threshold exactly: 2 spikes of weight 1 against threshold 2."""
    layer = SpikingLayer(QuantLinear(8, 1, bias=False), ALIF(tau=0.3, threshold=2.0)).eval()
    layer.synapse.weight.data.fill_(1.0)
    layer.neuron.vth.raw.data.fill_(float(np.log(np.expm1(2.0))))
    assert layer.integers().vth == 2 * 254
    x = torch.tril(torch.ones(8, 8))[None]
    graph = to_nir(layer, x)
    synapse, neuron = graph.nodes["linear1"], graph.nodes["lif1"]
    v = np.float32(1e-4) / neuron.tau * current(synapse, x[0].numpy())
    fired = v >= neuron.v_threshold if inclusive else v > neuron.v_threshold
    assert fired[:, 0].tolist() == layer(x)[0, :, 0].bool().tolist() == [False, False, *[True] * 6]


# ---------------------------------------------------------------- geometry


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3},
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": (1, 3), "stride": (2, 1)},
        {"kernel_size": (3, 2), "padding": (0, 2), "dilation": (2, 3)},
        {"kernel_size": 3, "groups": 2},
        {"kernel_size": (2, 3), "groups": 2, "stride": (1, 2)},
    ],
    ids=str,
)
@pytest.mark.parametrize("image", [None, Image(3)], ids=["spikes", "image"])
def test_every_convolution_keeps_its_geometry_and_shape(options: dict[str, Any], image: Image | None) -> None:
    layer = conv(2, 4, image=image, **options).eval()
    x = torch.zeros(1, 2, 9, 10) if image else torch.zeros(3, 1, 2, 9, 10)
    graph = to_nir(layer, x)
    node, synapse = graph.nodes["conv1"], layer.synapse
    assert isinstance(synapse, QuantConv2d)
    for name in ("stride", "padding", "dilation"):
        assert tuple(int(n) for n in getattr(node, name)) == getattr(synapse, name)
    assert int(node.groups) == synapse.groups
    assert tuple(node.input_shape) == (9, 10)
    assert node.weight.shape == tuple(synapse.weight.shape)
    assert graph.nodes["lif1"].tau.shape == tuple(graph.nodes["output"].output_type["output"]) == layer(x).shape[2:]


def test_an_ordinary_file_is_read_by_nir_with_its_type_check(tmp_path: Path) -> None:
    net = nn.Sequential(conv(1, 4, 3, stride=2, padding=1), nn.Flatten(2), linear(4 * 4 * 3, 10), Vote(5))
    graph = to_nir(net, torch.zeros(2, 1, 1, 8, 6))
    write_nir(graph, tmp_path / "net.nir")
    found = nir.read(tmp_path / "net.nir")
    assert sorted(found.nodes) == ["conv1", "flatten1", "input", "lif1", "lif2", "linear2", "output"]
    assert sorted(found.edges) == sorted(graph.edges)
    for name, node in graph.nodes.items():
        for field in ("weight", "bias", "tau", "v_threshold"):
            if hasattr(node, field):
                assert np.array_equal(getattr(found.nodes[name], field), getattr(node, field))


def test_weights_and_time_constants_are_float32() -> None:
    graph = to_nir(linear(3, 2), torch.zeros(1, 1, 3))
    assert {graph.nodes["linear1"].weight.dtype, graph.nodes["linear1"].bias.dtype} == {np.dtype(np.float32)}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_a_module_of_any_float_type_exports(dtype: torch.dtype) -> None:
    net = nn.Sequential(conv(1, 2, 3), nn.Flatten(2), linear(32, 2)).to(dtype)
    assert to_nir(net, torch.zeros(1, 1, 1, 6, 6)).nodes["lif2"].tau.shape == (2,)


# ---------------------------------------------------------------- metadata


def test_the_notes_say_how_an_image_enters() -> None:
    net = nn.Sequential(nn.Flatten(1), linear(4, 6, image=Image(7, -3, 9, 0.25)), Vote(3))
    notes = to_nir(net, torch.zeros(1, 1, 2, 2), dt_s=2e-4).metadata["spikeport"]
    expected = {"dt_s": 2e-4, "input": "bias", "steps": 7, "low": -3, "high": 9, "scale": 0.25, "classes": 3}
    assert notes == expected


def test_the_notes_of_a_spike_input_are_its_step() -> None:
    assert to_nir(linear(4, 6), torch.zeros(1, 1, 4)).metadata == {"spikeport": {"dt_s": 1e-4, "input": "spike"}}


def test_the_exact_integers_ride_along() -> None:
    layer = linear(4, 6).eval()
    ints, exact = layer.integers(), to_nir(layer, torch.zeros(1, 1, 4)).nodes["lif1"].metadata["spikeport"]
    assert np.array_equal(exact["weight"], ints.weight.numpy())
    assert np.array_equal(exact["bias"], ints.bias.numpy())
    assert (exact["bias_exp"], exact["dv"], exact["vth"]) == (ints.bias_exp, ints.dv, ints.vth)
    assert "encoder_shift" not in exact


# ---------------------------------------------------------------- the walk


def test_nested_modules_are_met_in_order_and_idle_ones_left_out() -> None:
    net = nn.Sequential(
        nn.Identity(), nn.Sequential(conv(1, 2, 3), nn.Dropout(0.5)), nn.Sequential(nn.Flatten(2), linear(8, 4))
    )
    assert list(to_nir(net, torch.zeros(1, 1, 1, 4, 4)).nodes) == [
        *("input", "conv1", "lif1", "flatten1", "linear2", "lif2", "output")
    ]


def test_a_layer_that_is_used_twice_is_exported_twice() -> None:
    layer = linear(4, 4)
    assert len(lifs(to_nir(nn.Sequential(layer, layer), torch.zeros(1, 1, 4)))) == 2


def test_each_flatten_has_its_own_node_and_one_of_a_flat_layer_none() -> None:
    net = nn.Sequential(nn.Flatten(2), linear(9, 4), nn.Flatten(2), linear(4, 2))
    graph = to_nir(net, torch.zeros(2, 1, 1, 3, 3))
    assert list(graph.nodes) == ["input", "flatten0", "linear1", "lif1", "linear2", "lif2", "output"]
    assert net(torch.zeros(2, 1, 1, 3, 3)).shape == (2, 1, 2)


def test_a_single_layer_is_a_module_too() -> None:
    assert list(to_nir(linear(4, 2), torch.zeros(1, 1, 4)).nodes) == ["input", "linear1", "lif1", "output"]


class OwnForward(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        return self[1](self[0](x)) * 1


ONE = torch.zeros(2, 1, 4)
MAPS = torch.zeros(2, 1, 1, 6, 6)
REFUSED: dict[str, tuple[Any, Tensor, str]] = {
    "no layer": (nn.Sequential(nn.Flatten(2)), MAPS, "module: holds no SpikingLayer"),
    "pooling": (
        nn.Sequential(conv(1, 2, 3), nn.Sequential(nn.MaxPool2d(2))),
        MAPS,
        "1.0: type (torch.nn.MaxPool2d) has no NIR form; build the network from SpikingLayer, Residual, MaxPool2d, "
        "nn.Flatten(2), Vote, Readout, Integrator and nn.Sequential, of spikeport.train but for nn",
    ),
    "bare synapse": (
        nn.Sequential(linear(4, 4), nn.Linear(4, 2)),
        ONE,
        "1: type (torch.nn.Linear) has no NIR form; build the network from SpikingLayer, Residual, MaxPool2d, "
        "nn.Flatten(2), Vote, Readout, Integrator and nn.Sequential, of spikeport.train but for nn",
    ),
    "own forward": (
        nn.Sequential(linear(4, 4), OwnForward(linear(4, 4), linear(4, 4))),
        ONE,
        "1: type (OwnForward) has no NIR form; build the network from SpikingLayer, Residual, MaxPool2d, "
        "nn.Flatten(2), Vote, Readout, Integrator and nn.Sequential, of spikeport.train but for nn",
    ),
    "flatten of time": (
        nn.Sequential(conv(1, 2, 3), nn.Flatten(), linear(32, 2)),
        MAPS,
        "1 (Flatten): axes ((1, -1)) are not (2, -1); keep the batch, and time where there is one: nn.Flatten(2)",
    ),
    "flatten of channels only": (
        nn.Sequential(conv(1, 2, 3), nn.Flatten(3)),
        MAPS,
        "1 (Flatten): axes ((3, -1)) are not (2, -1); keep the batch, and time where there is one: nn.Flatten(2)",
    ),
    "flatten of an image": (
        nn.Sequential(nn.Flatten(0), linear(36, 2, image=Image(3))),
        torch.zeros(1, 1, 6, 6),
        "0 (Flatten): axes ((0, -1)) are not (1, -1); keep the batch, and time where there is one: nn.Flatten(1)",
    ),
    "votes of maps": (
        nn.Sequential(conv(1, 2, 3), Vote(2)),
        MAPS,
        "1 (Vote): input shape ((2, 4, 4)) is not (n,); put nn.Flatten(2) before it",
    ),
    "uneven votes": (
        nn.Sequential(linear(4, 5), Vote(2)),
        ONE,
        "1 (Vote): output neurons (5) do not divide by classes 2",
    ),
    "layer after the vote": (
        nn.Sequential(linear(4, 4), Vote(2), linear(2, 2)),
        ONE,
        "2 (SpikingLayer): stands after Vote, Readout or Integrator; these end the network",
    ),
    "image in the middle": (
        nn.Sequential(linear(4, 4), linear(4, 2, image=Image(3))),
        ONE,
        "1 (SpikingLayer): image is not allowed after the first layer",
    ),
    "pool of an image": (
        nn.Sequential(MaxPool2d(2), conv(1, 2, 3, image=Image(3))),
        torch.zeros(1, 1, 6, 6),
        "0 (MaxPool2d): input (an image) is not spikes; begin with a SpikingLayer; a MaxPool2d takes spikes",
    ),
    "pool of a line": (
        nn.Sequential(linear(4, 4), MaxPool2d(2)),
        ONE,
        "1 (MaxPool2d): input shape ((4,)) is not (c, h, w)",
    ),
    "pool with windows cut off": (
        nn.Sequential(conv(1, 2, 3), MaxPool2d(3, ceil_mode=True)),
        MAPS,
        "1 (MaxPool2d): ceil_mode, return_indices or dilation is set; NIR's pools have neither",
    ),
    "pool larger than its input": (
        nn.Sequential(conv(1, 2, 3), MaxPool2d(5)),
        MAPS,
        "1 (MaxPool2d): window does not fit ((2, 4, 4)); pad less, or use a smaller window",
    ),
    "pool larger than a current": (
        nn.Sequential(MaxPool2d(23), linear(4, 4)),
        torch.zeros(2, 1, 1, 23, 23),
        "0 (MaxPool2d): places in a window (529) exceed 514; pool twice",
    ),
    "mean of a line": (
        nn.Sequential(SpikingLayer(QuantLinear(4, 2), DALIF(), pool=nn.AvgPool2d(2))),
        ONE,
        "0 (AvgPool2d): input shape ((4,)) is not (c, h, w)",
    ),
    "unflatten of another size": (
        nn.Sequential(linear(4, 4), nn.Unflatten(2, (2, 3, 1))),
        ONE,
        "1 (Unflatten): shape ((2, 3, 1)) does not hold as many values as its input (4,)",
    ),
    "unflatten of the batch": (
        nn.Sequential(linear(4, 4), nn.Unflatten(1, (1, 1, 1))),
        ONE,
        "1 (Unflatten): axes ((1, (1, 1, 1))) are not (2, shape) of flat spikes",
    ),
    "transposed convolution of other channels": (
        transposed(2, 2, 2),
        MAPS,
        "module (QuantConvTranspose2d): input shape ((1, 6, 6)) is not (2, h, w)",
    ),
    "transposed convolution without output": (
        transposed(1, 2, 1, padding=3),
        MAPS,
        "module (QuantConvTranspose2d): padding leaves nothing of the output ((1, 6, 6)); pad less",
    ),
    "linear on maps": (
        nn.Sequential(conv(1, 2, 3), linear(4, 2)),
        MAPS,
        "1 (QuantLinear): input shape ((2, 4, 4)) is not (4,)",
    ),
    "channels": (conv(3, 2, 3), MAPS, "module (QuantConv2d): input shape ((1, 6, 6)) is not (3, h, w)"),
    "conv on a line": (conv(1, 2, 3), ONE, "module (QuantConv2d): input shape ((4,)) is not (1, h, w)"),
    "padding in words": (
        conv(1, 2, 3, padding="same"),
        MAPS,
        "module (QuantConv2d): padding (same) is not a number",
    ),
    "kernel": (
        nn.Sequential(conv(1, 2, 7)),
        MAPS,
        "0 (QuantConv2d): kernel exceeds the padded input ((1, 6, 6)); pad the input or use a smaller kernel",
    ),
}


@pytest.mark.parametrize(("net", "sample", "message"), REFUSED.values(), ids=REFUSED)
def test_a_module_without_nir_form_is_refused_by_its_path(net: nn.Module, sample: Tensor, message: str) -> None:
    assert str(refused(net, sample)) == message


@pytest.mark.parametrize("dt_s", [0.0, -1e-4, 1e-10, 1e3, float("nan")])
def test_a_step_is_a_time(dt_s: float) -> None:
    assert str(refused(linear(4, 2), ONE, dt_s=dt_s)) == f"to_nir: dt_s ({dt_s}) is not in [1e-9, 1000)"


# ---------------------------------------------------------------- writing


@pytest.mark.parametrize("where", ["file/net.nir", "nowhere/net.nir", "folder"])
def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError) as caught:
        write_nir(to_nir(linear(4, 2), ONE), tmp_path / where)
    assert caught.value.where == str(tmp_path / where)
    assert (caught.value.what, caught.value.do) == ("cannot be written", "choose a folder that you may write to")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
    assert os.listdir(tmp_path / "folder") == []


def test_a_file_is_replaced_whole_and_readable_by_all(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    write_nir(to_nir(linear(4, 2), ONE), path)
    write_nir(to_nir(linear(4, 3), ONE), path)
    assert nir.read(path).nodes["linear1"].weight.shape == (3, 4)
    assert os.listdir(tmp_path) == ["net.nir"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_chain_needs_a_sample_for_its_shape() -> None:
    with pytest.raises(ExportError, match="sample is missing; give one input"):
        to_nir(nn.Sequential(linear(3, 2)))
