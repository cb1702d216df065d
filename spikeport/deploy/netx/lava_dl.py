"""lava-dl as a witness: runs a `.net` file with its own reader, on Lava, in the Lava worker's environment."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.child import run_child
from spikeport.deploy.lava_env import LavaEnv, find_lava, prepare
from spikeport.deploy.netx.arguments import NetxArguments
from spikeport.errors import WorkerError
from spikeport.fixed import Ints

WORKER = Path(__file__).with_name("lava_dl_worker.py")


@dataclass(frozen=True, eq=False)
class LavaDlLayer:
    """One layer with neurons, in a Program's axis order."""

    s: Ints
    """`(steps, *shape)`"""
    state: Mapping[str, Ints]
    """After the last step, each `shape`, by our groups' names of variables; and the decays of resonators, `(1,)`."""


@dataclass(frozen=True, eq=False)
class LavaDlJob:
    """A file and what it is run on."""

    path: Path
    arguments: NetxArguments
    steps: int
    spikes: NDArray[np.integer] | None = None
    """`(T, *shape)` of the input, from lava-dl's first step on; without it the neurons run on `bias_mant`."""
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
    given = asdict(job.arguments)
    del given["input_bits"]
    given |= {"steps": job.steps, "reset_interval": job.arguments.reset_interval or None}
    arrays: dict[str, Any] = {"arguments": json.dumps(given)}
    if job.bias_mant is not None:
        arrays["bias_mant"] = job.bias_mant.T
    if job.spikes is not None:
        arrays["spikes"] = job.spikes.reshape(len(job.spikes), -1)
    return arrays


def _layers(path: Path) -> tuple[LavaDlLayer, ...]:
    if not path.is_file():
        raise WorkerError("lava-dl", "wrote no result")
    with np.load(path) as file:
        arrays = dict(file)
    found: list[LavaDlLayer] = []
    while f"{len(found)}/s" in arrays:
        prefix = f"{len(found)}/state/"
        state = {n.removeprefix(prefix): _turned(x, 0) for n, x in arrays.items() if n.startswith(prefix)}
        found.append(LavaDlLayer(_turned(arrays[f"{len(found)}/s"], 1), state))
    return tuple(found)


def _turned(x: Ints, lead: int) -> Ints:
    """(.., width, height, channel) to (.., channel, height, width)."""
    return x.transpose(*range(lead), *range(x.ndim - 1, lead - 1, -1)).astype(np.int64)
