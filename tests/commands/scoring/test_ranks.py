"""How many threads each process of a score takes, and who counts as alone."""

from pathlib import Path

import pytest

from spikeport.commands.scoring import ranks as score_ranks
from spikeport.commands.scoring import score as scoring
from spikeport.commands.scoring.ranks import Alone, join, share
from spikeport.errors import SimError
from spikeport.threads import VARIABLE


@pytest.mark.parametrize(
    ("processes", "told", "environment", "threads"),
    [
        (1, None, {}, None),  # as many as there are
        (1, 3, {}, 3),
        (2, None, {}, 4),
        (3, None, {}, 2),
        (16, None, {}, 1),
        (2, 1, {}, 1),
        (2, None, {VARIABLE: "5"}, None),
        (1, None, {"WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}, 2),  # torchrun on two hosts
        (4, None, {"SLURM_NTASKS": "8"}, 1),
        (4, None, {"SLURM_NTASKS": "8", "SLURM_CPUS_PER_TASK": "3"}, 3),
        (1, None, {"SLURM_NTASKS": "2", "SLURM_CPUS_PER_TASK": "8", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}, 4),
    ],
)
def test_each_process_takes_its_share_of_eight_cores(
    processes: int, told: int | None, environment: dict[str, str], threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_ranks, "cores", lambda: 8)
    for name in (VARIABLE, "WORLD_SIZE", "LOCAL_WORLD_SIZE", "SLURM_NTASKS", "SLURM_CPUS_PER_TASK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert share(processes, 1, told) == threads


def test_one_process_of_torchrun_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert isinstance(join(1, 1, pytest.fail), Alone)


def test_hosts_without_a_common_folder_are_told_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "SEEN_S", 0)
    plan = scoring.Plan("00", 250, 5, 10, "mean", "strict", False, False)
    scoring.bind(tmp_path, plan, resume=False)
    for number in range(0, 25, 2):
        scoring.shard_path(tmp_path, number).touch()
    with pytest.raises(SimError) as caught:
        scoring._check(tmp_path, plan, [scoring.Fared("a", 1), scoring.Fared("b", 1)])
    do = "let all hosts write to one folder, and go on with --resume"
    assert str(caught.value) == f"{tmp_path}: shards (1, 3, 5, 7, 9, 11, 13, 15, 17, 19 and 2 more) are missing; {do}"
