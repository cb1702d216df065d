"""Stands in for what lava-loihi has and is not public, on Lava's CPU runtime: adapters, probes, profilers, run config.

The adapters have the ports of Intel's and hand on what they took, some steps later; a probe writes down its variable;
profilers measure nothing. What they prove is that everything is built and connected, and that offsets are found and
taken off; of the chip's own numbers they prove nothing.
"""

import os
import tempfile
from typing import Any

import numpy as np
from lava_classes import LAVA

FOLDER = tempfile.TemporaryDirectory()
"""Where probes write; gone with this process."""
MODELS: dict[Any, Any] = {}
"""Of adapters, which are nowhere where Lava would look."""
LATE: dict[str, int] = {"input": 0, "output": 0, "probe": 0}
WORD = 24


def load(late_input: int, late_output: int, late_probe: int) -> None:
    """Puts the stand-ins where `chip_board.load_classes` puts Intel's."""
    LATE.update(input=late_input, output=late_output, probe=late_probe)
    LAVA.PyToNxAdapter, LAVA.PyToN3ConvAdapter, LAVA.NxToPyAdapter = adapters()
    LAVA.StateProbe, LAVA.Loihi2HwCfg = StateProbe, run_config()
    LAVA.Loihi2Power = LAVA.Loihi2ExecutionTime = LAVA.Loihi2Activity = Meter


def adapters() -> tuple[Any, Any, Any]:
    """Processes with the ports of `lava.proc.embedded_io.spike`: `inp` and `out`."""

    def make(self: Any, *, shape: Any, num_message_bits: int = 0, **options: Any) -> None:
        LAVA.AbstractProcess.__init__(self, shape=shape, num_message_bits=num_message_bits)
        self.inp, self.out = LAVA.InPort(shape=shape), LAVA.OutPort(shape=shape)
        MODELS[self] = model_of(self, shape, num_message_bits)

    names = ("PyToNxAdapter", "PyToN3ConvAdapter", "NxToPyAdapter")
    first, conv, out = (type(name, (LAVA.AbstractProcess,), {"__init__": make}) for name in names)
    return first, conv, out


def model_of(adapter: Any, shape: Any, bits: int) -> Any:
    """Hands on what it took, so many steps later; out of the chip a payload is a raw word of 24 bits."""
    outward = type(adapter).__name__ == "NxToPyAdapter"
    held = [np.zeros(shape, np.int32) for _ in range(LATE["output" if outward else "input"])]
    raw = outward and bits

    def run_spk(self: Any) -> None:
        taken = self.inp.recv().astype(np.int32)
        held.append(taken & ((1 << WORD) - 1) if raw else taken)
        self.out.send(held.pop(0))

    body: dict[str, Any] = {
        "inp": LAVA.LavaPyType(LAVA.PyInPort.VEC_DENSE, np.int32),
        "out": LAVA.LavaPyType(LAVA.PyOutPort.VEC_DENSE, np.int32),
        "run_spk": run_spk,
        "implements_process": type(adapter),
        "implements_protocol": LAVA.LoihiProtocol,
        "required_resources": [LAVA.CPU],
    }
    return type("AdapterModel", (LAVA.PyLoihiProcessModel,), body)


class StateProbe:
    """Values of a variable after each step, neuron by neuron, as lava-loihi's `StateProbe(var).time_series`."""

    def __init__(self, var: Any) -> None:
        self.var = var
        handle, self.path = tempfile.mkstemp(dir=FOLDER.name)
        os.close(handle)

    @property
    def time_series(self) -> Any:
        shape = self.var.shape
        with open(self.path, "rb") as file:
            values = np.frombuffer(file.read(), np.int32).reshape(-1, int(np.prod(shape)))
        late = np.zeros((LATE["probe"], values.shape[1]), np.int32)
        return np.concatenate([late, values]).T

    def watch(self, model: Any) -> Any:
        """The model, which writes the variable down after each step."""
        path, name = self.path, self.var.name

        def run_spk(watched: Any) -> None:
            model.run_spk(watched)
            with open(path, "ab") as file:
                file.write(np.array(getattr(watched, name), np.int32).tobytes())

        return type(f"Watched{model.__name__}", (model,), {"run_spk": run_spk})


def run_config() -> Any:
    """Takes what `Loihi2HwCfg` takes, and runs Lava's fixed-point models."""

    class HwCfg(LAVA.Loihi2SimCfg):  # type: ignore[misc]
        def __init__(self, *, exception_proc_model_map: Any, callback_fxs: Any = ()) -> None:
            super().__init__(select_tag="fixed_pt", exception_proc_model_map={**exception_proc_model_map, **MODELS})
            self.probes = [probe for probe in callback_fxs if isinstance(probe, StateProbe)]

        def select(self, process: Any, models: Any) -> Any:
            model = super().select(process, models)
            for probe in self.probes:
                if probe.var.process is process:
                    model = probe.watch(model)
            return model

    return HwCfg


class Meter:
    """Takes what `Loihi2Power`, `Loihi2ExecutionTime` and `Loihi2Activity` take, and has measured nothing."""

    def __init__(self, **options: Any) -> None:
        self.options = options
