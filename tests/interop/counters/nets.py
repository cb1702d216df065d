"""The networks that are counted, as every tool gets them, and as spikeport compiles them.

Integers throughout: weights and biases are whole multiples of 1/64, thresholds lie between what a membrane can be. So
float32 is exact, no membrane equals its threshold, and spikes are the same in every tool that integrates and fires.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nir
import numpy as np

from spikeport.deploy import compile_graph
from spikeport.export.extension import ConvTranspose2d
from spikeport.fixed import Ints
from spikeport.program import Input, Program, Shape

UNIT = 1 / 64
DT_S = 1e-4
Layer = dict[str, Any]
Rng = np.random.Generator


@dataclass(frozen=True, eq=False)
class Net:
    name: str
    about: str
    layers: list[Layer]
    arrays: Mapping[str, Ints]
    """`x` `(T, B, *shape)`; `w:NAME` and `b:NAME` in multiples of `UNIT`."""

    @property
    def x(self) -> Ints:
        return self.arrays["x"]

    @property
    def fed(self) -> list[str]:
        """For each layer the neurons that it feeds; for neurons, themselves."""
        found, target = [], ""
        for layer in reversed(self.layers):
            target = layer["name"] if layer["kind"] == "if" else target
            found.append(target)
        return found[::-1]

    def write(self, folder: Path) -> None:
        about = {"about": self.about, "unit": UNIT, "layers": self.layers}
        (folder / f"{self.name}.json").write_text(json.dumps(about, indent=1) + "\n")
        np.savez_compressed(folder / f"{self.name}.npz", **self.arrays)


def read_net(path: Path) -> Net:
    about = json.loads(path.read_text())
    with np.load(path.with_suffix(".npz")) as arrays:
        return Net(path.stem, about["about"], about["layers"], dict(arrays))


def draw_nets() -> Iterator[Net]:
    for draw in (conv, padded, dense, ternary, graded, border):
        layers, arrays = draw(np.random.default_rng(7))
        small = {key: a.astype(np.int8 if key == "x" else np.int16) for key, a in arrays.items()}
        yield Net(draw.__name__, " ".join((draw.__doc__ or "").split()), layers, small)


Drawn = tuple[list[Layer], dict[str, Ints]]


def _conv(name: str, stride: Any = 1, padding: Any = 0, dilation: int = 1, groups: int = 1, **more: Any) -> Layer:
    pairs = {"stride": stride, "padding": padding, "dilation": dilation}
    paired = {key: value if isinstance(value, list) else [value, value] for key, value in pairs.items()}
    return {"kind": "conv", "name": name, **paired, "groups": groups, **more}


def _linear(name: str) -> Layer:
    return {"kind": "linear", "name": name}


def _if(name: str, threshold: float) -> Layer:
    """The threshold in multiples of `UNIT`."""
    return {"kind": "if", "name": name, "threshold": threshold * UNIT}


FLATTEN: Layer = {"kind": "flatten", "name": "flatten"}


def _weights(rng: Rng, *shape: int, zeros: float = 0.0, low: int = -30, high: int = 40) -> Ints:
    """Even, as a chip stores signed weights, and not 0 but for a share of `zeros`."""
    w = 2 * rng.integers(low, high, shape)
    w[w == 0] = 2
    w.reshape(-1)[rng.permutation(w.size)[: round(zeros * w.size)]] = 0
    return w


def _spikes(rng: Rng, *shape: int, rate: float = 0.3) -> Ints:
    return (rng.random(shape) < rate).astype(np.int8)


def conv(rng: Rng) -> Drawn:
    """Padding, stride, dilation, groups, weights of 0, a bias, a mean pool, a transposed convolution; the input is
    dense at its border."""
    x = _spikes(rng, 5, 2, 2, 16, 16, rate=0.15)
    x[..., [0, -1], :] |= _spikes(rng, 5, 2, 2, 2, 16, rate=0.6)
    x[..., [0, -1]] |= _spikes(rng, 5, 2, 2, 16, 2, rate=0.6)
    layers = [
        _conv("conv1", padding=1),
        _if("if1", 90.5),
        _conv("conv2", stride=2, padding=1, groups=2),
        _if("if2", 80.5),
        _conv("conv3", dilation=2),
        _if("if3", 200.5),
        {"kind": "avgpool", "name": "pool", "size": 2},
        _conv("conv4"),
        _if("if4", 60.125),
        _conv("conv5", stride=2, padding=1, output_padding=[1, 1]) | {"kind": "convt"},
        _if("if5", 60.5),
        FLATTEN,
        _linear("fc"),
        _if("if6", 60.5),
    ]
    arrays = {
        "x": x,
        "w:conv1": _weights(rng, 6, 2, 3, 3),
        "b:conv1": 2 * rng.integers(-8, 9, 6),
        "w:conv2": _weights(rng, 8, 3, 3, 3, zeros=51 / 216),
        "w:conv3": _weights(rng, 8, 8, 3, 3),
        "w:conv4": _weights(rng, 4, 8, 1, 1),
        "w:conv5": _weights(rng, 4, 4, 3, 3),
        "w:fc": _weights(rng, 10, 64),
    }
    return layers, arrays


def padded(rng: Rng) -> Drawn:
    """Wide padding, unequal strides, a convolution by channel, images that are not square."""
    layers = [
        _conv("conv1", padding=2),
        _if("if1", 120.5),
        _conv("conv2", stride=[2, 1], padding=[1, 0], groups=2),
        _if("if2", 80.5),
        _conv("conv3", padding=1, groups=6),
        _if("if3", 60.5),
        FLATTEN,
        _linear("fc"),
        _if("if4", 90.5),
    ]
    arrays = {
        "x": _spikes(rng, 6, 2, 2, 9, 11, rate=0.25),
        "w:conv1": _weights(rng, 4, 2, 5, 5, zeros=0.1),
        "w:conv2": _weights(rng, 6, 2, 3, 3),
        "w:conv3": _weights(rng, 6, 1, 3, 3, zeros=0.2),
        "w:fc": _weights(rng, 10, 6 * 5 * 9, zeros=0.5),
    }
    return layers, arrays


def dense(rng: Rng) -> Drawn:
    """Three dense layers, three in ten weights 0."""
    layers = [_linear("fc1"), _if("if1", 60.5), _linear("fc2"), _if("if2", 90.5), _linear("fc3"), _if("if3", 60.5)]
    arrays = {"x": _spikes(rng, 12, 3, 24), "w:fc1": _weights(rng, 40, 24, zeros=0.3)}
    arrays |= {"w:fc2": _weights(rng, 32, 40, zeros=0.3), "w:fc3": _weights(rng, 10, 32, zeros=0.3)}
    return layers, arrays


def ternary(rng: Rng) -> Drawn:
    """Inputs of -1, 0 and 1."""
    layers = [_linear("fc1"), _if("if1", 60.5), _linear("fc2"), _if("if2", 60.5)]
    x = rng.choice([-1, 0, 1], (8, 2, 20), p=[0.2, 0.5, 0.3])
    return layers, {"x": x, "w:fc1": _weights(rng, 24, 20, zeros=0.2), "w:fc2": _weights(rng, 10, 24)}


def graded(rng: Rng) -> Drawn:
    """Inputs of up to 5, with a sign."""
    layers = [_conv("conv1", padding=1), _if("if1", 90.5), FLATTEN, _linear("fc"), _if("if2", 60.5)]
    x = rng.choice([0, 1, -2, 3, 5], (6, 2, 1, 6, 6), p=[0.6, 0.1, 0.1, 0.1, 0.1])
    return layers, {"x": x, "w:conv1": _weights(rng, 3, 1, 3, 3, low=-12, high=14), "w:fc": _weights(rng, 8, 108)}


def border(rng: Rng) -> Drawn:
    """One step, one sample, all ones, and so many operations, an odd number, that float32 has no room for it."""
    layers = [_conv("conv1", padding=1), _if("if1", 100.5)]
    return layers, {"x": np.ones((1, 1, 9, 63, 65)), "w:conv1": np.full((57, 9, 3, 3), 2)}


def program_of(net: Net) -> Program:
    """Compiled by way of NIR. Where the input has payloads, the first connection multiplies by them."""
    program = compile_graph(_graph(net), convention="nir", steps=len(net.x) + len(net.layers))
    if net.x.min() >= 0 and net.x.max() <= 1:
        return program
    (entry,) = program.inputs
    first, *others = program.connections
    payloads = Input(entry.name, entry.shape, "graded", int(net.x.min()), int(net.x.max()))
    return replace(program, inputs=(payloads,), connections=(replace(first, graded=True), *others))


def _graph(net: Net) -> nir.NIRGraph:
    shape: Shape = net.x.shape[2:]
    nodes: dict[str, nir.NIRNode] = {"input": nir.Input({"input": np.array(shape)})}
    for layer in net.layers:
        node, shape = NODES[layer["kind"]](net, layer, shape)
        nodes[layer["name"]] = node
    nodes["output"] = nir.Output({"output": np.array(shape)})
    names = list(nodes)
    return nir.NIRGraph(nodes, list(zip(names, names[1:], strict=False)), type_check=False)


def _weight(net: Net, layer: Layer) -> Any:
    return (net.arrays[f"w:{layer['name']}"] * UNIT).astype(np.float32)


def _bias(net: Net, layer: Layer, size: int) -> Any:
    return (net.arrays.get(f"b:{layer['name']}", np.zeros(size)) * UNIT).astype(np.float32)


Node = tuple[nir.NIRNode, Shape]


def _conv_node(net: Net, layer: Layer, shape: Shape) -> Node:
    weight = _weight(net, layer)
    size = zip(shape[1:], weight.shape[2:], layer["stride"], layer["padding"], layer["dilation"], strict=True)
    out = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in size)
    steps = (tuple(layer[key]) for key in ("stride", "padding", "dilation"))
    bias = _bias(net, layer, len(weight))
    return nir.Conv2d(shape[1:], weight, *steps, layer["groups"], bias), (len(weight), *out)


def _convt_node(net: Net, layer: Layer, shape: Shape) -> Node:
    weight = _weight(net, layer)
    keys = ("stride", "padding", "dilation", "output_padding")
    stride, padding, dilation, extra = (tuple(layer[key]) for key in keys)
    size = zip(shape[1:], weight.shape[2:], stride, padding, dilation, extra, strict=True)
    out = tuple((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, s, p, d, e in size)
    channels = weight.shape[1] * layer["groups"]
    bias = _bias(net, layer, channels)
    return ConvTranspose2d(weight, bias, stride, padding, extra, dilation, layer["groups"]), (channels, *out)


def _linear_node(net: Net, layer: Layer, shape: Shape) -> Node:
    weight = _weight(net, layer)
    return nir.Affine(weight, _bias(net, layer, len(weight))), (len(weight),)


def _if_node(net: Net, layer: Layer, shape: Shape) -> Node:
    adds_all, threshold, zero = (np.full(shape, value) for value in (1 / DT_S, layer["threshold"], 0.0))
    return nir.IF(adds_all, threshold, zero), shape


def _pool_node(net: Net, layer: Layer, shape: Shape) -> Node:
    size = np.full(2, layer["size"])
    return nir.AvgPool2d(size, size, np.zeros(2, int)), (shape[0], *(n // layer["size"] for n in shape[1:]))


def _flatten_node(net: Net, layer: Layer, shape: Shape) -> Node:
    return nir.Flatten({"input": np.array(shape)}, 0, -1), (int(np.prod(shape)),)


NODES: Mapping[str, Callable[[Net, Layer, Shape], Node]] = {
    "conv": _conv_node,
    "convt": _convt_node,
    "linear": _linear_node,
    "if": _if_node,
    "avgpool": _pool_node,
    "flatten": _flatten_node,
}
