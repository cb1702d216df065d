"""Whether the HDF5 library comes back from a file: a damaged one can crash it, or hang it for good.

`file.py` reads a `.net` file in this process, after a child has read the same data sets and lived.
"""

import tempfile
from pathlib import Path

from spikeport.deploy.netx import probe_child
from spikeport.deploy.netx.node import MAX_GZIP_RATIO
from spikeport.deploy.reader.guard import folders, grief, run
from spikeport.errors import FileUnreadable

MEMORY = 4 << 30
"""Of the child's addresses."""
SECONDS = 4
"""Of the child's core, and one more for each `BYTES_PER_S` of the file."""
BYTES_PER_S = 8 << 20


def check_readable(path: Path, name: str, *, kind: str = "netx file", do: str = "export it again with lava-dl") -> None:
    """Raises FileError, which calls the file `name`, if reading it crashes, hangs or takes too much memory.

    Args:
        kind, do: What it is to be, and what helps where it is not.
    """
    size = path.stat().st_size
    seconds = SECONDS + size // BYTES_PER_S
    request = {
        "path": str(path.absolute()),
        "folders": folders(),
        "memory": MEMORY,
        "cpu_s": seconds,
        "most_bytes": MAX_GZIP_RATIO * size,
    }
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = run(request, out, err, probe_child.__file__)
        if code:
            raise FileUnreadable(name, f"is not a readable {kind}", got=grief(code, err), do=do)
