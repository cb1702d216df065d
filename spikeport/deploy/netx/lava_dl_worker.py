# /// script
# requires-python = ">=3.10,<3.11"
# dependencies = [
#     "asteval==0.9.33",
#     "h5py==3.12.1",
#     "joblib==1.4.2",
#     "lava-dl==0.6.0",
#     "lava-nc==0.10.0",
#     "networkx==2.8.7",
#     "numpy==1.26.4",
#     "scikit-learn==1.5.2",
#     "scipy==1.14.1",
#     "threadpoolctl==3.5.0",
# ]
#
# [tool.uv]
# # lava-dl asks for gigabytes that only its training code imports.
# override-dependencies = [
#     "matplotlib; sys_platform == 'never'",
#     "ninja; sys_platform == 'never'",
#     "opencv-python-headless; sys_platform == 'never'",
#     "pillow; sys_platform == 'never'",
#     "pytest; sys_platform == 'never'",
#     "torch; sys_platform == 'never'",
#     "torchvision; sys_platform == 'never'",
#     "unittest2; sys_platform == 'never'",
# ]
# ///
"""Runs `.net` files with lava-dl's own reader on Lava's runtime. Needs nothing of spikeport.

    uv run --script lava_dl_worker.py NET.net INPUT.npz OUTPUT.npz [NET.net INPUT.npz OUTPUT.npz ...]

INPUT.npz holds `spikes` or payloads `(T, n)`, or `bias_mant` of the input neurons in lava-dl's order (width, height,
channel), and `arguments`, a JSON text: `steps`, and what `netx.hdf5.Network` takes beside the file.
OUTPUT.npz holds the spikes of layer k at every step as `k/s` `(steps, *shape)`, and its neurons' variables after the
last one as `k/state/NAME`; shapes are lava-dl's.
"""

import argparse
import ast
import importlib
import importlib.util
import json
import os
import sys
import types
from typing import Any

# The folder of a script comes first on the path; a lava.py there must not be taken for Lava.
sys.path[:] = [p for p in sys.path if os.path.realpath(p or ".") != os.path.dirname(os.path.realpath(__file__))]

import numpy as np  # noqa: E402

STATE = {"u": "u", "v": "v", "sigma": "sigma", "act": "act", "residue": "residue", "real": "re", "imag": "im"}
STATE |= {"sin_decay": "sin_decay", "cos_decay": "cos_decay"}
"""Lava's names of the variables that a step leaves behind, or that its own formulas made; and those of the result."""


def load_lava_dl() -> Any:
    """`lava.lib.dl.netx.hdf5` without torch: netx imports SLAYER for one formula, of resonate-and-fire neurons."""
    formula = _neuron_params()
    for name in ("slayer", "slayer.neuron", "slayer.neuron.rf", "netx.sequential_modules"):
        stub: Any = types.ModuleType(f"lava.lib.dl.{name}")
        stub.__file__, stub.__path__ = __file__, []  # Lava's compiler asks for the file of each module it meets
        stub.neuron_params = formula
        sys.modules[stub.__name__] = stub
    return importlib.import_module("lava.lib.dl.netx.hdf5")


def _neuron_params() -> Any:
    """SLAYER's own function, cut out of its file: the rest of the file wants torch."""
    spec = importlib.util.find_spec("lava.lib.dl")
    assert spec is not None and spec.submodule_search_locations
    paths = [os.path.join(folder, "slayer", "neuron", "rf.py") for folder in spec.submodule_search_locations]
    path = next(path for path in paths if os.path.isfile(path))
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read(), path)
    wanted: list[ast.stmt] = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "neuron_params"]
    names: dict[str, Any] = {"np": np}
    exec(compile(ast.Module(wanted, []), path, "exec"), names)
    return names["neuron_params"]


def run_job(net_path: str, input_path: str, output_path: str, hdf5: Any) -> None:
    with np.load(input_path) as file:
        inputs = dict(file)
    arguments = json.loads(str(inputs["arguments"]))
    steps = arguments.pop("steps")
    net = hdf5.Network(net_config=net_path, **arguments)
    if "bias_mant" in inputs:
        net.in_layer.neuron.bias_mant.init = inputs["bias_mant"].astype(np.int32).reshape(net.in_layer.shape)
    else:
        spikes = inputs["spikes"]
        # An input block's own port leads nowhere: lava-dl expects the data at the neurons.
        has_synapses = hasattr(net.in_layer, "synapse") or hasattr(net.in_layer, "real_synapse")
        port = net.inp if has_synapses else net.in_layer.neuron.a_in
        padded = np.concatenate([spikes, np.zeros((steps - len(spikes), spikes.shape[1]), spikes.dtype)])
        shape = port.shape
        # (T, c, h, w) to (w, h, c, T), as lava-dl reads images; a flat input stays as it is.
        data = padded.reshape(steps, *shape[::-1]).transpose(*range(len(shape), -1, -1))
        source = importlib.import_module("lava.proc.io.source").RingBuffer(data=data.astype(np.int32))
        source.s_out.connect(port)
    np.savez(output_path, **run(net, steps))


def run(net: Any, steps: int) -> dict[str, Any]:
    """What every layer sends at every step, and its state after the last."""
    sinks = []
    for layer in net.layers:
        sink = importlib.import_module("lava.proc.io.sink").RingBuffer(shape=layer.out.shape, buffer=steps)
        layer.out.connect(sink.a_in)
        sinks.append(sink)
    config = importlib.import_module("lava.magma.core.run_configs").Loihi2SimCfg(select_tag="fixed_pt")
    condition = importlib.import_module("lava.magma.core.run_conditions").RunSteps(num_steps=steps)
    found: dict[str, Any] = {}
    try:
        net.run(condition=condition, run_cfg=config)
        for k, (layer, sink) in enumerate(zip(net.layers, sinks, strict=True)):
            found[f"{k}/s"] = np.moveaxis(sink.data.get().astype(np.int32), -1, 0)
            for name, ours in STATE.items():
                if hasattr(layer.neuron, name):
                    found[f"{k}/state/{ours}"] = getattr(layer.neuron, name).get()
    finally:
        net.stop()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs lava-dl's .net files on Lava.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="NET.net INPUT.npz OUTPUT.npz, once or repeated")
    files = parser.parse_args().files
    if len(files) % 3:
        parser.error("files come in threes: NET.net INPUT.npz OUTPUT.npz")
    hdf5 = load_lava_dl()
    for start in range(0, len(files), 3):
        net, given, output = files[start : start + 3]
        run_job(net, given, output, hdf5)


if __name__ == "__main__":
    main()
