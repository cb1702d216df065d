"""Two processes give what one gives; what cannot be parted is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spikeport.errors import InputError
from spikeport.train import make_fabric
from spikeport.train.loop.batches import Batches
from spikeport.train.loop.distributed import check_parts, part_of, seed_step

WORKER = Path(__file__).parent / "worker.py"


def trained(processes: int, folder: Path, precision: str, kind: str) -> dict[str, Any]:
    out = folder / f"{processes}.pt"
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes))
    ran = subprocess.run(
        [sys.executable, *launch, str(WORKER), str(out), precision, kind], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return torch.load(out, weights_only=True)


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["none", "norm"])
def test_two_processes_give_the_weights_of_one(tmp_path: Path, norm: str) -> None:
    """Eight steps in float64, the parts of a batch uneven, with clipping, decay and all terms of the loss."""
    one, two = (trained(processes, tmp_path, "64", norm) for processes in (1, 2))
    for name, tensor in one["weights"].items():
        assert torch.allclose(tensor, two["weights"][name], rtol=0, atol=1e-10), name
    for ours, theirs in zip(json.loads(one["history"]), json.loads(two["history"]), strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], abs=1e-10)
        assert (ours["accuracy"], ours["selected"]) == (theirs["accuracy"], theirs["selected"])
        assert [x["rate"] for x in ours["layers"]] == [x["rate"] for x in theirs["layers"]]
        assert ours["sops"] == theirs["sops"]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["esvae", "taid"])
def test_two_processes_give_the_autoencoder_of_one(tmp_path: Path, model: str) -> None:
    """Also where the loss is no mean over samples: the MMD of ESVAE, of weight 1/2 here, is that of all rates."""
    one, two = (trained(processes, tmp_path, "64", model) for processes in (1, 2))
    for name, tensor in one["weights"].items():
        assert torch.allclose(tensor, two["weights"][name], rtol=0, atol=1e-9), name
    for ours, theirs in zip(json.loads(one["history"]), json.loads(two["history"]), strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], abs=1e-9)
        assert ours["parts"] == pytest.approx(theirs["parts"], abs=1e-9)
        assert ours["selected"] == pytest.approx(theirs["selected"], abs=1e-9)
        assert [x["rate"] for x in ours["layers"]] == [x["rate"] for x in theirs["layers"]]


class Rank:
    def __init__(self, rank: int, processes: int) -> None:
        self.global_rank, self.world_size = rank, processes


@pytest.mark.parametrize(("samples", "processes"), [(9, 2), (3, 3), (10, 4), (5, 1)])
def test_parts_are_all_of_a_batch_and_even(samples: int, processes: int) -> None:
    pick = np.random.default_rng(0).permutation(samples)
    parts = [part_of(pick, Rank(rank, processes)) for rank in range(processes)]  # type: ignore[arg-type]
    assert np.array_equal(np.concatenate(parts), pick)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_batch_with_fewer_samples_than_processes_is_refused() -> None:
    check_parts(Batches(10, 4, 0), 2)
    check_parts(Batches(10, 4, 0, drop_last=True), 4)
    with pytest.raises(InputError) as caught:
        check_parts(Batches(10, 4, 0), 3)
    assert str(caught.value) == (
        "train: samples of the last batch (2) are fewer than processes 3; change train.batch, or set train.drop_last"
    )
    with pytest.raises(InputError) as caught:
        check_parts(Batches(10, 20, 0, drop_last=True), 1)
    assert str(caught.value) == "train: samples (10) fill no batch of 20; lower train.batch"


def test_dropout_differs_by_seed_epoch_step_and_process_and_by_nothing_else() -> None:
    seen = []
    for place in [(0, 1, 0, 0), (1, 1, 0, 0), (0, 2, 0, 0), (0, 1, 1, 0), (0, 1, 0, 1), (0, 1, 0, 0)]:
        seed_step(*place)
        seen.append(tuple(torch.rand(3).tolist()))
    assert seen[0] == seen[-1]
    assert len(set(seen)) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"accelerator": "tpu"}, "train: accelerator (tpu) is not one of auto, cpu, cuda"),
        ({"devices": 0}, "train: devices and nodes (0, 1) are not above 0"),
        ({"precision": "16", "accelerator": "cpu"}, "train: precision (16) needs a GPU; use bf16 or 32"),
        (
            {"accelerator": "cuda", "devices": 99},
            f"train: GPUs asked for (99) exceed those found {torch.cuda.device_count()}; use fewer --devices, or"
            " --accelerator cpu",
        ),
    ],
)
def test_devices_that_are_not_there_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make_fabric(**arguments)
    assert str(caught.value) == message
