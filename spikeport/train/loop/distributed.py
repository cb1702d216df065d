"""One process or many: Lightning Fabric's devices and precision, and what keeps many equal to one.

Every process draws the same global batches and takes its part of each. A part's loss is divided by the global number
of samples and multiplied by the number of processes, because gradients are averaged: their sum is the mean over the
global batch, however uneven the parts are. The batch norms of an ANN alone take the moments of each process's part.
"""

import logging
import os
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from spikeport.errors import DeviceMissing, InputError, UnknownName
from spikeport.train.branch import Branch
from spikeport.train.layer import SpikingLayer
from spikeport.train.loop.batches import Batches, Picks

if TYPE_CHECKING:
    from lightning_fabric import Fabric

PRECISIONS = {"64": "64-true", "32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


def make_fabric(
    precision: str = "32",
    accelerator: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    wait: timedelta = timedelta(minutes=30),
) -> "Fabric":
    """Devices for a run; processes of torchrun or Slurm are found by Fabric.

    Args:
        wait: For which a process waits for another; torch's own default.

    Raises:
        InputError: devices that are not there, or 16 bits where there is no GPU.
    """
    if accelerator not in ("auto", "cpu", "cuda"):
        raise UnknownName("train", "accelerator", got=accelerator, relation="is not one of", limit="auto, cpu, cuda")
    if devices < 1 or nodes < 1:
        raise InputError("train", "devices and nodes", got=f"{devices}, {nodes}", relation="are not above", limit=0)
    processes = int(os.environ.get("WORLD_SIZE", devices * nodes))
    devices = int(os.environ.get("LOCAL_WORLD_SIZE", devices))
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    found = torch.cuda.device_count()
    if accelerator == "cuda" and found < devices:
        do = "use fewer --devices, or --accelerator cpu"
        raise DeviceMissing("train", "GPUs asked for", got=devices, relation="exceed those found", limit=found, do=do)
    if accelerator == "cpu" and precision == "16":
        do = "use bf16 or 32"
        raise DeviceMissing("train", "precision", got=precision, relation="needs", limit="a GPU", do=do)
    from lightning_fabric import Fabric  # takes a second, and nothing else of this package needs it
    from lightning_fabric.strategies.ddp import DDPStrategy

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    return Fabric(
        accelerator=accelerator,
        devices=devices,
        num_nodes=max(nodes, processes // devices),
        strategy=DDPStrategy(timeout=wait, gradient_as_bucket_view=True) if processes > 1 else "auto",
        precision=PRECISIONS[precision],  # type: ignore[arg-type]
    )


def single() -> "Fabric":
    """This process, on the CPU."""
    return make_fabric(accelerator="cpu")


def synchronise(model: nn.Module, many: bool) -> None:
    """Lets the moments of batch norm be those of the global batch, as torch's SyncBatchNorm does.

    A bias before a batch norm has no gradient, and many processes would wait for one.
    """
    for layer in model.modules():
        if isinstance(layer, SpikingLayer):
            layer.sync = many
            for branch in layer.branches:
                if many and isinstance(branch, Branch) and branch.norm is not None and branch.synapse.bias is not None:
                    branch.synapse.bias.requires_grad_(False)


def part_of(pick: Picks, fabric: "Fabric") -> Picks:
    """What this process takes of a global batch; parts differ by one sample at most."""
    return np.array_split(pick, fabric.world_size)[fabric.global_rank]


def check_parts(batches: Batches, processes: int) -> None:
    """Raises InputError for a batch that has not a sample for each process."""
    if len(batches) == 0:
        got, limit, do = batches.samples, batches.batch, "lower train.batch"
        raise InputError("train", "samples", got=got, relation="fill no batch of", limit=limit, do=do)
    if batches.smallest() < processes:
        what, got, do = "samples of the last batch", batches.smallest(), "change train.batch, or set train.drop_last"
        raise InputError("train", what, got=got, relation="are fewer than processes", limit=processes, do=do)


def total(fabric: "Fabric", sums: Tensor) -> Tensor:
    """The sum over all processes; every process must ask."""
    found = sums.clone()
    if fabric.world_size > 1:
        torch.distributed.all_reduce(found)
    return found


def agreed(fabric: "Fabric", flag: bool) -> bool:
    """Whether any process says yes; every process must ask."""
    if fabric.world_size == 1:
        return flag
    return bool(total(fabric, torch.tensor([float(flag)], device=fabric.device)).item() > 0)


def leave(fabric: "Fabric") -> None:
    """The end of a run: processes go together, so that none finds another gone."""
    if fabric.world_size > 1:
        fabric.barrier()
        torch.distributed.destroy_process_group()


def seed_step(seed: int, epoch: int, step: int, rank: int) -> None:
    """Dropout of a step from these numbers alone: a run that is taken up needs no state of a generator."""
    word = np.random.SeedSequence((seed, epoch, step, rank)).generate_state(1, np.uint64)[0]
    torch.manual_seed(int(word))
