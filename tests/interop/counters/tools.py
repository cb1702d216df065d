"""The tools that count operations, each in an environment of its own (`tests/interop/environments.py`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikeport.deploy.child import run_child
from tests.interop.environments import PACKAGES, TIMEOUT_S, TORCH, python_with


@dataclass(frozen=True)
class Tool:
    name: str
    packages: tuple[str, ...]
    """Installed without what they ask for."""
    nets: tuple[str, ...]
    """The networks that it counts."""
    torch: str = TORCH
    mapped: bool = False
    """Whether it gets neurons on cores (`mapped.py`), and not layers (`nets.py`)."""

    def run(self, folder: Path) -> None:
        """Raises WorkerError if it cannot be installed or fails; the message is the last line."""
        worker = Path(__file__).with_name(f"{self.name}_worker.py")
        python = python_with(self.name, self.packages, self.torch)
        run_child([python, "-W", "ignore", worker, folder], what=f"{self.name} counts", timeout_s=TIMEOUT_S)


SPIKING = ("conv", "padded", "dense")
ALL = (*SPIKING, "ternary", "graded", "border")
_NEUROBENCH = ("neurobench==2.3.0", "snntorch==1.0.0", "tonic==1.7.0", "numba==0.68.1", "llvmlite==0.50.0")
_SYOPS = ("syops==0.0.5", "spikingjelly==0.0.0.0.14", "progress==1.6.1", "scipy==1.17.1")  # none later has its neurons
TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("spikingjelly", PACKAGES["spikingjelly"], ALL),
        Tool("neurobench", (*_NEUROBENCH, "numpy==2.4.6", "tqdm==4.70.1"), ALL),
        Tool("sanafe", ("sanafe==2.2.9", "numpy==2.4.6"), SPIKING, torch="", mapped=True),
        Tool("syops", (*_SYOPS, "numpy==2.4.6", "tqdm==4.70.1"), ALL),
    )
}
