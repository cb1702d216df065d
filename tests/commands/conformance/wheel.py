"""A wheel of tiny networks, laid out as the published one."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.deploy.netx.netfile import LIF, SDNN, conv, dense, slayer_layer, spikes, write_net

Arrays = dict[str, Any]
ROOT = "tests/lava/lib/dl/netx/"
GIVEN = {  # what is run, and compared with nothing
    "pilotnet_lif/image",
    "tinynet/input_bias",
    "ntidigits/input",
    "dense/in",
    "dense/weight",
    "pilotnet_sdnn/input",
    "tinynet_sdnn/input_bias",
    "tinynet_sdnn/layer1_kernel",
    "tinynet_sdnn/layer1_bias",
    "tinynet_sdnn/layer2_weight",
    "complex_dense/in",
    "complex_dense/weight_r",
    "complex_dense/weight_img",
}


def networks(folder: Path) -> dict[str, bytes]:
    first = slayer_layer("input", shape=(1, 2, 3), weight=[40], bias=[36])
    one, flat = conv([[[[60]]]], (1, 2, 3)), slayer_layer("flatten")
    deep = (
        dense(np.full((6, 6), 30)),
        dense(np.full((4, 6), 30)),
        dense(np.full((2, 4), 30)),
        dense(np.full((1, 2), 10)),
    )
    late = (dense(np.full((4, 3), 20), delay=[0, 1, 2, 9]), dense(np.full((4, 4), 20), delay=[5, 5, 0, 1]))
    last = dense(np.full((2, 4), 40), neuron={**LIF, "vThMant": 20})
    changes, scaled = slayer_layer("input", shape=(1, 2, 3), neuron=SDNN), conv([[[[60]]]], (1, 2, 3), neuron=SDNN)
    sums = [dense(np.full((n, m), 30), neuron=SDNN) for n, m in ((6, 6), (4, 6), (2, 4))]
    added = dense(np.full((1, 2), 10), neuron={**SDNN, "sigma_output": True})
    narrow = slayer_layer("input", shape=(1, 2, 2), neuron=SDNN), *[conv([[[[60]]]], (1, 2, 2), neuron=SDNN)] * 4
    nets = {
        "gts/pilotnet_sdnn/network.net": (changes, scaled, scaled, flat, *sums, added),
        "gts/pilotnet_sdnn/square_network.net": narrow,
        "gts/pilotnet_lif/network.net": (first, one, one, one, one, one, flat, *deep),
        "tiny.net": (first, one, one),
        "mnist.net": (slayer_layer("input", shape=(3,)), dense(np.full((2, 3), 30))),
        "gts/ntidigits/ntidigits.net": (spikes(1, 1, 3), flat, *late, last, slayer_layer("average", shape=(2, 1, 1))),
    }
    return {name: write_net(folder / "net.net", *layers).read_bytes() for name, layers in nets.items()}


def write_wheel(path: Path, nets: dict[str, bytes], arrays: Arrays) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in nets.items():
            archive.writestr(ROOT + name, data)
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            archive.writestr(f"{ROOT}gts/{name}.npy", buffer.getvalue())
    return path


def as_lava_dl_writes(x: np.ndarray, batch: bool) -> np.ndarray:
    """(T, c, h, w) to (x, y, c, T), or to SLAYER's (1, c, h, w, T)."""
    if batch:
        return np.moveaxis(x, 0, -1)[None]
    return x.transpose(*range(x.ndim - 1, 0, -1), 0)


def inputs(rng: np.random.Generator) -> Arrays:
    """What is run; zeros where a first recording comes from, of which only the shape counts."""
    image = rng.integers(3, 40, (3, 2, 1, 1))
    act0 = np.zeros((3, 2, 1, 20))
    act0[..., :1] = 64 * image  # above the threshold of 3: all of it, once, in steps of 2^-6
    return {
        "pilotnet_lif/image": rng.integers(20, 76, (3, 2, 1)),
        "tinynet/input_bias": rng.integers(20, 60, (3, 2, 1)).astype(np.float64),
        "ntidigits/input": (rng.random((3, 60)) < 0.4).astype(np.float64),
        "dense/in": (rng.random((5, 50)) < 0.3).astype(np.float64),
        "dense/weight": 2 * rng.integers(-20, 40, (4, 5)),
        "pilotnet_sdnn/input": image,
        "pilotnet_sdnn/act0": act0,
        "tinynet_sdnn/input_bias": rng.integers(20, 60, (5, 5, 1)).astype(np.float64),
        "tinynet_sdnn/input": np.zeros((5, 5, 1, 15)),
        "tinynet_sdnn/layer1_kernel": 2 * rng.integers(-5, 6, (2, 3, 3, 1)),
        "tinynet_sdnn/layer1_bias": np.array([30, 5]),
        "tinynet_sdnn/layer1": np.zeros((2, 2, 2, 16)),
        "tinynet_sdnn/layer2_weight": 2 * rng.integers(-5, 6, (3, 8)),
        "complex_dense/in": (rng.random((5, 50)) < 0.3).astype(np.float64),
        "complex_dense/weight_r": 2.0 * rng.integers(-20, 40, (4, 5)),
        "complex_dense/weight_img": 2.0 * rng.integers(-20, 40, (4, 5)),
    }
