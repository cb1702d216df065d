"""Mutated NIR files through the reader and the compiler: an error with a text, the sound Program, or a visible change.

    python -m tests.deploy.reader.fuzz 10000 --seed 1

HDF5 has no checksum over most of what it holds. A flipped bit within a weight is another weight, and no reader can
tell; so what is read is compared with what the sound file gives, and a difference must show in the typed graph. What
does not show there must give the sound file's Program, bit for bit.
"""

import argparse
import gzip
import resource
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch

from spikeport.deploy.graph import Graph
from spikeport.deploy.pipeline import compile_graph
from spikeport.deploy.read import read_nir
from spikeport.deploy.reader import guard
from spikeport.errors import FileError, SpikeportError
from spikeport.export import to_nir, write_nir
from spikeport.program import Program, identical
from spikeport.train import ALIF, Image, QuantConv2d, QuantConvTranspose2d, QuantLinear, SpikingLayer, Vote
from tests.deploy.reader.mutate import mutated
from tests.deploy.reader.server import Server

VECTORS = Path(__file__).parents[2] / "vectors" / "nir"
LIMIT_S = 5.0
LIMIT_BYTES = 1 << 30


@dataclass(frozen=True)
class Sound:
    """A file before its mutation, and what it gives."""

    data: bytes
    graph: Graph
    program: Program | None
    """None: it is read, but not lowered."""


def sound(path: Path, data: bytes) -> Sound:
    path.write_bytes(data)
    graph = read_nir(path)
    try:
        return Sound(data, graph, compile_graph(graph))
    except SpikeportError:
        return Sound(data, graph, None)


def samples(path: Path) -> list[Sound]:
    """The files of every nir version, unpacked, and two of spikeport's export."""
    written = [gzip.decompress(file.read_bytes()) for file in sorted(VECTORS.glob("*.nir.gz"))]
    return [sound(path, data) for data in [*written, exported(path), decoder(path)]]


def exported(path: Path) -> bytes:
    """A convolution on an image and a dense layer, with notes and exact integers in the metadata."""
    torch.manual_seed(0)
    first = SpikingLayer(QuantConv2d(1, 2, 3, padding=1), ALIF(), image=Image(5, 0, 15, 1 / 15))
    net = torch.nn.Sequential(first, torch.nn.Flatten(2), SpikingLayer(QuantLinear(32, 4), ALIF()), Vote(2))
    write_nir(to_nir(net, torch.zeros(1, 1, 4, 4)), path)
    return path.read_bytes()


def decoder(path: Path) -> bytes:
    """The two nodes that are spikeport's own: a transposed convolution behind a dense layer; without the notes."""
    torch.manual_seed(1)
    up = QuantConvTranspose2d(2, 1, 3, stride=2, padding=1, output_padding=1)
    net = torch.nn.Sequential(
        SpikingLayer(QuantLinear(3, 8), ALIF()), torch.nn.Unflatten(2, (2, 2, 2)), SpikingLayer(up, ALIF())
    )
    graph = to_nir(net, torch.zeros(1, 1, 3))
    graph.metadata = {}
    write_nir(graph, path)
    return path.read_bytes()


def outcome(path: Path, was: Sound) -> str:
    """What became of a mutated file; raises AssertionError where that is not allowed."""
    start = time.perf_counter()
    try:
        graph = read_nir(path)
    except SpikeportError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000 and str(error).isprintable(), repr(str(error))
        grief = isinstance(error, FileError) and "reading it" in str(error.got)
        if grief:
            return f"ended the child: {error.got}"
        return "refused: FileError" if isinstance(error, FileError) else "refused: DeployError"
    finally:
        assert time.perf_counter() - start < LIMIT_S, "the reader took too long"
    change = difference(graph, was.graph)
    check_parameters(graph)
    start = time.perf_counter()
    try:
        program = compile_graph(graph)
    except SpikeportError as error:
        assert "\n" not in str(error), repr(str(error))
        return f"read, {change}; not compiled"
    finally:
        assert time.perf_counter() - start < LIMIT_S, "the compiler took too long"
    if change == "the same":
        assert was.program is not None and identical(replace(program, nir_sha256=was.program.nir_sha256), was.program)
    return f"read, {change}; compiled"


def check_parameters(graph: Graph) -> None:
    """Finite float64, and time constants above 0."""
    for name, node in graph.nodes.items():
        for field in fields(node):
            value = getattr(node, field.name)
            if isinstance(value, np.ndarray):
                assert value.dtype == np.float64 and value.size and np.isfinite(value).all(), (name, field.name)
                assert not field.name.startswith("tau") or value.min() > 0, (name, field.name)


def difference(graph: Graph, was: Graph) -> str:
    """How two graphs differ: not, in numbers, or in nodes, edges, notes and geometry."""
    alike = graph.nodes.keys() == was.nodes.keys() and sorted(graph.edges) == sorted(was.edges)
    if not alike or graph.remarks != was.remarks or repr(graph.notes) != repr(was.notes):
        return "other structure"
    numbers = False
    for name, node in graph.nodes.items():
        if type(node) is not type(was.nodes[name]):
            return "other structure"
        for field in fields(node):
            a, b = getattr(node, field.name), getattr(was.nodes[name], field.name)
            if not np.array_equal(a, b):
                if not isinstance(a, np.ndarray) or a.shape != b.shape:
                    return "other structure"
                numbers = True
    return "other numbers" if numbers else "the same"


def run(count: int, seed: int, folder: Path, server: Server, exact: list[Sound]) -> tuple[Counter[str], float]:
    """Outcomes of `count` mutations, and the seconds of the slowest."""
    found: Counter[str] = Counter()
    slowest = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        was = exact[rng.integers(len(exact))]
        path = folder / "mutated.nir"
        try:
            kind = mutated(was.data, path, rng)
        except (KeyError, OSError, RuntimeError, TypeError, ValueError):  # h5py cannot make this one
            found["not made"] += 1
            continue
        start = time.perf_counter()
        try:
            found[outcome(path, was)] += 1
        except Exception as error:
            error.add_note(f"mutation {k} of seed {seed}: {kind}")
            raise
        slowest = max(slowest, time.perf_counter() - start)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    assert grown < LIMIT_BYTES, f"{grown} bytes"
    found["MiB more at the peak"] = grown >> 20
    return found, slowest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    warnings.simplefilter("error")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder)
        guard.run = server.run
        found, slowest = run(told.count, told.seed, folder, server, samples(folder / "sound.nir"))
        server.close()
    for what, count in sorted(found.items()):
        print(f"{count:7} {what}")
    print(f"{slowest:7.2f} s for the slowest")


if __name__ == "__main__":
    main()
