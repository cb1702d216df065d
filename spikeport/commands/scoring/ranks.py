"""The processes of a score, on one host or many: alone, or Lightning Fabric's, whoever launched them.

They share nothing but a folder. What goes between them is small: what the first one found at the start, and how each
one fared at the end.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from spikeport.errors import InputError, SimError
from spikeport.threads import VARIABLE, cores

if TYPE_CHECKING:
    from lightning_fabric import Fabric

LONGEST = timedelta(days=30)
"""For which a process waits for the last one."""
LAUNCHER = "SPIKEPORT_LAUNCHER"
"""In the environment of processes that were launched: the pid of the one that did."""
LOOK_S = 0.1
_T = TypeVar("_T")


class Ranks(Protocol):
    """The processes, seen from one of them."""

    rank: int
    world: int

    def told(self, value: _T) -> _T:
        """The first process's value, in all."""
        ...

    def all(self, value: _T) -> list[_T]:
        """The values of all processes, in all; the slowest is waited for."""
        ...

    def leave(self) -> None: ...


@dataclass
class Alone:
    """One process, without torch."""

    rank: int = 0
    world: int = 1

    def told(self, value: _T) -> _T:
        return value

    def all(self, value: _T) -> list[_T]:
        return [value]

    def leave(self) -> None:
        pass


class Together:
    """The processes of a Fabric that has been launched."""

    def __init__(self, fabric: "Fabric", lost: Callable[[int], None]) -> None:
        self.rank, self.world = fabric.global_rank, fabric.world_size
        if children := getattr(fabric.strategy.launcher, "procs", []):
            _beside(_watch_children, children, lost)

    def told(self, value: _T) -> _T:
        held: list[Any] = [value]
        self._exchange(lambda group: group.broadcast_object_list(held))
        return held[0]

    def all(self, value: _T) -> list[_T]:
        held: list[Any] = [None] * self.world
        self._exchange(lambda group: group.all_gather_object(held, value))
        return held

    def leave(self) -> None:
        import torch

        torch.distributed.destroy_process_group()

    def _exchange(self, exchange: Callable[[Any], None]) -> None:
        import torch

        try:
            exchange(torch.distributed)
        except RuntimeError as error:
            do = "go on with --resume"
            raise SimError("score", "a process was lost", got=str(error).splitlines()[0][:100], do=do) from error


def join(processes: int, nodes: int, lost: Callable[[int], None]) -> Ranks:
    """Launches the processes, or finds those of torchrun or Slurm.

    Args:
        processes: On this host.
        lost: Called in the first process, from a thread, with the exit code of one that it launched and that died.
    """
    if not _many(processes, nodes):
        return Alone()
    from spikeport.train import make_fabric

    if os.environ.get("LOCAL_RANK", "0") != "0":
        _beside(_watch_parent, int(os.environ.get(LAUNCHER, os.getppid())))
    else:
        os.environ[LAUNCHER] = str(os.getpid())
    fabric = make_fabric(accelerator="cpu", devices=processes, nodes=nodes, wait=LONGEST)
    fabric.launch()
    return Together(fabric, lost)


def share(processes: int, nodes: int, told: int | None) -> int | None:
    """Threads of each process: what was told, else its share of the host's cores; None for one process.

    Slurm's tasks are told theirs, and may be bound to them.

    Raises:
        InputError: numbers that cannot be.
    """
    if processes < 1 or nodes < 1:
        got = f"{processes}, {nodes}"
        raise InputError("score", "processes and nodes", got=got, relation="are not above", limit=0)
    if told is not None and told < 1:
        raise InputError("score", "threads", got=told, relation="are not above", limit=0)
    if told is not None or VARIABLE in os.environ or not _many(processes, nodes):
        return told
    if "LOCAL_WORLD_SIZE" not in os.environ and int(os.environ.get("SLURM_NTASKS", 1)) > 1:
        return int(os.environ.get("SLURM_CPUS_PER_TASK", 1))
    return max(1, cores() // int(os.environ.get("LOCAL_WORLD_SIZE", processes)))


def _many(processes: int, nodes: int) -> bool:
    return processes * nodes > 1 or int(os.environ.get("WORLD_SIZE", 1)) > 1


def _beside(function: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()


def _watch_parent(pid: int) -> None:
    """Ends this process when the one that launched it is gone; it would compute for nobody, or wait for ever."""
    while os.getppid() == pid:
        time.sleep(LOOK_S)
    os._exit(1)


def _watch_children(children: Any, lost: Callable[[int], None]) -> None:
    """Until all are done, or one has died: then the others are ended too."""
    codes = [None]
    while None in codes:
        time.sleep(LOOK_S)
        codes = [child.poll() for child in children]
        if code := next(filter(None, codes), None):
            for child in children:
                child.kill()
            lost(code)
            return
