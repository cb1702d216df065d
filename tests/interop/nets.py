"""Networks of spikeport's own that norse, snnTorch and SpikingJelly can read, and what torch's eval mode makes of them.

From `tests/nets.py` and, with means over windows, `tests/pooled_nets.py`, without what one of the three cannot read:
images (their first layer is a current), groups in a convolution, kernels that are not square, sums over windows, and
layers that keep nothing of v.

The chip's decay drops what is below one unit of v, and float32 rounds: by as much a reader's v differs from the integer
one. The nets that count are those whose membranes never come so near to a threshold; in others some spikes may differ.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikeport import fixed
from spikeport.export import to_nir
from spikeport.export.to_nir import write_nir
from spikeport.train import QuantConv2d, SpikingLayer, Vote
from tests.nets import random_net
from tests.pooled_nets import random_pooled_net

Maker = Callable[[int], tuple[nn.Sequential, Tensor]]
STEPS, BATCH, RATE = 60, 2, 0.4
ROUNDINGS = 8  # of a float32 in a step of v: the weight, the bias, the sum of both, d, and three of the step itself


@dataclass(frozen=True, eq=False)
class Net:
    seed: int
    module: nn.Sequential
    x: Any
    """`(T, B, *shape)`, zeros and ones."""
    spikes: Any
    """What torch's eval mode gives, `(T, B, n)` or `(T, B, c, h, w)`."""
    clear: bool
    """Whether no rounding can flip a spike."""

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The NIR file, and a case that workers read."""
        file, case = folder / f"net{self.seed}.nir", folder / f"net{self.seed}.npz"
        write_nir(to_nir(self.module, torch.from_numpy(self.x)), file)
        np.savez_compressed(case, x=self.x)
        return file, case


def clear_nets(count: int, make: Maker = random_net) -> Iterator[Net]:
    """The first `count` of the readable nets in which no rounding can flip a spike."""
    found = (net for net in readable_nets(make) if net.clear)
    yield from islice(found, count)


def averaging_net(seed: int) -> tuple[nn.Sequential, Tensor]:
    return random_pooled_net(seed, maxima=False)


def readable_nets(make: Maker = random_net) -> Iterator[Net]:
    """Of a maker's seeds, those that can be read and whose output is not silent; without end."""
    for seed in itertools.count():
        module, given = make(seed)
        if not _readable(module):
            continue
        rng = torch.Generator().manual_seed(seed)
        x = (torch.rand((STEPS, BATCH, *given.shape[2:]), generator=rng) < RATE).long()
        module = nn.Sequential(*(m for m in module if not isinstance(m, Vote)))
        spikes = module(x)
        if spikes.any():
            yield Net(seed, module, x.numpy().astype(np.uint8), spikes.numpy().astype(np.uint8), _clear(module, x))


def _readable(module: nn.Sequential) -> bool:
    layers = [m for m in module if isinstance(m, SpikingLayer)]
    return layers[0].image is None and all(map(_plain, layers))


def _plain(layer: SpikingLayer) -> bool:
    synapse = layer.synapse
    if isinstance(synapse, QuantConv2d) and (synapse.groups > 1 or synapse.kernel_size[0] != synapse.kernel_size[1]):
        return False
    if layer.main.pool is not None and layer.main.pool.divisor_override:
        return False
    return layer.integers().dv < fixed.DECAY_ONE


def _clear(module: nn.Sequential, x: Tensor) -> bool:
    for child in module:
        if isinstance(child, SpikingLayer) and _clearance(child, x) <= 0:
            return False
        x = child(x)
    return True


def _clearance(layer: SpikingLayer, x: Tensor) -> float:
    """By how much v stays farther from the threshold than a float32 reader's v can be from the integer one."""
    ints = layer.integers()
    sums = layer.main.window_sums(x.flatten(0, 1).double())
    current = layer.synapse.apply_weight(sums, ints.weight.double(), None)
    bias = ints.bias.double().reshape(-1, *[1] * (current.dim() - 2))
    current = (current * 2**fixed.ACT_SHIFT + bias).reshape(*x.shape[:2], *current.shape[1:])
    keep, threshold = fixed.keep_v(ints.dv) / fixed.DECAY_ONE, ints.vth * 2**fixed.ACT_SHIFT
    v, nearest, largest = torch.zeros_like(current[0]), float("inf"), 0.0
    for arriving in current:
        v = (v * keep).trunc() + arriving
        nearest = min(nearest, float((v - threshold - 0.5).abs().min()))
        largest = max(largest, float(v.abs().max()))
        v = torch.where(v > threshold, 0.0, v)
    return nearest - min(STEPS, 1 / (1 - keep)) * (1 + ROUNDINGS * 2**-24 * largest)
