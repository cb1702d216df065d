"""Small `.net` files for tests: written with h5py as SLAYER does, or drawn at random as layers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spikeport.deploy.netx.layers import (
    AnyNeuron,
    ConvLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Neuron,
    ResonatorNeuron,
    Shape,
    SigmaDeltaNeuron,
)
from spikeport.fixed import Ints

Rng = np.random.Generator
SDNN = {"type": "SDNN", "activation": "relu", "vThMant": 3}
RF = {"type": "RF_PHASE", "sinDecay": 2000, "cosDecay": 3000, "vThMant": 30, "gradedSpike": False}
LIF = {"type": "LOIHI", "iDecay": 4096, "vDecay": 1024, "vThMant": 25, "refDelay": 1, "wgtExp": 0, "theta": 1600}


def slayer_layer(kind: str, **data: Any) -> dict[str, Any]:
    """A layer's data sets; `neuron` is a mapping of its own, LIF unless it is said, None for none."""
    neuron = data.pop("neuron", None if kind in ("flatten", "average") else LIF)
    layer = {"type": kind, **data}
    return layer if neuron is None else {**layer, "neuron": neuron}


def dense(weight: Any, **data: Any) -> dict[str, Any]:
    weight = np.asarray(weight, np.float32)
    return slayer_layer("dense", **{"shape": (len(weight), 1, 1), "weight": weight, **data})


def conv(weight: Any, shape: Shape, **data: Any) -> dict[str, Any]:
    values = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1, **data}
    return slayer_layer("conv", shape=shape, weight=np.asarray(weight, np.float32), **values)


def spikes(*shape: int) -> dict[str, Any]:
    return slayer_layer("input", shape=shape, neuron=None)


def write_net(path: Path, *layers: dict[str, Any]) -> Path:
    with h5py.File(path, "w") as file:
        for number, layer in enumerate(layers):
            _write(file.create_group(f"layer/{number}"), layer)
        file["simulation/Ts"] = 1
    return path


def _write(group: h5py.Group, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            _write(group.create_group(name), value)
        elif name == "type" and group.name.endswith("neuron"):
            group[name] = value  # a scalar text there, an array in the layer: SLAYER does both
        elif name == "type":
            group.create_dataset(name, (1,), "S10", [value.encode()])
        else:
            group[name] = value


def random_layers(rng: Rng) -> list[Layer]:
    """A network that lava-dl does not distort: even weights of both signs."""
    shape: Shape = tuple(int(n) for n in rng.integers(3, 7, 3)) if rng.random() < 0.7 else (int(rng.integers(2, 9)),)
    if rng.random() < 0.5:
        layers: list[Layer] = [InputLayer(shape)]
    else:
        layers = [InputLayer(shape, _neuron(rng), int(rng.choice([64, 36, -8, 1])), int(rng.integers(-40, 40)))]
    for _ in range(rng.integers(1, 4)):
        if len(shape) == 3 and min(shape[1:]) >= 3 and rng.random() < 0.7:
            layers.append(_conv(rng, shape))
        else:
            layers += [FlattenLayer()] if len(shape) == 3 else []
            layers.append(_dense(rng, int(np.prod(shape))))
        last = layers[-1]
        shape = last.shape if isinstance(last, ConvLayer) else (len(last.weight),)  # type: ignore[union-attr]
    return layers


def _neuron(rng: Rng) -> Neuron:
    return Neuron(int(rng.choice([0, 1, 1024, 4096])), int(rng.choice([0, 128, 1024, 4096])), int(rng.integers(5, 200)))


def _mixed(rng: Rng, *shape: int) -> Ints:
    weight = 2 * rng.integers(-30, 50, shape)
    weight.flat[:2] = (-2, 2)
    return weight


def _conv(rng: Rng, shape: Shape) -> ConvLayer:
    groups = int(rng.choice([g for g in (1, 2, 3) if shape[0] % g == 0]))
    kernel, stride, padding = (tuple(int(n) for n in rng.integers(*bounds, 2)) for bounds in ((1, 4), (1, 3), (0, 2)))
    weight = _mixed(rng, groups * int(rng.integers(1, 3)), shape[0] // groups, *kernel)
    size = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip(shape[1:], padding, kernel, stride, strict=True)]
    out = (len(weight), *size)
    bias = rng.integers(-20, 30, out if rng.random() < 0.3 else out[:1])
    return ConvLayer(out, weight, bias, _neuron(rng), stride, padding, (1, 1), groups)  # type: ignore[arg-type]


def _dense(rng: Rng, n_source: int) -> DenseLayer:
    n = int(rng.integers(2, 9))
    weight, bias = _mixed(rng, n, n_source), rng.integers(-20, 30, n)
    if rng.random() < 0.3:
        return DenseLayer(weight, bias, _neuron(rng), 0, _mixed(rng, n, n))
    delay: int | Ints = rng.integers(0, 63, weight.shape) if rng.random() < 0.3 else int(rng.choice([0, 0, 5]))
    return DenseLayer(weight, bias, _neuron(rng), delay)


def random_sigma_delta_layers(rng: Rng) -> list[Layer]:
    """Delta neurons or payloads, then sigma-delta layers, then sigma, sigma-delta or CUBA neurons."""
    shape: Shape = tuple(int(n) for n in rng.integers(3, 6, 3)) if rng.random() < 0.7 else (int(rng.integers(2, 9)),)
    delta = SigmaDeltaNeuron("delta", int(rng.integers(0, 4)))
    layers: list[Layer] = [InputLayer(shape, delta if rng.random() < 0.7 else None)]
    if len(shape) == 3:
        conv = _conv(rng, shape)
        conv = replace(conv, weight=conv.weight // 10 * 2, neuron=SigmaDeltaNeuron("sigma_delta", _threshold(rng)))
        layers += [conv, FlattenLayer()]
        shape = conv.shape
    dense = _small_dense(rng, int(np.prod(shape)), SigmaDeltaNeuron("sigma_delta", _threshold(rng)))
    delay = rng.integers(0, 9, dense.weight.shape) if rng.random() < 0.3 else 0
    layers.append(replace(dense, delay=delay))
    last = [SigmaDeltaNeuron("sigma"), SigmaDeltaNeuron("sigma_delta", 0), Neuron(4096, 1024, 100)][rng.integers(3)]
    output = _small_dense(rng, len(dense.weight), last)
    if last == SigmaDeltaNeuron("sigma"):
        output = replace(output, bias=np.zeros_like(output.bias))
    return [*layers, output]


def random_resonator_layers(rng: Rng) -> list[Layer]:
    """Dense layers with complex weights; the first may hear an image through CUBA neurons."""
    n = int(rng.integers(3, 9))
    layers: list[Layer] = [InputLayer((n,), _neuron(rng) if rng.random() < 0.3 else None)]
    for _ in range(rng.integers(1, 4)):
        angle, radius = rng.uniform(-3, 3), rng.uniform(0.8, 1) * 4096
        decays = int(radius * np.sin(angle)), int(radius * np.cos(angle))
        kind = ("rf", "rf_izhikevich")[rng.integers(2)]
        neuron = ResonatorNeuron(kind, int(rng.integers(1, 60)), *decays)  # type: ignore[arg-type]
        size = (int(rng.integers(3, 9)), n)
        imaginary = _mixed(rng, *size)
        layers.append(DenseLayer(_mixed(rng, *size), np.zeros(size[0], np.int64), neuron, weight_imag=imaginary))
        n = size[0]
    return layers


def _threshold(rng: Rng) -> int:
    return int(rng.choice([0, 1, 5, 20]))


def _small_dense(rng: Rng, n_source: int, neuron: AnyNeuron) -> DenseLayer:
    n = int(rng.integers(2, 9))
    weight = 2 * rng.integers(-3, 4, (n, n_source))
    weight.flat[:2] = (-2, 2)
    return DenseLayer(weight, rng.integers(-20, 30, n), neuron)
