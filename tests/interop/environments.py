"""An environment for each framework: their pins of nir, up to 1.0.4 and from 1.0.7 on, fit into no single one.

    python -m tests.interop.environments     makes them all, in the cache folder, and says what cannot be installed

Each has torch and what torch asks for. Everything else is named with its version and installed without dependencies:
what the frameworks ask for beyond that is not needed here, or not to be had (`LEFT_OUT`).
"""

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spikeport.deploy.child import run_child
from spikeport.deploy.lava_env import cache_folder
from spikeport.errors import WorkerError

TORCH = "torch==2.13.0"
COMMON = ("h5py==3.16.0", "numpy==2.4.6")
NIR_NOW = ("nir==1.0.8", "nirtorch==2.6")
NIR_THEN = ("nir==1.0.4", "nirtorch==2.0.2")  # the last nirtorch that runs with this nir
PLOTS = (
    "contourpy==1.3.3",
    "cycler==0.12.1",
    "fonttools==4.68.0",
    "kiwisolver==1.5.1",
    "matplotlib==3.11.2",
    "packaging==26.3",
    "pillow==13.0.0",
    "pyparsing==3.3.3",
    "python-dateutil==2.9.0.post0",
    "six==1.17.0",
)
PACKAGES = {
    "norse": ("norse==1.1.0", *NIR_NOW, *COMMON),
    "snntorch": ("snntorch==1.0.0", *NIR_NOW, *COMMON),
    "spikingjelly": ("spikingjelly==2.0.0", "loguru==0.7.3", "scipy==1.17.1", "tqdm==4.70.1", *NIR_NOW, *COMMON),
    "sinabs": ("sinabs==3.1.3", "pbr==7.1.3", *PLOTS, *NIR_THEN, *COMMON),
    "rockpool": ("rockpool==3.1.0", "scipy==1.17.1", *NIR_THEN, *COMMON),
}
LEFT_OUT = {
    "norse": "torchvision, which has no build for the CPU build of this torch; norse.torch does not import it",
    "snntorch": "nothing",
    "spikingjelly": "torchvision and torchaudio, as for norse; tensorboard, requests and SciencePlots, not needed",
    "sinabs": "samna, a driver of SynSense's chips: sinabs.layers and sinabs.nir do not import it",
    "rockpool": "nothing",
}
FRAMEWORKS = tuple(PACKAGES)
TIMEOUT_S = 1200.0


@dataclass(frozen=True)
class Environment:
    framework: str
    python: Path

    @property
    def worker(self) -> Path:
        return Path(__file__).with_name(f"{self.framework}_worker.py")

    def run(self, mode: str, folder: Path) -> str:
        """The worker's output.

        Raises:
            WorkerError: the worker failed; the message is its last line.
        """
        command = [self.python, "-W", "ignore", self.worker, mode, folder]
        return run_child(command, what=f"{self.framework} {mode}", timeout_s=TIMEOUT_S)


def environment(framework: str) -> Environment:
    """Made once per interpreter and list of packages; later calls take no second.

    Raises:
        WorkerError: something cannot be installed, for example without a network; the message is pip's last line.
    """
    return Environment(framework, python_with(framework, PACKAGES[framework]))


def python_with(name: str, packages: Sequence[str], torch: str = TORCH) -> Path:
    """The interpreter of an environment with just these packages, and torch with what it asks for, unless `torch` is
    empty; made and refused as by `environment`."""
    version = ".".join(map(str, sys.version_info[:3]))
    digest = hashlib.sha256(" ".join([torch, *packages]).encode()).hexdigest()[:12]
    folder = cache_folder() / f"interop-{name}-{version}-{digest}"
    python = folder / "bin" / "python"
    with (cache_folder() / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two first calls at once must not both make it
        if not (folder / "ready").exists():
            what = f"{name} environment"
            shutil.rmtree(folder, ignore_errors=True)
            run_child([sys.executable, "-m", "venv", folder], what=what, timeout_s=TIMEOUT_S)
            install = [python, "-m", "pip", "install", "--quiet"]
            if torch:
                run_child([*install, torch], what=what, timeout_s=TIMEOUT_S)
            run_child([*install, "--no-deps", *packages], what=what, timeout_s=TIMEOUT_S)
            (folder / "ready").touch()
    return python


def main() -> None:
    failed = 0
    for framework, packages in PACKAGES.items():
        try:
            print(f"{packages[0]}: {environment(framework).python}; left out: {LEFT_OUT[framework]}")
        except WorkerError as error:
            failed += 1
            print(f"{packages[0]}: {error}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
