"""Runs the tools on the recorded networks, and compares what they count with what was recorded, or records it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.interop.counters.mapped import write_mapped
from tests.interop.counters.nets import Net, draw_nets, program_of, read_net
from tests.interop.counters.records import FOLDER, NETS, differences, read_record
from tests.interop.counters.tools import TOOLS


def write_nets() -> Iterator[str]:
    """Draws the networks, and replaces those that are not as recorded."""
    NETS.mkdir(parents=True, exist_ok=True)
    for net in draw_nets():
        path = NETS / f"{net.name}.json"
        same = path.exists() and _equal(net, read_net(path))
        if not same:
            net.write(NETS)
        yield f"net {net.name}: {'as recorded' if same else 'written'}"


def _equal(a: Net, b: Net) -> bool:
    if (a.about, a.layers) != (b.about, b.layers) or a.arrays.keys() != b.arrays.keys():
        return False
    return all(np.array_equal(a.arrays[key], b.arrays[key]) for key in a.arrays)


def compare_tool(tool: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = _run(tool, Path(name))
        for net in TOOLS[tool].nets:
            found = read_record(tool, net, folder)
            said = "; ".join(differences(found, read_record(tool, net)))
            spikes = sum(s.size for s in found.spikes.values())
            yield f"{tool} counts {net}: " + (f"FAILED: {said}" if said else f"as recorded, {spikes} values of spikes")


def write_tool(tool: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = _run(tool, Path(name))
        (FOLDER / tool).mkdir(parents=True, exist_ok=True)
        for net in TOOLS[tool].nets:
            found, kept = folder / tool / f"{net}.json", FOLDER / tool / f"{net}.json"
            same = kept.exists() and not list(differences(read_record(tool, net, folder), read_record(tool, net)))
            if not same:
                for suffix in (".json", ".npz"):
                    shutil.copy(found.with_suffix(suffix), kept.with_suffix(suffix))
            yield f"{tool} counts {net}: {'as recorded' if same else 'written'}"


def _run(tool: str, folder: Path) -> Path:
    """A folder of what the tool made now, in the form of the vectors'."""
    (folder / "given").mkdir()
    for name in TOOLS[tool].nets:
        net = read_net(NETS / f"{name}.json")
        if TOOLS[tool].mapped:
            write_mapped(folder / "given", name, program_of(net), net.x)
        else:
            net.write(folder / "given")
    TOOLS[tool].run(folder / "given")
    (folder / tool).mkdir()
    for path in sorted((folder / "given").glob("*.out.*")):
        shutil.move(path, folder / tool / path.name.replace(".out", ""))
    return folder
