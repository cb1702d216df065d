"""Small Programs for the tests of rules, cores and remedies."""

from typing import Any

import numpy as np

from spikeport.program import LIF, Conv, Dense, Input, Output, Program

Shape = tuple[int, ...]


def lif(name: str, shape: Shape, **changes: Any) -> LIF:
    kept = {"du": 4095, "dv": 5, "vth": 1, "bias_mant": np.zeros(shape, int), **changes}
    return LIF(name=name, shape=shape, **kept)


def row(*sizes: int, n_in: int = 2, neurons: dict[str, Any] | None = None, **dense: Any) -> Program:
    """Dense layers g0, g1, ... of those sizes behind an input."""
    names = ["x", *(f"g{i}" for i in range(len(sizes)))]
    groups = tuple(lif(name, (n,), **(neurons or {})) for name, n in zip(names[1:], sizes, strict=True))
    many = (n_in, *sizes)
    connections = tuple(
        Dense(names[i], names[i + 1], np.zeros((many[i + 1], many[i]), int), **dense) for i in range(len(sizes))
    )
    return Program(groups, connections, (Input("x", (n_in,), "spike"),), (Output("y", names[-1]),))


def stack(shape: Shape, *layers: tuple[int, int, int, int] | int) -> Program:
    """Layers c0, c1, ...: a convolution is (channels, kernel, stride, padding), a dense layer its neurons."""
    groups: list[LIF] = []
    connections: list[Conv | Dense] = []
    source, now = "x", shape
    for number, layer in enumerate(layers):
        name = f"c{number}"
        if isinstance(layer, int):
            connections.append(Dense(source, name, np.ones((layer, int(np.prod(now))), int)))
            now = (layer,)
        else:
            n, k, s, p = layer
            weight = np.ones((n, now[0], k, k), int)
            connections.append(Conv(source, name, weight, stride=(s, s), padding=(p, p)))
            now = connections[-1].output_shape(now)
        groups.append(lif(name, now))
        source = name
    return Program(tuple(groups), tuple(connections), (Input("x", shape, "spike"),), (Output("y", source),))
