"""The reader's child without its start: h5py is loaded once, and a fork reads each file under the child's limits.

A script of `server.py`. Each line of standard input is a request of `spikeport.deploy.reader.guard.run`, with the place
of its output, `out`, and its time, `wall_s`; the answer is the exit code.
"""

import importlib.util
import json
import os
import selectors
import signal
import sys
from typing import Any


def serve(child: Any) -> None:
    import h5py  # noqa: F401  before the first fork, so that no child loads it again

    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if not pid:
            with open(request["out"], "wb") as out:
                child.confine(request["memory"], request["cpu_s"])
                child.answer(request, out)
            os._exit(0)
        with selectors.DefaultSelector() as selector:
            end = os.pidfd_open(pid)
            selector.register(end, selectors.EVENT_READ)
            if not selector.select(request["wall_s"]):
                os.kill(pid, signal.SIGKILL)
            os.close(end)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    path, *folders = sys.argv[1:]
    sys.path += folders
    spec = importlib.util.spec_from_file_location("child", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    serve(module)
