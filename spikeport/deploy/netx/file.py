"""`.net` file <-> layers. What lava-dl would misread is refused here, or taken as SLAYER meant it."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np

from spikeport.atomic import replacing_hdf5
from spikeport.deploy.netx.layers import (
    INPUT_BIAS,
    INPUT_WEIGHT,
    AnyNeuron,
    AverageLayer,
    ConvLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Neuron,
    ResonatorNeuron,
    SigmaDeltaNeuron,
)
from spikeport.deploy.netx.neurons import read_neuron, write_neuron
from spikeport.deploy.netx.node import Node
from spikeport.deploy.netx.probe import check_readable
from spikeport.errors import FileError, FileMissing, FileUnreadable, NetxRange, NetxUnsupported, SpikeportError
from spikeport.fixed import DELAY_MAX, Ints

Source = str | os.PathLike[str] | BinaryIO
MAX_LAYERS = 10_000
_LOWER = {  # layer types that SLAYER exports and lava-dl's own reader refuses, and what to do instead
    "pool": "replace it by a convolution with the same stride before export",
    "unpool": "replace it by a convolution with the same stride before export",
    "convT": "replace it by a convolution before export",
    "concat": "export through NIR instead: spikeport compile reads graphs with branches",
    "dense_comp": "export through NIR instead",
}


def read_layers(source: Source) -> list[Layer]:
    """All layers of a file, or of an open binary file; `layers[k]` is the file's layer k.

    Raises:
        FileError: not a readable `.net` file.
        DeployError: a layer that no Program can hold.
    """
    name = str(getattr(source, "name", "network")) if hasattr(source, "read") else str(source)
    try:
        _check_source(source, name)
        with h5py.File(source, "r") as file:
            size = file.id.get_filesize()
            layers = Node(file, name, size).child("layer", f"{name}: layers")
            count = len(layers.group)
            if not 0 < count <= MAX_LAYERS:
                raise FileError(name, "layers", got=count, relation="are not", limit=f"1 to {MAX_LAYERS}")
            return [_read_layer(layers.child(str(k), f"{name}: layer {k}")) for k in range(count)]
    except SpikeportError:
        raise
    except FileNotFoundError:
        raise FileMissing(name, "no such file") from None
    except (
        OSError,
        KeyError,
        RuntimeError,
        TypeError,
        ValueError,
        MemoryError,
        OverflowError,
    ) as error:  # all that h5py raises
        got = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise FileUnreadable(name, "is not a readable netx file", got=got, do="export it again with lava-dl") from error


def _check_source(source: Source, name: str) -> None:
    """`check_readable` of a path, or of a copy of what an open file holds."""
    if not isinstance(source, str | os.PathLike):
        with tempfile.NamedTemporaryFile(suffix=".net") as copy:
            source.seek(0)
            shutil.copyfileobj(source, copy)
            copy.flush()
            check_readable(Path(copy.name), name)
            source.seek(0)
    elif Path(source).is_file():
        check_readable(Path(source), name)


def _read_layer(node: Node) -> Layer:
    kind = node.text("type")
    node = Node(node.group, f"{node.where} ({kind})", node.file_bytes)
    match kind:
        case "input":
            return _input(node)
        case "dense" | "dense_rec":
            return _dense(node, recurrent=kind == "dense_rec")
        case "conv":
            return _conv(node)
        case "flatten":
            return FlattenLayer()
        case "average":
            return AverageLayer(node.shape()[0])
        case _:
            known = "input, dense, dense_rec, conv, flatten, average"
            do = _LOWER.get(kind, "replace it, or stop before it with num_layers")
            raise NetxUnsupported(node.where, "layer type", got=kind, relation="is not one of", limit=known, do=do)


def _input(node: Node) -> InputLayer:
    if "neuron" not in node:
        return InputLayer(node.shape())
    neuron = read_neuron(node, "input")
    assert not isinstance(neuron, ResonatorNeuron)
    weight, bias = node.integer("weight", INPUT_WEIGHT), node.integer("bias", INPUT_BIAS)
    if isinstance(neuron, SigmaDeltaNeuron) and (weight, bias) != (INPUT_WEIGHT, INPUT_BIAS):
        got, limit = f"weight {weight}, bias {bias}", f"weight {INPUT_WEIGHT}, bias {INPUT_BIAS}"
        do = "lava-dl leaves it to its user: delete both, and give weight * x + bias as the input"
        raise NetxUnsupported(node.where, "transform of an SDNN input", got=got, relation="is not", limit=limit, do=do)
    return InputLayer(node.shape(), neuron, weight, bias)


def _dense(node: Node, recurrent: bool) -> DenseLayer:
    n = int(np.prod(node.shape()))
    neuron = read_neuron(node, "dense_rec" if recurrent else "dense") if "neuron" in node else Neuron()
    if isinstance(neuron, ResonatorNeuron):
        return _complex_dense(node, n, neuron)
    if node.is_group("weight"):
        limit = "RF_PHASE or RF_IZHIKEVICH"
        raise NetxUnsupported(node.where, "neurons of complex weights", relation="are not", limit=limit)
    weight = _matrix(node, "weight", n)
    weight_rec = _matrix(node, "weight_rec", n) if recurrent else None
    if weight_rec is not None and weight_rec.shape != (n, n):
        raise FileError(node.where, "'weight_rec' shape", got=weight_rec.shape, relation="is not", limit=(n, n))
    bias = _bias(node, (n,), neuron)
    delay = _delay(node, weight, bool(bias.any()))
    if recurrent and np.any(delay):
        do = "lava-dl drops the weight exponent there; train without delays, or export through NIR"
        raise NetxUnsupported(node.where, "delays of a recurrent layer", relation="have no certain meaning", do=do)
    return DenseLayer(weight, bias, neuron, delay, weight_rec)


def _complex_dense(node: Node, n: int, neuron: ResonatorNeuron) -> DenseLayer:
    """lava-dl's `ComplexDense` takes weights and neurons, and leaves out all else that the file holds."""
    if not node.is_group("weight"):
        do = "lava-dl stops there; these neurons take complex weights, weight/real and weight/imag"
        raise NetxUnsupported(node.where, "real weights of RF neurons", relation="are not supported", do=do)
    for name in ("bias", "delay"):
        if name in node and node.integers(name).any():
            do = "lava-dl ignores it and says nothing; train the layer without"
            raise NetxUnsupported(node.where, f"{name} of RF neurons", relation="is not supported", do=do)
    parts = node.child("weight", f"{node.where}: weight")
    real, imaginary = _matrix(parts, "real", n), _matrix(parts, "imag", n)
    if real.shape != imaginary.shape:
        raise FileError(parts.where, "'imag' shape", got=imaginary.shape, relation="is not", limit=real.shape)
    return DenseLayer(real, np.zeros(n, np.int64), neuron, weight_imag=imaginary)


def _conv(node: Node) -> ConvLayer:
    shape, weight = node.shape(), node.integers("weight")
    if weight.ndim == 5 and weight.shape[4] == 1:  # SLAYER's kernels have a time axis
        weight = weight[..., 0]
    if weight.ndim != 4 or len(shape) != 3:
        got, limit = f"{weight.shape} for {shape}", "(c_out, c_in, k_h, k_w) for (c, h, w)"
        raise FileError(node.where, "'weight' shape", got=got, relation="is not", limit=limit)
    if "delay" in node and node.integers("delay").any():
        do = "lava-dl ignores it and says it does not; train the convolution without delay"
        raise NetxUnsupported(node.where, "delay of a convolution", relation="is not supported", do=do)
    neuron = read_neuron(node, "conv")
    assert not isinstance(neuron, ResonatorNeuron)
    return ConvLayer(
        shape,
        weight,
        _bias(node, shape, neuron),
        neuron,
        node.pair("stride", 1),
        node.pair("padding", 0),
        node.pair("dilation", 1),
        node.integer("groups", 1),
    )


def _matrix(node: Node, name: str, n: int) -> Ints:
    data = node.integers(name)
    if data.ndim == 1 and data.size % n == 0:
        data = data.reshape(n, -1)
    if data.ndim != 2 or data.shape[0] != n or not data.size:
        raise FileError(node.where, f"'{name}' shape", got=data.shape, relation="is not", limit=f"({n}, n_source)")
    return data


def _bias(node: Node, shape: tuple[int, ...], neuron: AnyNeuron) -> Ints:
    """One for all, one per channel, or one per neuron; lava-dl stores the last as (width, height, channel)."""
    if "bias" not in node:
        return np.zeros(shape[0], np.int64)
    data = node.integers("bias")
    if neuron == SigmaDeltaNeuron("sigma") and data.any():
        do = "lava-dl stops there; these neurons only add up what they receive"
        raise NetxUnsupported(node.where, "bias of a layer with sigma_output", relation="is not supported", do=do)
    if data.size == 1 and len(shape) == 1:
        return np.full(shape, data.flat[0])
    if data.shape == shape[:1]:
        return data
    if len(shape) == 3 and data.shape == shape[::-1]:
        return data.transpose(2, 1, 0)
    raise FileError(node.where, "'bias' shape", got=data.shape, relation="is not", limit=shape[:1])


def _delay(node: Node, weight: Ints, biased: bool) -> int | Ints:
    """SLAYER delays a layer's own output; lava-dl moves that delay to the layer's incoming synapses."""
    if "delay" not in node:
        return 0
    delay = node.integers("delay")
    if delay.size and (delay.min() < 0 or delay.max() > DELAY_MAX):
        worst = delay.min() if delay.min() < 0 else delay.max()
        do = "lava-dl would clip it"
        raise NetxRange(node.where, "delay", got=int(worst), relation="is not in", limit=f"[0, {DELAY_MAX}]", do=do)
    n, n_source = weight.shape
    if delay.ndim == 1 and delay.size == n:  # before the sources': where both fit, SLAYER meant the output
        if biased and delay.any():
            do = "lava-dl delays the inputs instead, but not the bias; train the layer without bias or without delay"
            raise NetxUnsupported(
                node.where, "delay of the output of neurons with a bias", relation="cannot be moved", do=do
            )
        delay = np.repeat(delay[:, None], n_source, axis=1)
    elif delay.ndim == 1 and delay.size == n_source:
        delay = np.repeat(delay[None, :], n, axis=0)
    if delay.size == 1:
        return int(delay.flat[0])
    if delay.shape != weight.shape:
        raise FileError(
            node.where, "'delay' shape", got=delay.shape, relation="is not", limit=f"({n},) or {weight.shape}"
        )
    return int(delay.flat[0]) if delay.min() == delay.max() else delay


def write_layers(layers: list[Layer], path: str | os.PathLike[str]) -> None:
    """Writes a temporary file and renames it: a failed write leaves nothing behind."""
    with replacing_hdf5(path) as sink, h5py.File(sink, "w") as file:
        for k, layer in enumerate(layers):
            _write_layer(file.create_group(f"layer/{k}"), layer)


def _write_layer(group: h5py.Group, layer: Layer) -> None:
    """Data sets as SLAYER's `export_hdf5` names them."""
    kind, values = _data_sets(layer)
    group.create_dataset("type", (1,), "S10", [kind.encode()])
    for name, value in values.items():
        if value is not None:
            data = np.asarray(value, np.int32)
            group.create_dataset(name, data=data, compression="gzip" if data.ndim > 1 else None)
    if isinstance(layer, InputLayer | DenseLayer | ConvLayer) and layer.neuron is not None:
        write_neuron(group.create_group("neuron"), layer.neuron)


def _data_sets(layer: Layer) -> tuple[str, dict[str, object]]:
    """The layer's type, and its data sets; None for one that is left out."""
    match layer:
        case InputLayer(shape, neuron, weight, bias):
            transformed = isinstance(neuron, Neuron)
            transform: dict[str, object] = {"weight": [weight], "bias": [bias]} if transformed else {}
            return "input", {"shape": shape, **transform}
        case DenseLayer(weight, bias, _, delay, weight_rec, weight_imag):
            n, n_source = weight.shape
            parts = {"weight": weight}
            if weight_imag is not None:
                parts = {"weight/real": weight, "weight/imag": weight_imag}
            return "dense" if weight_rec is None else "dense_rec", {
                "shape": (n,),
                "inFeatures": n_source,
                "outFeatures": n,
                **parts,
                "weight_rec": weight_rec,
                "bias": bias if bias.any() else None,
                "delay": delay if np.any(delay) else None,
            }
        case ConvLayer():
            c_out, c_in, *kernel = layer.weight.shape
            return "conv", {
                "shape": layer.shape,
                "inChannels": c_in * layer.groups,
                "outChannels": c_out,
                "kernelSize": kernel,
                "stride": layer.stride,
                "padding": layer.padding,
                "dilation": layer.dilation,
                "groups": layer.groups,
                "weight": layer.weight,
                "bias": layer.bias.T if layer.bias.any() else None,
            }
        case FlattenLayer():
            return "flatten", {}
        case AverageLayer(outputs):
            return "average", {"shape": (outputs,)}
