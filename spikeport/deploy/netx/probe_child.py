"""Reads every data set of an HDF5 file in a process of its own, and gives nothing back but its exit code.

A script: `probe.py` runs it as `python -I -S probe_child.py REQUEST`, and nothing else of spikeport is imported.
"""

import json
import sys
from typing import Any


def main() -> None:
    request = json.loads(sys.argv[1])
    sys.path += request["folders"]
    limit(request["memory"], request["cpu_s"])
    import h5py

    with h5py.File(request["path"], "r") as file:
        walk(file, request["most_bytes"], h5py)


def walk(group: Any, most_bytes: int, h5py: Any, depth: int = 0) -> None:
    """As `node.py` looks at a file: hard links only, and no array that is larger than the file can hold."""
    if depth > 8:
        return
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        item = group.get(name)
        if isinstance(item, h5py.Group):
            walk(item, most_bytes, h5py, depth + 1)
        elif isinstance(item, h5py.Dataset) and item.shape is not None and not item.external and not item.is_virtual:
            if item.nbytes <= most_bytes:
                item[()]


def limit(memory: int, cpu_s: int) -> None:
    """Bytes of addresses and seconds of a core, where the platform can limit them."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # what h5py raises here it raises in the parent as well, where it becomes words
        print(type(error).__name__, file=sys.stderr)
