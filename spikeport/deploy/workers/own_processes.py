"""Processes of our own: a source of inputs, a sink of spikes, a line that holds back."""

from typing import Any

import numpy as np
from lava_classes import LAVA
from program_parts import Part, Shape


def _own(ports: dict[str, tuple[Any, Shape]], run_spk: Any) -> tuple[Any, Any]:
    """A process with these ports and nothing else, and its model: `ports` is `{name: (kind, shape)}`."""

    def make(self: Any) -> None:
        LAVA.AbstractProcess.__init__(self)
        for port, (kind, shape) in ports.items():
            setattr(self, port, kind(shape=shape))

    process = type("Own", (LAVA.AbstractProcess,), {"__init__": make})
    kinds = {LAVA.InPort: LAVA.PyInPort.VEC_DENSE, LAVA.OutPort: LAVA.PyOutPort.VEC_DENSE}
    body: dict[str, Any] = {port: LAVA.LavaPyType(kinds[kind], np.int32) for port, (kind, _) in ports.items()}
    body.update(run_spk=run_spk, implements_process=process, implements_protocol=LAVA.LoihiProtocol)
    body.update(required_resources=[LAVA.CPU])
    return process(), type("OwnModel", (LAVA.PyLoihiProcessModel,), body)


def source(x: Any, steps: int) -> Any:
    """Sends `x` `(T, *shape)`, and nothing after it, for so many steps."""
    rest = np.zeros((max(0, steps - len(x)), *x.shape[1:]), x.dtype)
    return LAVA.RingBuffer(data=np.moveaxis(np.concatenate([x, rest])[:steps], 0, -1).astype(np.int32))


def sink(program: Part, path: str, steps: int) -> tuple[Any, Any]:
    """Takes the spikes of every group and writes them after the last step: reading a Var costs 60 us a value."""
    taken: dict[str, list[Any]] = {group.name: [] for group in program.groups}

    def run_spk(self: Any) -> None:
        for name, spikes in taken.items():
            spikes.append(getattr(self, f"from_{name}").recv())
        if self.time_step == steps:
            arrays: Any = {f"{name}/s": np.array(spikes, np.int32) for name, spikes in taken.items()}
            np.savez(path, **arrays)

    return _own({f"from_{name}": (LAVA.InPort, program.shapes[name]) for name in taken}, run_spk)


def delay_line(shape: Shape, length: int) -> tuple[Any, Any]:
    """Hands on what it took `length` steps ago."""
    held = [np.zeros(shape, np.int32) for _ in range(length)]

    def run_spk(self: Any) -> None:
        self.out.send(held.pop(0))
        held.append(self.into.recv())

    return _own({"into": (LAVA.InPort, shape), "out": (LAVA.OutPort, shape)}, run_spk)
