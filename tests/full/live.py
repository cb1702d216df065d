"""The papers' networks in their full size, all the way: python -m tests.full.live [NET ...]

Random images give the norms their statistics. Then a net goes through the files that the commands write: export,
compile, check, simulate; and every layer is held against torch's eval mode, neuron by neuron and step by step.
One thread; all of it takes six to eight minutes. Exit 1 if anything differs.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spikeport.commands.compiling.compile import check
from spikeport.deploy import compile_graph
from spikeport.errors import SpikeportError
from spikeport.export import to_nir, write_nir
from spikeport.program import Program
from spikeport.program_file import load_program, save_program
from spikeport.sim import simulate
from spikeport.train.models import Source
from tests.full.stages import stage
from tests.full.way import Layer, compared, firing, images, run_torch, shown, with_statistics


@dataclass(frozen=True)
class Net:
    model: str
    source: tuple[int, int, int]
    classes: int
    options: Mapping[str, object] = field(default_factory=dict)


NETS = {
    "resnet18": Net("resnet18", (3, 224, 224), 1000),
    "resnet34": Net("resnet34", (3, 224, 224), 1000),
    "resnet19": Net("resnet19", (3, 32, 32), 10),
    "resnet20": Net("resnet20", (3, 32, 32), 10),
    "vgg16": Net("vgg16", (3, 32, 32), 10),
    "alif_mnist": Net("alif_net", (1, 28, 28), 10),
    "alif_cifar10": Net("alif_net", (3, 32, 32), 10, {"channels": 256, "convs": 3}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Takes the papers' networks the whole way, in their full size.")
    parser.add_argument("nets", nargs="*", metavar="NET", help=f"some of {', '.join(NETS)}")
    args = parser.parse_args()
    if unknown := set(args.nets) - set(NETS):
        parser.error(f"{', '.join(sorted(unknown))}: no such net; there are {', '.join(NETS)}")
    names = args.nets or list(NETS)
    if len(names) == 1:
        differing = [name for name in names if any(layer.differ for layer in whole_way(name))]
    else:
        differing = [name for name in names if not _alone(name)]
    if differing:
        sys.exit(f"failed, or differ from torch: {', '.join(differing)}")


def _alone(name: str) -> bool:
    """Whether a net comes through without a difference, in a process of its own, so that its peak is its own."""
    return subprocess.run([sys.executable, "-m", "tests.full.live", name]).returncode == 0


def whole_way(name: str) -> list[Layer]:
    """Prints what each stage costs, and how each layer compares."""
    net, source = NETS[name], Source(NETS[name].source)
    print(f"{name}: {net.model} on {net.source}, {net.classes} classes {dict(net.options) or ''}", flush=True)
    with stage("build"):
        module = with_statistics(net.model, source, net.classes, **net.options)
        x = images(source, 1)
    with stage("torch"):
        sent, y = run_torch(module, x)
    with tempfile.TemporaryDirectory() as folder:
        nir_file, program_file = Path(folder) / "net.nir", Path(folder) / "net.h5"
        with stage("export"):
            write_nir(to_nir(module, x), nir_file)
        with stage("compile"):
            save_program(compile_graph(nir_file), program_file)
        with stage("check"):
            checked = check(program_file, "loihi2", {}).data
        with stage("load"):
            program = load_program(program_file)
    with stage("simulate"):
        run = simulate(program, shown(module, x), record=firing(program))
    layers = compared(module, program, run, sent, y)
    for line in table(layers):
        print(f"  {line}")
    print("  " + told(checked, program), flush=True)
    return layers


def table(layers: list[Layer]) -> list[str]:
    return [f"{x.name:<9} {x.values:>11,} values, mean {x.mean:7.4f}, {x.differ} differ" for x in layers]


def told(checked: Mapping[str, Any], program: Program) -> str:
    """What `check` says, in a line."""
    proven = sum(layer["proven"] for layer in checked["overflow"])
    cores = sum(layer["cores"] for layer in checked["cores"])
    broken = sorted({violation["id"] for violation in checked["violations"]})
    return (
        f"{sum(g.size for g in program.groups):,} neurons on {cores:,} cores; {proven} of {len(program.groups)} layers "
        f"cannot overflow; over a chip's limits: {', '.join(broken) or 'nothing'}"
    )


if __name__ == "__main__":
    try:
        main()
    except SpikeportError as error:
        sys.exit(str(error))
