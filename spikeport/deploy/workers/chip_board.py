"""The board: which one it is, and the classes of lava-loihi that drive it."""

import importlib
import os

from lava_classes import LAVA


def connect_board() -> dict[str, str]:
    """Lava's own functions set its variables; which board it is."""
    loihi = importlib.import_module("lava.utils.loihi")
    generation = loihi.ChipGeneration[os.environ.get("LOIHI_GEN", "N3B3")]
    host = os.environ.get("NXSDKHOST")
    if host:
        binary = os.environ.get("HOST_BINARY", "nxcore/bin/nx_driver_server")
        loihi.use_ethernet_host(host, binary, generation)
    else:
        loihi.use_slurm_host(os.environ.get("PARTITION"), os.environ.get("BOARD"), generation)
    names = ("LOIHI_GEN", "NXSDKHOST", "BOARD", "PARTITION")
    return {name.lower(): os.environ[name] for name in names if name in os.environ}


def load_classes() -> None:
    """What is not public, by name, beside what `load_lava` loads."""
    wanted = {
        "lava.proc.embedded_io.spike": ("PyToNxAdapter", "PyToN3ConvAdapter", "NxToPyAdapter"),
        "lava.utils.loihi2_state_probes": ("StateProbe",),
        "lava.utils.loihi2_profiler": ("Loihi2Power", "Loihi2ExecutionTime", "Loihi2Activity"),
        "lava.magma.core.run_configs": ("Loihi2HwCfg",),
    }
    for module, names in wanted.items():
        loaded = importlib.import_module(module)
        vars(LAVA).update({name: getattr(loaded, name) for name in names})
