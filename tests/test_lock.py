"""One process at a time in a folder; a lock whose holder is dead does not count."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from spikeport.errors import FileError
from spikeport.lock import NAME, locked

HOLD = """
import sys, time
from pathlib import Path
from spikeport.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_free_again_and_empty_after_use(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path):
            said = json.loads((tmp_path / NAME).read_text())
            assert said["host"] == socket.gethostname()
        assert (tmp_path / NAME).read_text() == ""


def test_a_lock_that_another_process_holds_names_it_and_falls_with_it(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(FileError) as caught, locked(tmp_path):
            pass
        host = socket.gethostname()
        do = "wait for it, or name another folder"
        assert str(caught.value) == f"{tmp_path}: is in use by (process {holder.pid} on {host}); {do}"
        holder.kill()
    assert json.loads((tmp_path / NAME).read_text())["pid"] == holder.pid
    with locked(tmp_path):
        assert json.loads((tmp_path / NAME).read_text())["pid"] != holder.pid


def test_a_lock_left_by_another_host_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"pid": 12, "host": "elsewhere"}\n')
    with pytest.raises(FileError) as caught, locked(tmp_path):
        pass
    do = f"if it no longer runs there, delete {tmp_path / NAME}"
    assert str(caught.value) == f"{tmp_path}: was left locked by (process 12 on elsewhere); {do}"
    assert (tmp_path / NAME).read_text() == '{"pid": 12, "host": "elsewhere"}\n'


@pytest.mark.parametrize("left", ["", "{", "[1]", '{"pid": 3'])
def test_what_a_kill_left_half_written_is_taken_over(left: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(left)
    with locked(tmp_path):
        assert "pid" in json.loads((tmp_path / NAME).read_text())


def test_a_lock_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(FileError, match="cannot be written"), locked(tmp_path):
        pass
