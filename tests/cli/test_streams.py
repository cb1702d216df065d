"""Standard input and output as they may be: closed, of another encoding, a device; in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spikeport.program_file import save_program
from tests.errors.provoked.small import program

SHELL = f'"{sys.executable}" -m spikeport'


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **variables}
    return subprocess.run(["bash", "-c", line], capture_output=True, env=environment, timeout=120)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"])
def test_what_is_closed_is_no_error(closed: str) -> None:
    ran = shell(f"{SHELL} profiles cmos45-int8 {closed}")
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_an_error_has_its_exit_code_where_nothing_can_be_said() -> None:
    assert shell(f"{SHELL} profiles nothing >&- 2>&-").returncode == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_letters_that_an_encoding_lacks_are_spelt_out(encoding: str) -> None:
    ran = shell(f"{SHELL} energy dalif-cifar100", LC_ALL="C", PYTHONIOENCODING=encoding)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert {"ascii": b"992 \\xb5J", "latin-1": "992 µJ".encode("latin-1")}[encoding] in ran.stdout


def test_a_file_may_be_standard_output(tmp_path: Path) -> None:
    save_program(program(), tmp_path / "net.h5")
    for name in ("/dev/fd/1", tmp_path / "cores.csv"):
        ran = shell(f"{SHELL} map '{tmp_path}/net.h5' --csv '{name}' --json")
        assert (ran.returncode, ran.stderr) == (0, b"")
    assert (tmp_path / "cores.csv").read_bytes() in shell(f"{SHELL} map '{tmp_path}/net.h5' --csv /dev/fd/1").stdout
