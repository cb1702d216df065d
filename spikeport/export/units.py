"""The units of an exported graph, and the one neuron that it holds.

Membranes are in Lava's units: weight mantissa 1 is 1/64, one step of v is 1/4096. A reader computes
v = (1 - d) v + d I with d = dt / tau, so weights and biases are written over d.
"""

import nir
import numpy as np

from spikeport import fixed
from spikeport.fixed import Ints
from spikeport.program import Shape

DT_S = 1e-4
WEIGHT_UNIT = 2.0**-fixed.ACT_SHIFT
V_UNIT = WEIGHT_UNIT * 2.0**-fixed.ACT_SHIFT
NO_LEAK = 2.0**-24
"""d of neurons with dv = 0: a leak that float32 holds beside 1, and less than a thousandth of the chip's least."""


def gain_of(dv: int) -> float:
    """d, the part of v that leaks in a step, and by which a reader multiplies what arrives."""
    return dv / fixed.DECAY_ONE if dv else NO_LEAK


def current_node(lif: nir.LIF, du: int, dt_s: float) -> nir.CubaLIF:
    """The same neurons behind a current that keeps (4095 - du) / 4096 of itself, and takes in all that arrives."""
    d = (du + 1) / fixed.DECAY_ONE
    full = np.ones(lif.tau.shape, np.float32)
    return nir.CubaLIF(
        tau_syn=full * np.float32(dt_s / d),
        tau_mem=lif.tau,
        r=lif.r,
        v_leak=lif.v_leak,
        v_threshold=lif.v_threshold,
        v_reset=lif.v_reset,
        w_in=full * np.float32(1 / d),
    )


def without_spikes(node: nir.LIF | nir.CubaLIF) -> nir.LI | nir.CubaLI:
    """The same neurons, whose v is read."""
    if isinstance(node, nir.LIF):
        return nir.LI(node.tau, node.r, node.v_leak)
    return nir.CubaLI(node.tau_syn, node.tau_mem, node.r, node.v_leak, w_in=node.w_in)


def lif_node(dv: int, vth: int, shape: Shape, dt_s: float, bias: Ints | None = None) -> nir.LIF:
    """r = 1, hard reset to 0, and a threshold half a step of v above the grid, so that `>` and `>=` agree.

    Args:
        bias: In steps of v, in the neurons' shape, where no synapse can carry it: the potential to which v leaks.
    """
    leak = np.zeros(shape) if bias is None else bias * (V_UNIT / gain_of(dv))
    return nir.LIF(
        tau=np.full(shape, dt_s / gain_of(dv), np.float32),
        r=np.ones(shape, np.float32),
        v_leak=leak.astype(np.float32),
        v_threshold=np.full(shape, (vth * (1 << fixed.ACT_SHIFT) + 0.5) * V_UNIT, np.float32),
        v_reset=np.zeros(shape, np.float32),
    )
