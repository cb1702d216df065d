"""The DA-LIF ResNet-19 as a NIR graph, of any width: random weights, batch norm folded into them.

A convolution of 3 x 3 and 128 channels, then 3, 3 and 2 blocks of 128, 256 and 512 channels, the last two stages at
half the size each; average pooling and two dense layers. The layout is that of MPBN's `resnet19_cifar`, on which DA-LIF
builds, with the hidden layer of 256 neurons that the ResNet-19 of tdBN has. A block is two convolutions with neurons
behind each; its input is added before the last, by itself or, where the shape changes, through a convolution of 1 x 1.
A neuron is v = beta v + x and spikes above 1; alpha, and the 1 - beta of NIR's equation with r = 1, are in the weights.
"""

from dataclasses import dataclass, field

import nir
import numpy as np
from numpy.typing import NDArray

from spikeport.bench.cases import SEED
from spikeport.program import Shape

STAGES = ((3, 128, 1), (3, 256, 2), (2, 512, 2))
"""Blocks, channels and stride of each."""
HIDDEN, CLASSES = 256, 10
DT_S = 1e-4
BETA = 0.5
GRID = 1 / 64
"""Weight 1 of Lava's grid."""
RATE = 0.15
"""Of spikes, about: what the weights' spread is chosen for."""


def resnet19(width: float = 1.0, side: int = 32, *, on_grid: bool = False, seed: int = SEED) -> nir.NIRGraph:
    """
    Args:
        width: Factor of all channels but the image's three and the classes.
        side: Of the image, a multiple of 4.
        on_grid: Whether weights and biases are integers of Lava's already, and decays of v lose no bit in four steps;
            then no spike of a Program differs from the graph's.
    """
    net = _Net(np.random.default_rng(seed), on_grid, {"input": nir.Input(np.array([3, side, side]))})
    shape: Shape = (3, side, side)
    last, shape = net.layer("stem", {"input": shape}, _wide(STAGES[0][1], width), 1)
    for stage, (blocks, channels, stride) in enumerate(STAGES, 1):
        for block in range(1, blocks + 1):
            name = f"s{stage}b{block}"
            last, shape = _block(net, name, last, shape, _wide(channels, width), stride if block == 1 else 1)
    net.add("pool", nir.AvgPool2d(np.array(shape[1:]), np.array(shape[1:]), np.array([0, 0])), last)
    net.add("flat", nir.Flatten({"input": np.array([shape[0], 1, 1])}, 0, -1), "pool")
    hidden = _wide(HIDDEN, width)
    places = shape[1] * shape[2]
    last = net.dense("hidden", "flat", hidden, shape[0], places)
    last = net.dense("classes", last, CLASSES, hidden, 1)
    net.add("output", nir.Output(np.array([CLASSES])), last)
    return nir.NIRGraph(net.nodes, net.edges)


def _wide(channels: int, width: float) -> int:
    return max(2, round(channels * width))


def _block(net: "_Net", name: str, source: str, shape: Shape, channels: int, stride: int) -> tuple[str, Shape]:
    inner, middle = net.layer(f"{name}.a", {source: shape}, channels, stride)
    return net.layer(f"{name}.b", {inner: middle}, channels, 1, shortcut={source: shape})


@dataclass
class _Net:
    """A graph that grows from its input on."""

    rng: np.random.Generator
    on_grid: bool
    nodes: dict[str, nir.NIRNode]
    edges: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, node: nir.NIRNode, *sources: str) -> None:
        self.nodes[name] = node
        self.edges += [(source, name) for source in sources]

    def layer(
        self, name: str, source: dict[str, Shape], channels: int, stride: int, shortcut: dict[str, Shape] | None = None
    ) -> tuple[str, Shape]:
        """A convolution of 3 x 3 with neurons behind it; gives their name and shape."""
        ((above, shape),) = source.items()
        target = (channels, -(-shape[1] // stride), -(-shape[2] // stride))
        self.add(f"{name}.conv", self._conv(channels, shape[0], 3, stride), above)
        entering = [f"{name}.conv"]
        for other, whole in (shortcut or {}).items():
            entering.append(other)
            if whole != target:
                self.add(f"{name}.down", self._conv(channels, whole[0], 1, whole[1] // target[1]), other)
                entering[-1] = f"{name}.down"
        self.add(f"{name}.lif", self._neurons(target), *entering)
        return f"{name}.lif", target

    def dense(self, name: str, source: str, n_out: int, n_in: int, places: int) -> str:
        """Behind a mean over `places`; gives the neurons' name."""
        weight = self._weights((n_out, n_in), n_in / places, GRID * places)
        self.add(f"{name}.linear", nir.Affine(weight, self._biases(n_out)), source)
        self.add(f"{name}.lif", self._neurons((n_out,)), f"{name}.linear")
        return f"{name}.lif"

    def _conv(self, c_out: int, c_in: int, kernel: int, stride: int) -> nir.Conv2d:
        weight = self._weights((c_out, c_in, kernel, kernel), c_in * kernel**2, GRID)
        return nir.Conv2d(None, weight, stride, kernel // 2, 1, 1, self._biases(c_out))

    def _weights(self, shape: Shape, fan_in: float, grid: float) -> NDArray[np.float32]:
        """Of a spread with which what arrives is above the threshold for a fifth of the neurons."""
        gain = 1 / (1 - BETA)
        weight = self.rng.normal(0, gain * 1.2 / np.sqrt(RATE * fan_in), shape)
        if self.on_grid:  # mantissas of mixed signs are even
            step = 2 * gain * grid
            weight = step * np.clip(np.rint(weight / step), -127, 127)
        return weight.astype(np.float32)

    def _biases(self, n: int) -> NDArray[np.float32]:
        bias = self.rng.normal(0, 0.05, n) / (1 - BETA)
        if self.on_grid:  # eight steps of v: halved three times they are whole
            step = 8 * GRID / 64 / (1 - BETA)
            bias = step * np.rint(bias / step)
        return bias.astype(np.float32)

    def _neurons(self, shape: Shape) -> nir.LIF:
        def every(value: float) -> NDArray[np.float32]:
            return np.full(shape, value, np.float32)

        threshold = 1 + GRID / 128 if self.on_grid else 1.0
        tau = DT_S / (1 - BETA)
        return nir.LIF(every(tau), every(1), every(0), every(threshold), every(0))
