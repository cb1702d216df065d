"""What the trainers share: the training loop, the measured run, the files, the command line. No spikeport here.

A trainer is a script that runs in the environment of one framework (`tests/interop/environments.py`):

    TRAINER FOLDER [NET ...]     trains the nets on FOLDER/DATA.npz and FOLDER/DATA_train.npz

For each net: FRAMEWORK_DATA_NET.nir as the framework exported it, .npz and .json (`nets.py` says what they hold).
"""

import argparse
import importlib.metadata
import inspect
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nir
import numpy as np
import torch
from coding import bernoulli

SEED = 0
BATCH = 50
SHOWN = 64  # samples whose outputs are kept step by step


@dataclass(frozen=True)
class Net:
    name: str
    data: str
    build: Callable[[], Any]
    """Its docstring says what the net is."""
    epochs: int
    flat: bool = True
    """Whether it takes an image as `(h w,)`; else as `(1, h, w)`."""
    rate: float = 3e-3
    """Of learning, at first; it falls to 0 by a cosine."""
    spikes: bool = True
    """Whether the output spikes; else it is a membrane, and its mean over the steps counts."""
    convention: str | None = None
    """The preset that the file is read under, where nothing in the file tells."""


@dataclass(frozen=True)
class Framework:
    name: str
    packages: tuple[str, ...]
    run: Callable[[Any, torch.Tensor], torch.Tensor]
    """From the module and `(T, B, *shape)` to what the output layer gives, `(T, B, n)`; states start anew."""
    export: Callable[[Any, tuple[int, ...], int], tuple[nir.NIRGraph, tuple[str, ...]]]
    """From the module, its input's shape and the steps to the graph, and what had to be mended in it."""
    parameters: Callable[[Any], Any] = lambda module: module.parameters()


def scores(net: Net, out: torch.Tensor) -> torch.Tensor:
    return out.sum(0) if net.spikes else out.mean(0)


def train(framework: Framework, net: Net, data: "Data") -> Any:
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    module = net.build()
    optimizer = torch.optim.Adam(framework.parameters(module), lr=net.rate)
    batches = len(data.labels) // BATCH
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, net.epochs * batches)
    for epoch in range(net.epochs):
        lost, right = 0.0, 0
        for chosen in rng.permutation(len(data.labels))[: batches * BATCH].reshape(batches, BATCH):
            x = torch.from_numpy(bernoulli(data.images[chosen], data.steps, rng)).float()
            labels = torch.from_numpy(data.labels[chosen])
            given = scores(net, framework.run(module, x))
            loss = torch.nn.functional.cross_entropy(given, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            lost, right = lost + loss.item(), right + int((given.argmax(1) == labels).sum())
        print(
            f"  {epoch}: loss {lost / batches:.3f}, {right / (batches * BATCH):.3f} right", file=sys.stderr, flush=True
        )
    return module


@dataclass(frozen=True)
class Data:
    """Images to train on, and spikes to measure on; shapes as the net takes them."""

    images: Any
    labels: Any
    spikes: Any
    test_labels: Any

    @property
    def steps(self) -> int:
        return len(self.spikes)


def read_data(folder: Path, name: str, flat: bool) -> Data:
    with np.load(folder / f"{name}.npz") as packed, np.load(folder / f"{name}_train.npz") as known:
        steps, *shape = (int(n) for n in packed["shape"])
        labels, count = packed["labels"].astype(np.int64), len(packed["labels"])
        spikes = np.unpackbits(packed["spikes"], count=steps * count * int(np.prod(shape)))
        inner = (int(np.prod(shape)),) if flat else tuple(shape)
        images = known["images"].reshape(-1, *inner)
        return Data(images, known["labels"], spikes.reshape(steps, count, *inner), labels)


def measure(framework: Framework, net: Net, module: Any, data: Data) -> tuple[Any, Any]:
    """What the output gives for the first samples, `(T, 64, n)`, and every sample's scores, `(B, n)`."""
    found, shown = [], None
    with torch.no_grad():
        for start in range(0, len(data.test_labels), SHOWN):
            out = framework.run(module, torch.from_numpy(data.spikes[:, start : start + SHOWN]).float())
            shown = out.numpy().copy() if shown is None else shown
            found.append(scores(net, out).numpy())
    return shown, np.concatenate(found)


def save(framework: Framework, net: Net, folder: Path) -> None:
    start = time.perf_counter()
    data = read_data(folder, net.data, net.flat)
    module = train(framework, net, data)
    shown, given = measure(framework, net, module, data)
    graph, repairs = framework.export(module, data.spikes.shape[2:], data.steps)
    name = f"{framework.name}_{net.data}_{net.name}"
    write_graph(folder / f"{name}.nir", graph)
    kept = np.uint8 if net.spikes else np.float32
    np.savez_compressed(folder / f"{name}.npz", out=shown.astype(kept), scores=given.astype(np.float32))
    accuracy = float(np.mean(given.argmax(1) == data.test_labels))
    packages = ("nir", "nirtorch", "numpy", "torch", *framework.packages)
    about = {
        "framework": framework.name,
        "net": net.name,
        "data": net.data,
        "about": inspect.cleandoc(net.build.__doc__ or ""),
        "made_by": f"tests/trained/{Path(sys.argv[0]).name}",
        "versions": {package: importlib.metadata.version(package) for package in packages},
        "seed": SEED,
        "steps": data.steps,
        "epochs": net.epochs,
        "rate": net.rate,
        "batch": BATCH,
        "input_shape": list(data.spikes.shape[2:]),
        "output": "spikes" if net.spikes else "membrane",
        "decided_by": "argmax of " + ("the spike counts" if net.spikes else "the mean membrane") + "; ties: the lowest",
        "convention": net.convention,
        "repairs": list(repairs),
        "accuracy": accuracy,
    }
    (folder / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n")
    print(f"{name}: {accuracy:.4f} right, {time.perf_counter() - start:.0f} s", flush=True)


def write_graph(path: Path, graph: nir.NIRGraph) -> None:
    """Without compression, which makes small files larger; nir below 1.0.8 has none."""
    if "compression" in inspect.signature(nir.write).parameters:
        nir.write(path, graph, compression=None)
    else:
        nir.write(path, graph)


def serve(framework: Framework, nets: Sequence[Net]) -> None:
    """The command line of a trainer."""
    parser = argparse.ArgumentParser(description=f"Trains networks in {framework.name} and exports them.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="DATA_NET", help="all if none is named")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for net in nets:
        if not args.names or f"{net.data}_{net.name}" in args.names:
            save(framework, net, args.folder)
