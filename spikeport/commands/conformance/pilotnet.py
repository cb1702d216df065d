"""PilotNet-LIF of lava-dl 0.6.0 on its recorded image: the one network of which Intel published a Loihi 2's power."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.commands.conformance.recordings import Recordings
from spikeport.commands.conformance.replay import integers
from spikeport.deploy.netx import read_netx
from spikeport.errors import FileError
from spikeport.program import Program
from spikeport.sim.reference import encode

FOLDER = "pilotnet_lif"
INPUT_BITS = 6  # the least with which every mantissa of the recorded images is some input
STEPS = 16
"""Of one inference in lava-dl's notebook netx/pilotnet_snn/benchmark.ipynb."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A network and the image that it was recorded on."""

    program: Program
    x: NDArray[Any]
    """One step of the input, `(c, h, w)`; it is the same at all steps."""


def shown(recordings: Recordings, network: str, image: NDArray[Any], *, interval: int, offset: int) -> Shown:
    """The image is recorded as the bias mantissas of the input neurons, `(x, y, c)`; found is what they come from.

    Raises:
        FileError: no input gives these mantissas.
    """
    file = recordings.file(network)
    program = read_netx(file, reset_interval=interval, reset_offset=offset, input_bits=INPUT_BITS)
    entry, encoder = program.inputs[0], program.encoders[0]
    mantissas = integers(image).transpose(2, 1, 0)
    weight = int(encoder.synapses.weight.flat[0])
    x = np.rint(((mantissas << INPUT_BITS) - encoder.offset) / weight).astype(np.int64)
    if not np.array_equal(encode(encoder, x.reshape(1, -1), entry.shape, entry.shape), mantissas.reshape(1, -1)):
        raise FileError(network, "recorded image", relation="is not what its input layer can give")
    return Shown(program, x)


def one_inference(recordings: Recordings) -> tuple[Program, Mapping[str, NDArray[Any]]]:
    """The Program, cleared every 16 steps, and its input `(16, 1, c, h, w)`."""
    image = np.moveaxis(recordings.array(f"{FOLDER}/image"), 0, -1)  # no time axis: (x, y, c)
    found = shown(recordings, f"gts/{FOLDER}/network.net", image, interval=STEPS, offset=0)
    x = np.broadcast_to(found.x, (STEPS, 1, *found.x.shape))
    return found.program, {found.program.inputs[0].name: np.ascontiguousarray(x)}
