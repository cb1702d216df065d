"""Trains networks in norse and exports them with `norse.torch.to_nir`.

It exports no pooling and no recurrent cells, so convolutions have strides. dt is its default, 1 ms.
"""

import logging
import warnings
from functools import partial
from typing import Any

import nir
import norse.torch as norse
import torch
from trainer import Framework, Net, serve

DT = 1e-3
TAU_MEM_INV, TAU_SYN_INV = 250.0, 500.0  # a quarter and a half of what is there goes in a step
GAIN = 4.0  # the input is multiplied by dt tau_mem_inv, so weights and their learning rate are larger
RATE = 3e-3 * GAIN


def scaled(module: Any, gain: float = GAIN) -> Any:
    module.weight.data *= gain
    return module


def lif_box(*shape: int) -> norse.LIFBoxCell:
    """Parameters per neuron, as NIR wants them."""
    given = {"tau_mem_inv": TAU_MEM_INV, "v_th": 1.0, "v_leak": 0.0, "v_reset": 0.0}
    full = {name: torch.full(shape, x) for name, x in given.items()}
    return norse.LIFBoxCell(norse.LIFBoxParameters(**full, alpha=torch.as_tensor(5.0)))


def lif(*shape: int) -> norse.LIFCell:
    full = torch.ones(shape)
    given = {"tau_syn_inv": TAU_SYN_INV * full, "tau_mem_inv": TAU_MEM_INV * full, "v_leak": 0 * full, "v_th": full}
    return norse.LIFCell(norse.LIFParameters(**given, v_reset=0 * full, alpha=torch.as_tensor(5.0)))


def dense() -> norse.SequentialState:
    """Linear 64-64, LIFBoxCell, Linear 64-10, LIFBoxCell."""
    return norse.SequentialState(
        scaled(torch.nn.Linear(64, 64)), lif_box(64), scaled(torch.nn.Linear(64, 10)), lif_box(10)
    )


def conv() -> norse.SequentialState:
    """Conv2d of 16 channels, 3x3, stride 2, LIFBoxCell, Flatten, Linear 256-10, LIFBoxCell."""
    return norse.SequentialState(
        scaled(torch.nn.Conv2d(1, 16, 3, stride=2, padding=1)),
        lif_box(16, 4, 4),
        torch.nn.Flatten(1),
        scaled(torch.nn.Linear(256, 10)),
        lif_box(10),
    )


def cuba() -> norse.SequentialState:
    """Linear 64-64, LIFCell, Linear 64-10, LIFCell: neurons with a current."""
    return norse.SequentialState(
        scaled(torch.nn.Linear(64, 64), 2.0), lif(64), scaled(torch.nn.Linear(64, 10), 2.0), lif(10)
    )


def readout() -> norse.SequentialState:
    """Linear 64-64, LIFBoxCell, Linear 64-10, LIBoxCell: the output is a leaky integrator's membrane."""
    leaky = norse.LIBoxCell(norse.LIBoxParameters(torch.full((10,), TAU_MEM_INV / 2), torch.zeros(10)))
    return norse.SequentialState(scaled(torch.nn.Linear(64, 64)), lif_box(64), scaled(torch.nn.Linear(64, 10)), leaky)


def fashion() -> norse.SequentialState:
    """Two Conv2d with stride 2, 8 channels of 5x5 and 16 of 3x3, LIFBoxCells, Flatten, Linear 784-10, LIFBoxCell."""
    return norse.SequentialState(
        scaled(torch.nn.Conv2d(1, 8, 5, stride=2, padding=2)),
        lif_box(8, 14, 14),
        scaled(torch.nn.Conv2d(8, 16, 3, stride=2, padding=1)),
        lif_box(16, 7, 7),
        torch.nn.Flatten(1),
        scaled(torch.nn.Linear(784, 10)),
        lif_box(10),
    )


def run(module: Any, x: torch.Tensor) -> torch.Tensor:
    state, out = None, []
    for step in x:
        given, state = module(step, state)
        out.append(given)
    return torch.stack(out)


def export(module: Any, shape: tuple[int, ...], steps: int) -> tuple[nir.NIRGraph, tuple[str, ...]]:
    """`to_nir`, and what `tests/interop` found to be wrong with it put right."""
    image = len(shape) > 1
    currents = any(isinstance(part, norse.LIFCell) for part in module)
    convert = partial(norse.to_nir, dt=1) if currents else norse.to_nir
    graph = convert(module, torch.zeros(1, *shape) if image else torch.zeros(shape))
    repairs = []
    if currents:
        repairs.append("to_nir(dt=1): with its default, 1e-3, time constants are multiplied by it")
        repairs.append("w_in is left at 1 where tau_syn / dt is meant: set to it")
    if image:
        repairs.append("Conv2d.input_shape and Flatten are None, Input and Output have the batch axis: all put in")
    nodes, given = dict(graph.nodes), shape
    for index, part in enumerate(module):
        node = nodes[str(index)]
        if isinstance(node, nir.CubaLIF):
            node.w_in = node.tau_syn / DT
        if isinstance(part, torch.nn.Conv2d):
            node.input_shape = given[1:]
        if isinstance(part, torch.nn.Flatten):
            nodes[str(index)] = nir.Flatten({"input": torch.tensor(given).numpy()}, 0, -1)
        given = tuple(part(torch.zeros(1, *given))[0].shape[1:]) if hasattr(part, "p") else after(part, given)
    if image:
        nodes["input"], nodes["output"] = (
            nir.Input(torch.tensor(shape).numpy()),
            nir.Output(torch.tensor(given).numpy()),
        )
        graph = nir.NIRGraph(nodes, graph.edges, type_check=False)
    return graph, tuple(repairs)


def after(part: torch.nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    with torch.no_grad():
        return tuple(part(torch.zeros(1, *shape)).shape[1:])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    nets = (
        Net("dense", "digits", dense, epochs=25, rate=RATE),
        Net("conv", "digits", conv, epochs=25, rate=RATE, flat=False),
        Net("cuba", "digits", cuba, epochs=25, rate=RATE / 2, convention="norse"),
        Net("readout", "digits", readout, epochs=25, rate=RATE, spikes=False),
        Net("conv", "fashion", fashion, epochs=6, rate=RATE, flat=False),
    )
    serve(Framework("norse", ("norse",), run, export), nets)
