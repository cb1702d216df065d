"""Programs on Lava: writes the files, starts the worker, reads what it found.

Lava never shares this interpreter; see `lava_env.py` for where it runs and `lava_worker.py` for what it does.
"""

import json
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.child import run_child
from spikeport.deploy.lava_env import WORKER, LavaEnv, find_lava, prepare
from spikeport.errors import NoLavaForm, UnknownName, WorkerError, WrongShape
from spikeport.program import LIF, Program
from spikeport.program_file import save_program
from spikeport.trace import Trace

Inputs = Mapping[str, NDArray[Any]]
Mode = Literal["models", "runtime"]


@dataclass(frozen=True, eq=False)
class LavaRun:
    """What Lava made of one Program and its inputs."""

    traces: Mapping[str, Trace]
    """Every neuron group, in hardware time from step 1; in mode `runtime` with the last step's state only, but for v
    that an output reads."""
    env: LavaEnv
    versions: Mapping[str, str]
    """Of python, numpy, scipy and lava-nc, as the worker saw them."""
    wall_s: float
    """Time that the worker took, with all its jobs and the import of Lava."""

    def describe(self) -> str:
        """One line: what ran, on which interpreter, for how long."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"Lava ran in {self.wall_s:.1f} s on {versions} ({self.env.how})"


def run_lava(
    program: Program,
    inputs: Inputs,
    *,
    mode: Mode = "models",
    timeout_s: float = 600.0,
    env: LavaEnv | None = None,
    worker: Path = WORKER,
) -> LavaRun:
    """Runs one Program on Lava.

    Args:
        inputs: For each input of the Program integers `(T, B, *shape)`.
        mode: `models` calls Lava's process models in one process; `runtime` runs Lava's own runtime.
        timeout_s: Limit for the worker; the making of its environment has its own.
        env: Where to run; what `find_lava` finds if None.

    Raises:
        DeployError: Lava has no fixed-point model of one of the groups, or the Program's profile is `loihi1`.
        LavaMissing: no interpreter can run Lava.
        WorkerError: the worker failed or its time is up.
    """
    return run_lava_jobs([(program, inputs)], mode=mode, timeout_s=timeout_s, env=env, worker=worker)[0]


def run_lava_jobs(
    jobs: Sequence[tuple[Program, Inputs]],
    *,
    mode: Mode = "models",
    timeout_s: float = 600.0,
    env: LavaEnv | None = None,
    worker: Path = WORKER,
) -> tuple[LavaRun, ...]:
    """As `run_lava`, for many Programs with one start of the worker."""
    for program, inputs in jobs:
        check_models(program)
        check_inputs(program, inputs)
    env = env or find_lava()
    python = prepare(env)
    with tempfile.TemporaryDirectory(prefix="spikeport-lava-") as name:
        folder = Path(name)
        files = [file for number, job in enumerate(jobs) for file in write_job(folder, number, *job)]
        start = time.perf_counter()
        run_child(
            [python, worker, "--mode", mode, *files],
            what="lava worker",
            timeout_s=timeout_s,
            cwd=folder,
            extra="raise the time limit, or run fewer samples",
            samples=sum(next(iter(inputs.values())).shape[1] for _, inputs in jobs),
        )
        wall_s = time.perf_counter() - start
        return tuple(_read_run(folder / f"{n}.out.npz", program, env, wall_s) for n, (program, _) in enumerate(jobs))


def check_models(program: Program) -> None:
    """Lava has fixed-point models of these kinds, but not with everything that a chip can do, and one arithmetic."""
    if program.profile == "loihi1":
        do = "give it the profile 'lava', which differs where a value leaves a Loihi 1's words"
        raise NoLavaForm("program", "profile", got="loihi1", relation="is not the arithmetic of", limit="Lava", do=do)
    for group in program.groups:
        if not isinstance(group, LIF):
            continue
        for what, lacking in (
            ("refractory_steps", group.refractory_steps > 0),
            ("soft reset", group.reset == "subtract"),
            ("reset_interval together with vth_low", group.vth_low is not None and group.reset_interval > 0),
        ):
            if lacking:
                do = "simulate it: no model of Lava can say what it does"
                raise NoLavaForm(group.name, what, relation="has no fixed-point model in", limit="Lava", do=do)


def check_inputs(program: Program, inputs: Inputs) -> None:
    expected = {entry.name: entry.shape for entry in program.inputs}
    if set(inputs) != set(expected):
        raise UnknownName("input", "names", got=", ".join(inputs), relation="are not", limit=", ".join(expected))
    lengths = {x.shape[:2] for x in inputs.values()}
    for name, x in inputs.items():
        if x.dtype.kind not in "iub" or x.shape[2:] != expected[name] or 0 in x.shape or len(lengths) != 1:
            limit = f"integers (T, B, {', '.join(map(str, expected[name]))})"
            raise WrongShape(f"input {name}", "array", got=f"{x.dtype} {x.shape}", relation="is not", limit=limit)


def write_job(folder: Path, number: int, program: Program, inputs: Inputs) -> list[str]:
    names = [f"{number}.h5", f"{number}.in.npz", f"{number}.out.npz"]
    save_program(program, folder / names[0])
    with zipfile.ZipFile(folder / names[1], "w") as file:  # not np.savez: it takes no input of the name "file"
        for name, x in inputs.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, x, allow_pickle=False)
    return names


def _read_run(path: Path, program: Program, env: LavaEnv, wall_s: float) -> LavaRun:
    if not path.is_file():
        raise WorkerError("lava worker", "wrote no result")
    with np.load(path) as file:
        traces = {
            g.name: Trace({k: file[f"{g.name}/{k}"] for k in g.variables}, file[f"{g.name}/s"]) for g in program.groups
        }
        meta = json.loads(str(file["meta"]))
    versions = {name: version for name, version in meta.items() if name != "mode"}
    return LavaRun(traces, env, versions, wall_s)
