"""A machine that looks as if lava-loihi were on it: Lava's interpreter, with the stand-ins where Intel's modules are.

What a board needs can be taken away again, one thing at a time.
"""

from dataclasses import dataclass
from pathlib import Path

from spikeport.deploy.lava_env import prepare
from tests.deploy.test_lava import script
from tests.lava import lava_or_skip

BOARD = """
import os, socket, subprocess
import chip_standins  # of the worker, whose folder comes first
from lava_classes import LAVA
chip_standins.load(1, 2, 1)
class HwCfg(LAVA.Loihi2HwCfg):
    def __init__(self, **options):
        if os.environ.get("SLURM") and subprocess.Popen(["srun", "nx_driver_server"]).wait():
            raise RuntimeError("no driver")
        if "DRIVER_PORT" in os.environ:
            socket.create_connection((os.environ["NXSDKHOST"], int(os.environ["DRIVER_PORT"])))
        super().__init__(**options)
import lava.magma.core.run_configs
lava.magma.core.run_configs.Loihi2HwCfg = HwCfg
"""
PROFILER = """
import fake_board
import numpy as np
class Loihi2Power:
    def __init__(self, num_steps):
        self.total_power = np.full(num_steps, 2.0)
        self.vdd_power = np.full(num_steps, 1.5)
        self.static_total_power = 1.25
        self.time_stamp = np.arange(num_steps)
class Loihi2ExecutionTime:
    execution_time_per_step = np.array([10.0, 30.0])  # microseconds
class Loihi2Activity:
    chip_idx, core_idx = np.array([0, 0]), np.array([3, 7])
    syn_ops = np.array([100, 11])
"""
SINFO = """case "$1" in
-N) echo NODELIST NODES PARTITION STATE; echo ncl-kp-02 1 kp alloc;;
*) echo PARTITION AVAIL TIMELIMIT NODES STATE NODELIST; echo kp up infinite 1 alloc ncl-kp-02;;
esac"""
MODULES = {
    "fake_board.py": BOARD,
    "nxcore/__init__.py": "",
    "lava/proc/embedded_io/__init__.py": "",
    "lava/proc/embedded_io/spike.py": "from fake_board import LAVA\nglobals().update(vars(LAVA))\n",
    "lava/utils/loihi2_state_probes.py": "from fake_board import LAVA\nStateProbe = LAVA.StateProbe\n",
    "lava/utils/loihi2_profiler.py": PROFILER,
}


@dataclass(frozen=True)
class Machine:
    """Where its files are."""

    root: Path

    def on_a_cluster(self, srun: str) -> dict[str, str]:
        """Of a process that runs there; the board comes from SLURM, by a script of that text."""
        script(self.root / "bin" / "sinfo", SINFO)
        script(self.root / "bin" / "srun", srun)
        return {**self.environment, "NXSDKHOST": "", "BOARD": "", "PARTITION": "kp"}

    @property
    def environment(self) -> dict[str, str]:
        """Of a process that runs there: a board of one's own."""
        path = f"{self.root / 'bin'}:/usr/bin:/bin"
        python = str(self.root / "bin" / "python3.10")
        return {"PATH": path, "SPIKEPORT_LAVA_PYTHON": python, "LOIHI_GEN": "N3C1", "NXSDKHOST": "10.0.0.7"}


def fake_machine(root: Path) -> Machine:
    """Skips the test where there is no Lava."""
    python = prepare(lava_or_skip(download=False))
    for name, text in MODULES.items():
        path = root / "modules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "bin").mkdir()
    script(root / "bin" / "python3.10", f'PYTHONPATH={root / "modules"} exec {python} "$@"')
    script(root / "bin" / "ping", "echo 1 received")
    return Machine(root)
