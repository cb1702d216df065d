"""Writes `tests/vectors/nir/<version>_<name>.nir.gz` with the nir that is installed: run it once for each version.

    pip install --no-deps --target DIR nir==1.0.4
    PYTHONPATH=DIR python tests/vectors/make_nir.py tests/vectors/nir

The files there are of nir 1.0.0, 1.0.1 (both with numpy 1.26.4, later ones are refused), 1.0.4, 1.0.5, 1.0.6,
1.0.7 and 1.0.8 from PyPI, with h5py 3.16.0. Numbers are small fractions, the same in every version's file.
"""

import gzip
import inspect
import sys
from pathlib import Path
from typing import Any

import nir
import numpy as np


def ramp(*shape: int, scale: float = 1 / 64) -> Any:
    """-k/64 ... k/64 in float32, row by row."""
    n = int(np.prod(shape))
    return ((np.arange(n) - n // 2) * scale).reshape(shape).astype(np.float32)


def full(value: float, *shape: int) -> Any:
    return np.full(shape, value, np.float32)


def neuron(kind: str, *shape: int, **values: float) -> Any:
    """A neuron with every field that this version's class has, but for what is left to its default."""
    known = inspect.signature(getattr(nir, kind)).parameters
    given = {
        "tau": 0.002,
        "tau_mem": 0.002,
        "tau_syn": 0.001,
        "r": 1.0,
        "v_leak": 0.0,
        "v_threshold": 0.5,
        "v_reset": 0.0,
    }
    return getattr(nir, kind)(**{k: full(v, *shape) for k, v in {**given, **values}.items() if k in known})


def graph(nodes: dict[str, Any], edges: Any = None) -> Any:
    names = list(nodes)
    pairs = edges or list(zip(names[:-1], names[1:], strict=True))
    checked = "type_check" in inspect.signature(nir.NIRGraph).parameters
    return nir.NIRGraph(nodes, pairs, **({"type_check": False} if checked else {}))


def layers() -> Any:
    """A convolution as the compiler lowers it."""
    nodes = {
        "input": nir.Input({"input": np.array([1, 5, 6])}),
        "conv": nir.Conv2d((5, 6), ramp(2, 1, 3, 3), (2, 2), (1, 1), (1, 1), 1, ramp(2)),
        "lif1": neuron("LIF", 2, 3, 3),
        "flatten": nir.Flatten({"input": np.array([2, 3, 3])}, 0, -1),
        "affine": nir.Affine(ramp(4, 18), ramp(4)),
        "lif2": neuron("LIF", 4),
        "output": nir.Output({"output": np.array([4])}),
    }
    return graph(nodes)


def kinds() -> Any:
    """Every kind of node that the version has."""
    nodes = {"input": nir.Input({"input": np.array([1, 4, 6])})}
    nodes["sum"] = nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))
    if hasattr(nir, "AvgPool2d"):
        nodes["avg"] = nir.AvgPool2d(np.array([1, 1]), np.array([1, 1]), np.array([0, 0]))
    nodes["flatten1"] = nir.Flatten({"input": np.array([1, 2, 3])}, 1, -1)
    nodes["conv"] = nir.Conv1d(6, ramp(2, 1, 3), 1, 1, 1, 1, ramp(2))
    nodes["flatten2"] = nir.Flatten({"input": np.array([2, 6])}, 0, -1)
    nodes["linear"] = nir.Linear(ramp(3, 12))
    nodes |= {"if_": neuron("IF", 3), "scale": nir.Scale(ramp(3)), "cubalif": neuron("CubaLIF", 3)}
    nodes |= {"delay": nir.Delay(full(0.001, 3)), "threshold": nir.Threshold(full(0.25, 3))}
    nodes |= {"i": neuron("I", 3), "li": neuron("LI", 3)}
    if hasattr(nir, "CubaLI"):
        nodes["cubali"] = neuron("CubaLI", 3)
    return graph({**nodes, "output": nir.Output({"output": np.array([3])})})


def nested() -> Any:
    """A recurrent layer as a graph of its own, whole-graph edges."""
    inner = {
        "input": nir.Input({"input": np.array([3])}),
        "lif": neuron("LIF", 3),
        "back": nir.Linear(ramp(3, 3)),
        "output": nir.Output({"output": np.array([3])}),
    }
    layer = graph(inner, [("input", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "output")])
    nodes = {
        "input": nir.Input({"input": np.array([2])}),
        "affine": nir.Affine(ramp(3, 2), ramp(3)),
        "layer": layer,
        "output": nir.Output({"output": np.array([3])}),
    }
    return graph(nodes)


if __name__ == "__main__":
    for make in (layers, kinds, nested):
        path = Path(sys.argv[1]) / f"{nir.version}_{make.__name__}.nir"
        nir.write(path, make())
        path.with_suffix(".nir.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        path.unlink()
