"""Some hundred of the mutations that `python -m tests.deploy.reader.fuzz 10000` makes."""

from pathlib import Path

import pytest

from tests.deploy.reader import fuzz
from tests.deploy.reader.server import Server


@pytest.mark.parametrize("seed", range(3))
def test_mutated_files_give_an_error_the_sound_program_or_a_visible_change(
    seed: int, tmp_path: Path, forked: Path, server: Server
) -> None:
    found, slowest = fuzz.run(150, seed, tmp_path, server, fuzz.samples(tmp_path / "sound.nir")[::-4])
    assert slowest < fuzz.LIMIT_S
    assert found["read, the same; compiled"] > 5
    assert found["refused: FileError"] > 20
    assert found["refused: DeployError"] > 10


def test_mutated_files_in_a_child_of_their_own(tmp_path: Path, server: Server) -> None:
    """As users read them: Python and h5py start for each."""
    found, slowest = fuzz.run(
        30, 9, tmp_path, server, [fuzz.sound(tmp_path / "sound.nir", fuzz.exported(tmp_path / "x"))]
    )
    assert slowest < fuzz.LIMIT_S
    assert sum(n for what, n in found.items() if "refused" in what) > 5
