"""NIR file or `nir.NIRGraph` to `Graph`. The only place that knows NIR; nothing is executed or skipped."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np

from spikeport.deploy.graph import Graph, ordered
from spikeport.deploy.nodes import LIF, Conv2d, Flatten, Floats, Input, Linear, Node, Output
from spikeport.errors import DeployError, FileError, UnsupportedNode

MAX_BYTES = 2**30  # of one array; a damaged header can claim anything
Fields = Mapping[str, Any]


def read_nir(path: str | os.PathLike[str]) -> Graph:
    """Raises FileError if the file is not a readable NIR file, DeployError if the graph is not usable."""
    path = Path(path)
    if not path.is_file():
        raise FileError(str(path), "no such file")
    try:
        with h5py.File(path, "r") as file:
            if not isinstance(file.get("node"), h5py.Group):
                raise FileError(str(path), "is not a NIR file", got="no group /node", do="write it with nir.write")
            table = _group(path, file["node"])
    except FileError:
        raise
    except (
        AttributeError,
        KeyError,
        OSError,
        OverflowError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:  # what h5py raises
        raise FileError(
            str(path), "is not a readable NIR file", got=_first_line(error), do="export it again"
        ) from error
    return _graph(table, hashlib.sha256(path.read_bytes()).hexdigest())


def from_nir(graph: nir.NIRGraph) -> Graph:
    """The same graph, typed; the NIR object is not changed."""
    return _graph(graph.to_dict(), "")


def _group(path: Path, group: h5py.Group) -> dict[str, Any]:
    """An HDF5 group as nested dictionaries; links out of the file are refused."""
    table: dict[str, Any] = {}
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise FileError(str(path), f"{group.name}/{name} links elsewhere", do="export it again")
        item = group[name]
        if isinstance(item, h5py.Group):
            table[name] = _group(path, item)
            continue
        if not isinstance(item, h5py.Dataset):
            raise FileError(str(path), f"{item.name}", relation="is not", limit="a group or an array")
        if item.external or item.nbytes > MAX_BYTES:
            raise FileError(
                str(path), f"{item.name}", got=f"{item.nbytes} bytes", relation="exceed", limit=f"{MAX_BYTES}"
            )
        value = item[()]
        table[name] = _text(value) if isinstance(value, bytes) else value
    return table


def _graph(table: Fields, sha256: str) -> Graph:
    raw = table.get("nodes")
    if not isinstance(raw, Mapping) or "edges" not in table:
        raise DeployError("graph", "lacks nodes or edges", do="export it again")
    nodes = {name: _node(name, fields) for name, fields in raw.items()}
    pairs = np.asarray(table["edges"], dtype=object)
    if pairs.size and pairs.shape[1:] != (2,):
        raise DeployError("graph", "edges of shape", got=pairs.shape, relation="are not", limit="pairs of names")
    edges = tuple((_text(a), _text(b)) for a, b in pairs.reshape(-1, 2))
    for edge in edges:
        for end in edge:
            if end not in nodes:
                raise DeployError("graph", "edge", got=" -> ".join(edge), relation="names an unknown node", limit=end)
    if len(set(edges)) != len(edges):
        raise DeployError("graph", "edges listed twice", do="merge them into one weight")
    notes = table.get("metadata", {})
    notes = notes.get("spikeport", {}) if isinstance(notes, Mapping) else {}
    graph = Graph(ordered(nodes, edges), edges, notes if isinstance(notes, Mapping) else {}, sha256)
    graph.shapes()
    return graph


def _node(name: str, fields: Any) -> Node:
    kind = _text(fields.get("type")) if isinstance(fields, Mapping) else "nothing"
    if kind not in _PARSERS:
        limit = ", ".join(_PARSERS)
        raise UnsupportedNode(name, "node type", got=kind, relation="is not one of", limit=limit, do="replace the node")
    try:
        return _PARSERS[kind](name, fields)
    except KeyError as error:
        raise DeployError(name, f"{kind} lacks", got=error.args[0], do="export it again") from error


def _input(name: str, fields: Fields) -> Input:
    return Input(_ints(name, fields, "shape"))


def _output(name: str, fields: Fields) -> Output:
    return Output()


def _flatten(name: str, fields: Fields) -> Flatten:
    return Flatten(_int(name, fields, "start_dim"), _int(name, fields, "end_dim"))


def _linear(name: str, fields: Fields) -> Linear:
    weight = _floats(name, fields, "weight", 2)
    bias = _floats(name, fields, "bias", 1) if "bias" in fields else np.zeros(len(weight))
    return Linear(weight, _bias(name, bias, weight))


def _conv2d(name: str, fields: Fields) -> Conv2d:
    weight = _floats(name, fields, "weight", 4)
    bias = _bias(name, _floats(name, fields, "bias", 1), weight)
    groups = _int(name, fields, "groups")
    stride, padding, dilation = (_pair(name, fields, key) for key in ("stride", "padding", "dilation"))
    if groups < 1 or len(weight) % groups or min(*stride, *dilation) < 1 or min(padding) < 0:
        got = f"stride {stride}, padding {padding}, dilation {dilation}, groups {groups}"
        raise DeployError(name, "convolution", got=got, relation="is not", limit="a valid geometry")
    return Conv2d(weight, bias, stride, padding, dilation, groups)


def _lif(name: str, fields: Fields) -> LIF:
    keys = ("tau", "r", "v_leak", "v_threshold")
    values = [_floats(name, fields, key) for key in keys]
    values.append(_floats(name, fields, "v_reset") if "v_reset" in fields else np.zeros(1))
    try:
        tau, r, v_leak, v_threshold, v_reset = np.broadcast_arrays(*values)
    except ValueError as error:
        raise DeployError(name, "parameter shapes", got=[v.shape for v in values], relation="differ") from error
    if tau.min() <= 0:
        raise DeployError(name, "tau", got=tau.min(), relation="is not above", limit=0)
    return LIF(tau, r, v_leak, v_threshold, v_reset)


_PARSERS: dict[str, Callable[[str, Fields], Node]] = {
    "Input": _input,
    "Output": _output,
    "Flatten": _flatten,
    "Linear": _linear,
    "Affine": _linear,
    "Conv2d": _conv2d,
    "LIF": _lif,
}


def _floats(name: str, fields: Fields, key: str, ndim: int | None = None) -> Floats:
    array = np.asarray(fields[key])
    if array.dtype.kind not in "fiu" or not array.size:
        raise DeployError(
            name, f"{key} type", got=f"{array.dtype}, {array.size} values", relation="is not", limit="numbers"
        )
    if ndim is not None and array.ndim != ndim:
        raise DeployError(name, f"{key} shape", got=array.shape, relation="does not have", limit=f"{ndim} axes")
    if not np.isfinite(array).all():
        raise DeployError(
            name, key, got="NaN or infinity", relation="is not", limit="a finite number", do="train or export it again"
        )
    return array.astype(np.float64)


def _bias(name: str, bias: Floats, weight: Floats) -> Floats:
    if bias.shape != (len(weight),):
        raise DeployError(name, "bias shape", got=bias.shape, relation="is not", limit=(len(weight),))
    return bias


def _ints(name: str, fields: Fields, key: str) -> tuple[int, ...]:
    array = np.asarray(fields[key])
    if array.dtype.kind not in "iu" or not array.size or array.ndim > 1 or array.min() < 1 or array.max() >= 2**31:
        raise DeployError(name, key, got=array.tolist(), relation="is not", limit="positive sizes")
    return tuple(int(n) for n in array.reshape(-1))


def _int(name: str, fields: Fields, key: str) -> int:
    array = np.asarray(fields[key])
    if array.dtype.kind not in "iu" or array.size != 1:
        raise DeployError(name, key, got=array.tolist(), relation="is not", limit="one integer")
    return int(array.reshape(-1)[0])


def _pair(name: str, fields: Fields, key: str) -> tuple[int, int]:
    value = fields[key]
    if isinstance(value, str):
        raise DeployError(name, key, got=value, relation="is not", limit="a number", do="write the padding as numbers")
    array = np.asarray(value)
    if array.dtype.kind not in "iu" or array.size not in (1, 2) or abs(array).max() >= 2**15:
        raise DeployError(name, key, got=array.tolist(), relation="is not", limit="one or two integers")
    first, last = array.reshape(-1)[0], array.reshape(-1)[-1]
    return int(first), int(last)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
