"""Runs the frameworks and the tools that count: python -m tests.interop.live [NAME ...] [--write] [--nets N]

Both ways. What each framework makes of its own networks now is compared with what was recorded, value by value. And
NIR files of spikeport's own networks are read by norse, snnTorch and SpikingJelly, whose spikes must be torch's.
What the tools in `counters` count now is compared with what was recorded as well; SpikingJelly is of both kinds.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spikeport.errors import WorkerError
from tests.interop.counters.live import compare_tool, write_nets, write_tool
from tests.interop.counters.tools import TOOLS
from tests.interop.environments import FRAMEWORKS, Environment, environment
from tests.interop.nets import Net, averaging_net, clear_nets
from tests.interop.vectors import FOLDER, differences, pack, read_vectors

READERS = ("norse", "snntorch", "spikingjelly")
MEAN_READERS = ("snntorch", "spikingjelly")  # norse 1.1.0 has no AvgPool2d; none of the three has Threshold
NAMES = (*FRAMEWORKS, *(tool for tool in TOOLS if tool not in FRAMEWORKS))
NETS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description="Frameworks' networks in their frameworks, and ours in theirs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(NAMES)}")
    parser.add_argument("--write", action="store_true", help="record the vectors anew instead of comparing them")
    parser.add_argument("--nets", type=int, default=NETS, help="how many of spikeport's networks are read")
    args = parser.parse_args()
    if unknown := set(args.names) - set(NAMES):
        parser.error(f"{', '.join(sorted(unknown))}: no worker; there are {', '.join(NAMES)}")
    wrong = 0
    for lines in (*_frameworks(args), *_counters(args)):
        wrong += sum("FAILED" in line for line in lines)
        print("\n".join(lines), flush=True)
    sys.exit(wrong > 0)


def _frameworks(args: argparse.Namespace) -> Iterator[list[str]]:
    named = [framework for framework in FRAMEWORKS if framework in (args.names or NAMES)]
    reading = not args.write and set(named) & set(READERS)
    nets = list(clear_nets(args.nets)) if reading else []
    means = list(clear_nets(args.nets, averaging_net)) if reading else []
    for framework in named:
        try:
            found = environment(framework)
            lines = list(_write(found) if args.write else _compare(found))
            lines += _read(found, nets, "reads") if nets and framework in READERS else ()
            lines += _read(found, means, "reads means") if means and framework in MEAN_READERS else ()
        except WorkerError as error:
            lines = [f"{framework}: FAILED: {error}"]
        yield lines


def _counters(args: argparse.Namespace) -> Iterator[list[str]]:
    named = [tool for tool in TOOLS if tool in (args.names or NAMES)]
    if args.write and named:
        yield list(write_nets())
    for tool in named:
        try:
            yield list(write_tool(tool) if args.write else compare_tool(tool))
        except WorkerError as error:
            yield [f"{tool} counts: FAILED: {error}"]


def _write(found: Environment) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found.run("record", folder / "run")
        written = set(pack(folder / "run", folder / "packed"))
        recorded = {v.name: v for v in read_vectors() if v.framework == found.framework}
        for vector in read_vectors(folder / "packed"):
            same = recorded.get(vector.name)
            if same and same.provenance == vector.provenance and not list(differences(vector, same, folder)):
                yield f"{vector.name}: as recorded"
                continue
            FOLDER.mkdir(exist_ok=True)
            for suffix in (".npz", ".json"):
                shutil.copy(folder / "packed" / f"{vector.name}{suffix}", FOLDER)
            yield f"{vector.name}: written, {(FOLDER / vector.name).with_suffix('.npz').stat().st_size:,} bytes"
        for gone in recorded.keys() - written:
            for suffix in (".npz", ".json"):
                (FOLDER / gone).with_suffix(suffix).unlink()
            yield f"{gone}: removed"


def _compare(found: Environment) -> Iterator[str]:
    recorded = {v.name: v for v in read_vectors() if v.framework == found.framework}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found.run("record", folder / "run")
        pack(folder / "run", folder / "packed")
        now = {v.name: v for v in read_vectors(folder / "packed")}
        for vector in sorted(now.keys() | recorded.keys()):
            if vector not in recorded or vector not in now:
                yield f"{vector}: FAILED: {'not recorded' if vector in now else 'not run any more'}"
                continue
            count = sum(s.size for s in now[vector].spikes.values())
            said = "; ".join(differences(now[vector], recorded[vector], folder))
            yield f"{vector}: " + (f"FAILED: {said}" if said else f"{count} values of spikes as recorded")


def _read(found: Environment, nets: list[Net], what: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for net in nets:
            net.write(folder)
        found.run("read", folder)
        values, spikes, differing = 0, 0, 0
        for net in nets:
            with np.load(folder / f"net{net.seed}.out.npz") as arrays:
                differing += int(np.count_nonzero(arrays["spikes"] != net.spikes))
            values, spikes = values + net.spikes.size, spikes + int(net.spikes.sum())
    wrong = "FAILED: " if differing else ""
    yield f"{found.framework} {what}: {wrong}{differing} of {values} differ in {len(nets)} networks, {spikes} spikes"


if __name__ == "__main__":
    main()
