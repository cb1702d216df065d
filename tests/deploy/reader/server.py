"""Thousands of files through the reader's child: `serve.py` in place of a start of Python for each."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from spikeport.deploy.reader import child, guard


class Server:
    """`run` takes the place of `guard.run`."""

    def __init__(self, folder: Path) -> None:
        script = str(Path(__file__).with_name("serve.py"))
        command = [sys.executable, "-I", "-S", script, child.__file__, *guard.folders()]
        self.out = folder / "out"
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **guard.ENV}, text=True
        )

    def run(self, request: dict[str, Any], out: IO[bytes], err: IO[bytes]) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({**request, "out": str(self.out), "wall_s": guard.wall_s(request)}) + "\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        out.write(self.out.read_bytes())
        out.flush()
        return code

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
