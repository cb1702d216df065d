"""Programs on a Loihi 2, and what can be tried of that without one: writes the files, starts `loihi_worker.py`."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spikeport.deploy.board_taken import explained
from spikeport.deploy.child import run_child
from spikeport.deploy.lava import Inputs, check_inputs, check_models, write_job
from spikeport.deploy.lava_env import WORKER as LAVA_WORKER
from spikeport.deploy.lava_env import LavaEnv, find_lava, prepare
from spikeport.deploy.loihi_machine import chip_env
from spikeport.deploy.maps.base import Conv as Kernel
from spikeport.deploy.maps.matrix import listed
from spikeport.errors import InputError, WorkerError
from spikeport.program import Conv, Program, Sparse

_FOR_EVER_S = 1e8
WORKER = LAVA_WORKER.with_name("loihi_worker.py")
LATE = "raise --timeout, or run fewer samples"


def run_loihi(
    program: Program,
    inputs: Inputs,
    record: Sequence[str],
    output: Path,
    *,
    power: bool = False,
    stand_ins: tuple[int, int, int] | None = None,
    timeout_s: float = 3600.0,
    wait_s: float = 600.0,
    env: LavaEnv | None = None,
) -> None:
    """Runs a Program on the chip and leaves in `output` what `loihi_worker.py` wrote.

    Args:
        record: Groups whose state is probed; spikes of outputs and of these are kept.
        power: Whether power, time and activity are measured.
        timeout_s: Limit for the worker, all in.
        wait_s: Limit for the time until the board answers, which others may have.
        stand_ins: Without a chip: steps by which inputs, outputs and probes lag on Lava's CPU runtime.

    Raises:
        LavaMissing: something that a chip needs is missing; it is named.
        DeployError, InputError, WorkerError: as `run_lava`; WorkerError too where the board is taken.
    """
    if not 0 < wait_s < _FOR_EVER_S:
        raise InputError("wait", "seconds", got=wait_s, relation="are not in", limit=f"]0, {_FOR_EVER_S:g}[")
    if env is None:
        env = chip_env() if stand_ins is None else find_lava()
    flags: list[str] = ["--wait", str(wait_s), *["--power"] * power]
    if stand_ins is not None:
        flags += ["--stand-ins", ",".join(map(str, stand_ins))]
    try:
        _work(program, inputs, record, output, flags, env, timeout_s)
    except WorkerError as error:
        raise explained(error, wait_s) from error


def dry_run(
    program: Program,
    inputs: Inputs,
    record: Sequence[str],
    *,
    power: bool = False,
    timeout_s: float = 600.0,
    env: LavaEnv | None = None,
) -> Mapping[str, Any]:
    """What a run on the chip would build, from Lava itself, with stand-ins for what is not public.

    Raises:
        As `run_loihi`, but for the machine's lack of a chip.
    """
    with tempfile.TemporaryDirectory(prefix="spikeport-loihi-") as name:
        path = Path(name) / "report.json"
        flags = ["--dry-run", *["--power"] * power]
        _work(program, inputs, record, path, flags, env or find_lava(), timeout_s)
        return json.loads(path.read_text())


def _work(
    program: Program,
    inputs: Inputs,
    record: Sequence[str],
    output: Path,
    flags: Sequence[str],
    env: LavaEnv,
    timeout_s: float,
) -> None:
    check_models(program)
    check_inputs(program, inputs)
    python = prepare(env)
    with tempfile.TemporaryDirectory(prefix="spikeport-loihi-") as name:
        folder = Path(name)
        given, x, _ = write_job(folder, 0, without_delayed_kernels(program), inputs)
        command: list[str | Path] = [python, WORKER, given, x, output.absolute(), "--record", ",".join(record), *flags]
        samples = next(iter(inputs.values())).shape[1]
        run_child(command, what="loihi worker", timeout_s=timeout_s, cwd=folder, extra=LATE, samples=samples)
    if not output.is_file():
        raise WorkerError("loihi worker", "wrote no result")


def without_delayed_kernels(program: Program) -> Program:
    """The same network, its convolutions with a delay as listed synapses: no convolution of Lava has delays.

    Weights of 0 are left out. Sums stay the same, but for Lava's convolution keeping a sum in 24 bits.
    """
    connections = tuple(_listed(program, c) if isinstance(c, Conv) and c.delay else c for c in program.connections)
    return replace(program, connections=connections)


def _listed(program: Program, conv: Conv) -> Sparse:
    source, target = program.shape_of(conv.source), program.shape_of(conv.target)
    weight, places = conv.weight.astype(np.float64), (np.arange(target[1]), np.arange(target[2]))
    geometry = (conv.stride, conv.padding, conv.dilation, conv.groups)
    values, (row, col) = listed(Kernel(weight, *geometry, source, target), *places)  # type: ignore[arg-type]
    given = (conv.weight_exp, conv.delay, conv.graded, conv.port)
    return Sparse(conv.source, conv.target, row, col, values.astype(np.int64), *given)
