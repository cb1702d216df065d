"""`spikeport doctor`: what is installed, what is missing, and how to get it."""

import platform
from importlib.metadata import PackageNotFoundError, version

from spikeport import __version__
from spikeport.commands.answer import Answer
from spikeport.deploy.lava_env import find_lava
from spikeport.deploy.loihi_machine import Need, needs
from spikeport.errors import LavaMissing
from spikeport.extras import install

PACKAGES = {
    "numpy": "the core",
    "numba": "the core",
    "h5py": "the core",
    "nir": "the core",
}
EXTRAS = {
    "torch": ("training and export", "train"),
    "scikit-learn": ("the digits", "train"),
    "uv": ("the Lava worker", "lava"),
}


def doctor() -> Answer:
    """Never fails: it says what would."""
    rows = [("spikeport", __version__, "ok"), ("python", platform.python_version(), "ok")]
    rows += [_package(name, use) for name, use in PACKAGES.items()]
    rows += [_package(name, f"{use}: {install(extra)}") for name, (use, extra) in EXTRAS.items()]
    rows.append(_lava())
    rows += [_for_chip(need) for need in needs()]
    data = {"checks": [{"name": name, "found": found, "status": status} for name, found, status in rows]}
    return Answer(data, "spikeport doctor", ("what", "found", "status"), rows)


def _package(name: str, use: str) -> tuple[str, str, str]:
    try:
        return name, version(name), "ok"
    except PackageNotFoundError:
        return name, "-", f"missing; needed for {use}"


def _lava() -> tuple[str, str, str]:
    try:
        env = find_lava(download=False)
    except LavaMissing as error:
        return "lava worker", "-", str(error)
    return "lava worker", f"python {env.version}", f"ok, {env.how}"


def _for_chip(need: Need) -> tuple[str, str, str]:
    """Of a run on a Loihi 2, which few machines can make."""
    return need.name, need.found, "ok" if need.met else f"missing; --backend loihi: {need.do}"
