"""Lava's own classes, all in one namespace, and what it takes to import them."""

import dataclasses
import importlib
import importlib.metadata
import platform
from types import SimpleNamespace
from typing import Any

import numpy as np

LAVA: Any = SimpleNamespace()  # what `load_lava` imports, by name
_LAVA_NAMES = {
    "lava.magma.compiler.builders.py_builder": ("PyProcessBuilder",),
    "lava.magma.compiler.utils": ("PortInitializer", "VarInitializer"),
    "lava.magma.core.model.py.model": ("PyLoihiProcessModel",),
    "lava.magma.core.model.py.ports": ("PyInPort", "PyOutPort"),
    "lava.magma.core.model.py.type": ("LavaPyType",),
    "lava.magma.core.process.ports.ports": ("InPort", "OutPort"),
    "lava.magma.core.process.process": ("AbstractProcess",),
    "lava.magma.core.resources": ("CPU",),
    "lava.magma.core.run_conditions": ("RunSteps",),
    "lava.magma.core.run_configs": ("Loihi2SimCfg",),
    "lava.magma.core.sync.protocols.loihi_protocol": ("LoihiProtocol",),
    "lava.proc.conv.models": ("AbstractPyConvModel", "Conv", "PyConvModelFixed"),
    "lava.proc.dense.models": ("DelayDense", "Dense", "PyDelayDenseModelBitAcc", "PyDenseModelBitAcc"),
    "lava.proc.io.source": ("PySendModelFixed", "RingBuffer"),
    "lava.proc.lif.models": ("LIF", "LIFReset", "PyLifModelBitAcc", "PyLifResetModelBitAcc", "PyTernLifModelFixed"),
    "lava.proc.lif.process": ("TernaryLIF",),
    "lava.proc.rf.models": ("PyRFModelFixed", "RF"),
    "lava.proc.rf_iz.models": ("PyRF_IZModelFixed", "RF_IZ"),
    "lava.proc.sdn.models": ("Delta", "PyDeltaModelFixed", "PySigmaDeltaModelFixed", "PySigmaModelFixed", "Sigma"),
    "lava.proc.sdn.process": ("ActivationMode", "SigmaDelta"),
    "lava.proc.sparse.models": ("DelaySparse", "PyDelaySparseModelBitAcc", "PySparseModelBitAcc", "Sparse"),
    "scipy.sparse": ("csr_matrix",),
}


def load_lava() -> None:
    """Imports Lava, on Python 3.11 and 3.12 as well, and lets convolutions have more than 127 channel groups."""
    plain = dataclasses.dataclass

    def hashable(cls: Any = None, /, **options: Any) -> Any:
        # Python 3.11 refuses the unhashable default `x: ByteEncoder = ByteEncoder()` of lava-nc's var_model.py.
        if cls is not None and cls.__name__ == "ByteEncoder":
            options["unsafe_hash"] = True
        return plain(cls, **options)

    dataclasses.dataclass = hashable
    try:
        for module, names in _LAVA_NAMES.items():
            loaded = importlib.import_module(module)
            vars(LAVA).update({name: getattr(loaded, name) for name in names})
    finally:
        dataclasses.dataclass = plain
    for name in ("kernel_size", "stride", "padding", "dilation", "groups"):
        # Lava keeps the geometry in int8: 128 groups become -128, a padding of 64 overflows when doubled.
        setattr(LAVA.AbstractPyConvModel, name, LAVA.LavaPyType(np.ndarray, np.int64))


def versions() -> dict[str, str]:
    names = ("numpy", "scipy", "lava-nc")
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}
