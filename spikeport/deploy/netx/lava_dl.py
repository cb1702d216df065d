"""lava-dl as a witness: runs a `.net` file with its own reader, on Lava, in the Lava worker's environment."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.child import run_child
from spikeport.deploy.lava_env import LavaEnv, find_lava, prepare
from spikeport.deploy.netx.write import NetxArguments
from spikeport.errors import WorkerError
from spikeport.fixed import Ints

WORKER = Path(__file__).with_name("lava_dl_worker.py")


@dataclass(frozen=True, eq=False)
class LavaDlLayer:
    """One layer with neurons, in a Program's axis order."""

    s: Ints
    """`(steps, *shape)`"""
    u: Ints
    """After the last step, `shape`."""
    v: Ints


@dataclass(frozen=True, eq=False)
class LavaDlJob:
    """A file and what it is run on."""

    path: Path
    arguments: NetxArguments
    steps: int
    spikes: NDArray[np.integer] | None = None
    """`(T, *shape)` of the input; without it the input layer's neurons run on `bias_mant`."""
    bias_mant: NDArray[np.integer] | None = None
    """`(c, h, w)`, constant."""


def run_lava_dl(
    jobs: Sequence[LavaDlJob], *, timeout_s: float = 600.0, env: LavaEnv | None = None
) -> tuple[tuple[LavaDlLayer, ...], ...]:
    """All layers of each job, in the order of lava-dl's `net.layers`.

    Raises:
        LavaMissing: no interpreter can run Lava.
        WorkerError: lava-dl stopped with an error, or its time is up.
    """
    python = prepare(env or find_lava())
    with tempfile.TemporaryDirectory(prefix="spikeport-lava-dl-") as name:
        folder = Path(name)
        files = []
        for number, job in enumerate(jobs):
            np.savez(folder / f"{number}.in.npz", **_arrays(job))
            files += [job.path.resolve(), folder / f"{number}.in.npz", folder / f"{number}.out.npz"]
        run_child([python, WORKER, *files], what="lava-dl", timeout_s=timeout_s, cwd=folder)
        return tuple(_layers(folder / f"{number}.out.npz") for number in range(len(jobs)))


def _arrays(job: LavaDlJob) -> dict[str, Any]:
    interval = job.arguments.reset_interval or None
    arguments = {"steps": job.steps, "reset_interval": interval, "reset_offset": job.arguments.reset_offset}
    arrays: dict[str, Any] = {"arguments": json.dumps(arguments)}
    if job.bias_mant is not None:
        arrays["bias_mant"] = job.bias_mant.T
    if job.spikes is not None:
        arrays["spikes"] = job.spikes.reshape(len(job.spikes), -1)
    return arrays


def _layers(path: Path) -> tuple[LavaDlLayer, ...]:
    if not path.is_file():
        raise WorkerError("lava-dl", "wrote no result")
    with np.load(path) as file:
        count = len({name.split("/")[0] for name in file.files})
        return tuple(
            LavaDlLayer(_turned(file[f"{k}/s"], 1), _turned(file[f"{k}/u"], 0), _turned(file[f"{k}/v"], 0))
            for k in range(count)
        )


def _turned(x: Ints, lead: int) -> Ints:
    """(.., width, height, channel) to (.., channel, height, width)."""
    return x.transpose(*range(lead), *range(x.ndim - 1, lead - 1, -1)).astype(np.int64)
