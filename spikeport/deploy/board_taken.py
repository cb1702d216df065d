"""What is said where a board cannot be had: another run has it, or it does not answer."""

import os

from spikeport.errors import BoardTaken, WorkerError

GAVE_UP = 75
"""With which `loihi_worker.py` ends when it has waited long enough; EX_TEMPFAIL of sysexits.h."""
SIGNS = (
    "unable to allocate resources",
    "job submit/allocate failed",
    "requested nodes are busy",
    "queued and waiting for resources",
    "connection refused",
    "address already in use",
    "device or resource busy",
)
"""Of SLURM's srun and salloc (ESLURM_NODES_BUSY is one), and of the C library."""


def explained(error: WorkerError, wait_s: float) -> WorkerError:
    """The worker's error, or that the board could not be had, by whatever the worker's family said of it.

    Args:
        wait_s: How long the worker was to wait.
    """
    lines = [line.strip() for line in error.said.splitlines()]
    signs = [line for line in lines if any(sign in line.lower() for sign in SIGNS)]
    gave_up = error.relation == "with exit code" and error.limit == GAVE_UP
    if not signs and not gave_up:
        return error
    got = signs[-1] if signs else f"no answer in {wait_s:g} s"
    return BoardTaken("board", "was not given", got=got, do=_what_to_do())


def _what_to_do() -> str:
    if host := os.environ.get("NXSDKHOST"):
        return f"end the run that has {host}, or try again when it has ended; a board may also need its host restarted"
    queue = f"squeue -p {partition}" if (partition := os.environ.get("PARTITION")) else "squeue"
    return f"'{queue}' shows who has it: wait longer with --wait, or set PARTITION or BOARD to one that sinfo lists"
