"""Random small Programs of every kind of connection, with loops, and chips that are small enough to be a squeeze."""

from dataclasses import replace

import numpy as np

from spikeport.chip import LOIHI1, LOIHI2, Chip
from spikeport.program import Connection, Conv, Dense, Input, Output, Program, Sparse
from tests.deploy.small_programs import lif

Shape = tuple[int, ...]


def random_program(rng: np.random.Generator) -> Program:
    shapes: dict[str, Shape] = {"x": (int(rng.integers(1, 3)), int(rng.integers(3, 6)), int(rng.integers(3, 7)))}
    connections: list[Connection] = []
    for number in range(int(rng.integers(1, 4))):
        source = f"g{number - 1}" if number else "x"
        name = f"g{number}"
        shape = shapes[source]
        if len(shape) == 3 and min(shape[1:]) > 1 and rng.random() < 0.7:
            conv = random_conv(rng, source, name, shape)
            shapes[name] = conv.output_shape(shape)
            connections.append(conv)
        else:
            shapes[name] = (int(rng.integers(1, 20)),)
            connections.append(random_list(rng, source, name, shape, shapes[name]))
        if rng.random() < 0.3:
            back = f"g{int(rng.integers(0, number + 1))}"
            connections.append(random_list(rng, name, back, shapes[name], shapes[back]))
    groups = tuple(lif(name, shape) for name, shape in shapes.items() if name != "x")
    inputs = (Input("x", shapes["x"], "spike"),)
    return Program(groups, tuple(connections), inputs, (Output("y", groups[-1].name),))


def random_conv(rng: np.random.Generator, source: str, name: str, shape: Shape) -> Conv:
    groups = int(rng.choice([1, shape[0]]))
    kernel = tuple(int(k) for k in rng.integers(1, 3, 2))
    weight = rng.integers(-3, 4, (groups * int(rng.integers(1, 3)), shape[0] // groups, *kernel)) * 2
    stride, padding = (tuple(int(v) for v in rng.integers(*ends, 2)) for ends in ((1, 3), (0, 2)))
    return Conv(source, name, weight, stride=stride, padding=padding, groups=groups)  # type: ignore[arg-type]


def random_list(rng: np.random.Generator, source: str, name: str, into: Shape, out: Shape) -> Dense | Sparse:
    n, m = int(np.prod(out)), int(np.prod(into))
    if rng.random() < 0.5:
        return Dense(source, name, rng.integers(-3, 4, (n, m)) * 2)
    row, col = np.nonzero(rng.random((n, m)) < 0.3)
    return Sparse(source, name, row, col, rng.integers(-3, 4, row.size) * 2)


def random_chip(rng: np.random.Generator) -> Chip:
    """Limits from too small for some neurons to roomy."""
    return replace(
        (LOIHI1, LOIHI2)[int(rng.integers(2))],
        memory_words_per_core=int(rng.integers(4, 400)),
        cores_per_chip=int(rng.integers(2, 30)),
        neurons_per_core=int(rng.integers(1, 40)),
        axons_in_per_core=int(rng.integers(1, 60)),
        axons_out_per_core=int(rng.integers(1, 80)),
        synapse_words_per_core=int(rng.integers(1, 200)),
    )
