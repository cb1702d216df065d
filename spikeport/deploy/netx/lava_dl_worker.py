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

INPUT.npz holds `spikes` `(T, n)`, or `bias_mant` of the input neurons in lava-dl's order (width, height, channel), and
`arguments`, a JSON text: `steps`, and what `netx.hdf5.Network` takes beside the file.
OUTPUT.npz holds the spikes of layer k at every step as `k/s` `(steps, *shape)`, and `k/u`, `k/v` after the last one;
shapes are lava-dl's.
"""

import argparse
import importlib
import json
import os
import sys
import types
from typing import Any

# The folder of a script comes first on the path; a lava.py there must not be taken for Lava.
sys.path[:] = [p for p in sys.path if os.path.realpath(p or ".") != os.path.dirname(os.path.realpath(__file__))]

import numpy as np  # noqa: E402


def load_lava_dl() -> Any:
    """`lava.lib.dl.netx.hdf5` without torch: netx imports SLAYER for one formula, of resonate-and-fire neurons."""
    for name in ("slayer", "slayer.neuron", "slayer.neuron.rf", "netx.sequential_modules"):
        stub: Any = types.ModuleType(f"lava.lib.dl.{name}")
        stub.__file__, stub.__path__ = __file__, []  # Lava's compiler asks for the file of each module it meets
        stub.neuron_params = None
        sys.modules[stub.__name__] = stub
    return importlib.import_module("lava.lib.dl.netx.hdf5")


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
        padded = np.concatenate([spikes, np.zeros((steps - len(spikes), spikes.shape[1]), spikes.dtype)])
        shape = net.inp.shape
        # (T, c, h, w) to (w, h, c, T), as lava-dl reads images; a flat input stays as it is.
        data = padded.reshape(steps, *shape[::-1]).transpose(*range(len(shape), -1, -1))
        source = importlib.import_module("lava.proc.io.source").RingBuffer(data=data.astype(np.int32))
        source.s_out.connect(net.inp)
    np.savez(output_path, **run(net, steps))


def run(net: Any, steps: int) -> dict[str, Any]:
    """Spikes of every layer at every step; u and v after the last."""
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
            found[f"{k}/u"], found[f"{k}/v"] = layer.neuron.u.get(), layer.neuron.v.get()
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
