"""The command as it is started, in this process or in one of its own, and what comes of it."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from spikeport import cli


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Strict JSON: without NaN, which many readers refuse."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def spikeport(*arguments: object) -> Ran:
    """Runs `main` in this process, as the installed command does."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["spikeport", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        with pytest.raises(SystemExit) as caught:
            cli.main()
    code = caught.value.code
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())


def done(*arguments: object) -> Ran:
    ran = spikeport(*arguments)
    assert ran.code == 0, ran.err
    return ran


def in_child(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own, with `environment` beside this one's."""
    command = [sys.executable, "-m", "spikeport", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300)


def listing(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"" for p in sorted(folder.rglob("*"))}
