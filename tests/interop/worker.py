"""What the workers share: inputs and weights, what a run recorded, the files, the command line. No spikeport here.

A worker is a script that runs in the environment of one framework (`environments.py`):

    WORKER record FOLDER    every network: NAME.nir, NAME.npz and NAME.json
    WORKER read FOLDER      runs every NAME.nir there on `x` of NAME.npz; `spikes` go into NAME.out.npz

An npz holds `x`, and per layer of neurons `s:NODE`, the spikes, and `v:NODE`, the membrane as it was compared with the
threshold, before any reset; all `(T, B, *shape)`, time first. NODE is the name in the NIR file.
"""

import argparse
import importlib.metadata
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nir
import numpy as np

STEPS, BATCH = 60, 2
GRID = 64  # weights are whole multiples of 1 / GRID, so that float32 sums do not depend on their order
CLEAR = 1e-4  # no membrane comes nearer to its threshold, unless ties are what the network is for
SEEDS = 200


@dataclass
class Layer:
    """Spikes and compared membranes of one layer of neurons, step by step."""

    threshold: float
    s: list[Any] = field(default_factory=list)
    v: list[Any] = field(default_factory=list)


@dataclass
class Run:
    """One network, run in its framework and exported by it."""

    graph: nir.NIRGraph
    x: Any
    layers: dict[str, Layer]
    """By the node's name in the NIR file."""
    convention: Mapping[str, Any]
    """How the framework stepped: `preset`, and the fields of a Convention that differ; `beyond` says what none has."""
    faults: tuple[str, ...] = ()
    """What the file does not say as it was run, with figures."""
    meant: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Parameters by node that the file has wrong, in NIR's terms; `type` where the node should be another."""
    repairs: tuple[str, ...] = ()
    """What had to be mended before nir would write it."""
    ties: bool = False
    """Whether membranes that equal their threshold are the point."""


Network = Callable[[np.random.Generator], Run]


def bernoulli(rng: np.random.Generator, shape: tuple[int, ...], rate: float = 0.3) -> Any:
    """`(T, B, *shape)` float32 zeros and ones."""
    return (rng.random((STEPS, BATCH, *shape)) < rate).astype(np.float32)


def weights(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Any:
    """float32 in [low, high] on the grid."""
    return (rng.integers(int(low * GRID), int(high * GRID) + 1, shape) / GRID).astype(np.float32)


def clearance(run: Run) -> float:
    """The least distance of a membrane from the threshold, or from the multiple of it that a further spike takes."""
    least = np.inf
    for layer in run.layers.values():
        v = np.stack(layer.v).astype(np.float64)
        times = np.maximum(np.rint(v / layer.threshold), 1) if np.max(np.stack(layer.s)) > 1 else 1
        least = min(least, float(np.abs(v - times * layer.threshold).min()))
    return least


def lively(run: Run) -> bool:
    """Whether every layer fires, and is silent, often enough to tell anything."""
    return all(0.03 < np.mean(np.stack(layer.s) > 0) < 0.7 for layer in run.layers.values())


def clear_run(network: Network) -> tuple[Run, int]:
    """The run of the first seed whose membranes stay clear of their thresholds."""
    for seed in range(SEEDS):
        run = network(np.random.default_rng(seed))
        if lively(run) and (run.ties or clearance(run) >= CLEAR):
            return run, seed
    raise SystemExit(f"{network.__name__}: no seed below {SEEDS} keeps its membranes clear of the threshold")


def save(folder: Path, framework: str, network: Network, packages: tuple[str, ...]) -> None:
    run, seed = clear_run(network)
    name = f"{framework}_{network.__name__}"
    write_graph(folder / f"{name}.nir", run.graph)
    arrays = {"x": np.asarray(run.x, np.uint8)}
    for node, layer in run.layers.items():
        arrays[f"s:{node}"] = np.stack(layer.s).astype(np.uint8)
        arrays[f"v:{node}"] = np.stack(layer.v).astype(np.float32)
    np.savez_compressed(folder / f"{name}.npz", **arrays)
    about = {
        "framework": framework,
        "network": network.__name__,
        "about": inspect.cleandoc(network.__doc__ or ""),
        "made_by": f"tests/interop/{Path(sys.argv[0]).name} record",
        "versions": {package: importlib.metadata.version(package) for package in packages},
        "seed": seed,
        "steps": STEPS,
        "batch": BATCH,
        "clearance": clearance(run),
        "ties": run.ties,
        "convention": dict(run.convention),
        "faults": list(run.faults),
        "meant": {node: dict(parameters) for node, parameters in run.meant.items()},
        "repairs": list(run.repairs),
        "thresholds": {node: layer.threshold for node, layer in run.layers.items()},
        "rates": {node: round(float(np.mean(np.stack(layer.s))), 4) for node, layer in run.layers.items()},
    }
    (folder / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n")
    print(f"{name}: seed {seed}, clearance {about['clearance']:.2g}, rates {about['rates']}")


def write_graph(path: Path, graph: nir.NIRGraph) -> None:
    """Without compression, which makes small files larger; nir below 1.0.8 has none."""
    if "compression" in inspect.signature(nir.write).parameters:
        nir.write(path, graph, compression=None)
    else:
        nir.write(path, graph)


def serve(
    framework: str,
    networks: tuple[Network, ...],
    packages: tuple[str, ...],
    read: Callable[[Path, Any], Any] | None = None,
) -> None:
    """The command line of a worker.

    Args:
        read: From a NIR file and spikes `(T, B, *shape)` to the output's spikes.
    """
    parser = argparse.ArgumentParser(description=f"Runs networks in {framework} and exports them.")
    parser.add_argument("mode", choices=("record", "read") if read else ("record",))
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    if args.mode == "record":
        args.folder.mkdir(parents=True, exist_ok=True)
        for network in networks:
            save(args.folder, framework, network, ("nir", "nirtorch", "numpy", "torch", *packages))
        return
    assert read is not None
    for file in sorted(args.folder.glob("*.nir")):
        with np.load(file.with_suffix(".npz")) as arrays:
            spikes = read(file, arrays["x"].astype(np.float32))
        np.savez_compressed(file.with_suffix(".out.npz"), spikes=np.asarray(spikes, np.uint8))
