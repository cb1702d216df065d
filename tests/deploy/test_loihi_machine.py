"""What a machine lacks for a Loihi 2, one thing after the other; no Lava and no board."""

from pathlib import Path

import pytest

from spikeport.deploy.loihi_machine import CLOSED, Need, chip_env, needs
from spikeport.errors import LavaMissing
from tests.deploy.test_lava import interpreter, script

SINFO = """cat <<'END'
NODELIST NODES PARTITION STATE
ncl-og-01 1 oheogulch* idle
ncl-kp-02 1 kp alloc
ncl-old-03 1 nahuku down*
END"""


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has everything: lava-loihi in an interpreter of its own, and a SLURM partition."""
    for name in ("NXSDKHOST", "BOARD"):
        monkeypatch.delenv(name, raising=False)
    python = interpreter(tmp_path / "mine" / "python", "3.10.13", "lava.magma", *CLOSED)
    script(tmp_path / "bin" / "sinfo", SINFO)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("SPIKEPORT_LAVA_PYTHON", str(python))
    monkeypatch.setenv("LOIHI_GEN", "N3B3")
    monkeypatch.setenv("PARTITION", "oheogulch")
    return tmp_path


def unmet() -> list[Need]:
    return [need for need in needs() if not need.met]


def test_a_machine_with_everything_lacks_nothing(whole: Path) -> None:
    assert unmet() == []
    env = chip_env()
    assert (env.version, env.path, env.how) == ("3.10.13", whole / "mine" / "python", "given")
    assert needs()[-1].found == "oheogulch, idle"


def test_the_first_thing_that_is_missing_is_named_and_doctor_with_it(whole: Path) -> None:
    interpreter(whole / "mine" / "python", "3.10.13", "lava.magma")
    with pytest.raises(LavaMissing) as caught:
        chip_env()
    assert str(caught.value).startswith("backend loihi: lava-loihi (-) is missing; install Intel's lava-loihi there")
    assert str(caught.value).endswith("'spikeport doctor' lists all that a chip needs")
    assert caught.value.exit_code == 2


def test_half_of_lava_loihi_is_not_lava_loihi(whole: Path) -> None:
    interpreter(whole / "mine" / "python", "3.10.13", "lava.magma", "nxcore")
    assert [(need.name, need.found) for need in unmet()] == [("lava-loihi", "nxcore")]


@pytest.mark.parametrize("version", ["3.11.7", "3.9.18", "3.1.0"])
def test_lava_loihi_is_for_python_310(whole: Path, version: str) -> None:
    interpreter(whole / "mine" / "python", version, "lava.magma", *CLOSED)
    assert [need.name for need in unmet()] == ["Python 3.10 for the chip"]


def test_an_interpreter_that_does_not_answer_has_nothing(whole: Path) -> None:
    script(whole / "mine" / "python", "exit 3")
    assert [need.name for need in unmet()] == ["Python 3.10 for the chip", "lava-nc", "lava-loihi"]


@pytest.mark.parametrize("generation", ["", "N2A2", "n3b3", "loihi2"])
def test_a_generation_is_one_of_lavas_names(whole: Path, monkeypatch: pytest.MonkeyPatch, generation: str) -> None:
    monkeypatch.setenv("LOIHI_GEN", generation)
    (need,) = unmet()
    assert need.name == "LOIHI_GEN" and "N3B2, N3B3, N3C1, N3D1" in need.do


def test_without_partition_board_or_host_no_board_is_chosen(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARTITION")
    (need,) = unmet()
    assert need.name == "board" and need.do.startswith("set NXSDKHOST to the address")


@pytest.mark.parametrize(
    ("variable", "value", "found"),
    [
        ("PARTITION", "nahuku", "nahuku, down or unknown"),
        ("PARTITION", "elsewhere", "elsewhere, down or unknown"),
        ("BOARD", "ncl-kp-02", "oheogulch, down or unknown"),  # not in this partition
    ],
)
def test_a_partition_is_one_that_sinfo_lists_and_is_up(
    whole: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, found: str
) -> None:
    monkeypatch.setenv(variable, value)
    (need,) = unmet()
    assert (need.name, need.found) == ("SLURM partition", found)
    assert need.do == "choose one that is up: sinfo lists kp, nahuku, oheogulch"


def test_a_busy_partition_is_there(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SLURM makes a run wait; the time limit ends that."""
    monkeypatch.setenv("PARTITION", "kp")
    assert unmet() == []
    assert needs()[-1].found == "kp, alloc"


def test_a_host_of_ones_own_needs_no_slurm(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NXSDKHOST", "10.0.0.7")
    monkeypatch.delenv("PARTITION")
    (whole / "bin" / "sinfo").unlink()
    assert unmet() == []
    monkeypatch.delenv("NXSDKHOST")
    assert [need.name for need in unmet()] == ["board", "SLURM partition"]


def test_a_slurm_that_does_not_answer_is_said_so(whole: Path) -> None:
    script(whole / "bin" / "sinfo", "echo 'slurm_load_partitions: Unable to contact slurm controller' >&2; exit 1")
    (need,) = unmet()
    assert need.name == "SLURM partition" and "Unable to contact slurm controller" in need.found
