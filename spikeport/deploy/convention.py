"""How a framework steps the equations that a NIR file only names.

NIR gives differential equations without a time step, so each framework that reads or writes it has rules of its own.
A `Convention` says them one by one; `PRESETS` are those of the frameworks at the versions named there. Five of them are
held by the frameworks' own runs (`tests/interop`); those of spyx and lava-dl follow their sources' description only.
`interpreter.py` runs a graph under one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np

from spikeport.deploy.nodes import Floats

Decay: TypeAlias = Literal["euler", "exponential"]
Gain: TypeAlias = Literal["euler", "exact", "one"]
Reset: TypeAlias = Literal["zero", "value", "subtract", "subtract_late", "subtract_once"]
Start: TypeAlias = Literal["zero", "leak", "reset"]


@dataclass(frozen=True)
class Convention:
    """One way to step a graph. d is dt / tau, of the membrane or of the current."""

    name: str
    dt_s: float = 1e-4
    tau_in_steps: bool = False
    """Whether the file's time constants count steps, and not seconds."""
    decay: Decay = "euler"
    """What a step keeps of v - v_leak: 1 - d, or exp(-d)."""
    gain: Gain = "euler"
    """What a step adds of its input: d, 1 - exp(-d), or 1."""
    clamped: bool = False
    """Whether what is kept is held in [0, 1], as where d exceeds 1."""
    uses_r: bool = True
    uses_w_in: bool = True
    integrates_r: bool = True
    """Whether an IF adds dt r x; else x itself."""
    decays_new_current: bool = False
    """Whether what enters the synaptic current loses a step's part at once: i = keep (i + w_in x)."""
    decays_new_in_li: bool = False
    """Whether what enters an LI loses a step's part at once: v = keep (v + x), as a synaptic current of its own."""
    leaks_current: bool = False
    """Whether v_leak pulls the synaptic current as well."""
    compare: Literal[">", ">="] = ">"
    reset: Reset = "value"
    """`zero`; `value` is v_reset; `subtract` takes the threshold off in the step of the spike.

    The other two are those of snnTorch 1.0.0 for `reset_mechanism="subtract"`: `subtract_late`, its default, takes it
    off in the next step; `subtract_once`, with `reset_delay=False`, in the same step but not twice in a row."""
    several: bool = False
    """Whether a neuron sends floor(v / v_threshold) spikes in a step, and takes as many thresholds off."""
    floor: bool = False
    """Whether v of an IF is held at -v_threshold and above."""
    start: Start = "zero"
    """Where v is before the first step."""
    feedback_bias_at_start: bool = False
    """Whether a recurrent weight node hands on its bias at the first step, when no spike has come back yet."""
    layer_delay: int = 0
    """Steps by which every layer of neurons hands on its output late."""


NIR = Convention("nir")
"""The equations by Euler's rule: the form that norse, snnTorch and SpikingJelly read alike where r is 1."""

SINABS = Convention(
    "sinabs",
    tau_in_steps=True,
    decay="exponential",
    gain="one",
    uses_r=False,
    integrates_r=False,
    compare=">=",
    decays_new_current=True,
    reset="subtract",
    several=True,
    floor=True,
)

PRESETS: Mapping[str, Convention] = MappingProxyType(
    {
        c.name: c
        for c in (
            NIR,
            # norse 1.1.0, norse/torch/utils/import_nir.py: r and v_reset of a node are not read
            Convention(
                "norse", dt_s=1e-3, uses_r=False, integrates_r=False, leaks_current=True, reset="zero", start="leak"
            ),
            # snntorch 1.0.0, snntorch/import_nir.py: beta = 1 - dt / tau in [0, 1], threshold over r dt / tau
            Convention("snntorch", clamped=True, reset="zero", feedback_bias_at_start=True),
            # the same for reset_mechanism="subtract", its default, which its files do not tell
            Convention("snntorch-subtract", clamped=True, reset="subtract_late", feedback_bias_at_start=True),
            # spikingjelly 2.0.0, spikingjelly/activation_based/nir_exchange: v >= v_threshold, starts at v_reset
            Convention("spikingjelly", compare=">=", start="reset"),
            # sinabs 3.1.3, sinabs/nir.py and sinabs/layers: tau counts steps, several spikes a step
            SINABS,
            # the same for IAF layers as they come, with min_v_mem=None, which its files do not tell
            replace(SINABS, name="sinabs-no-floor", floor=False),
            # rockpool 3.1.0, rockpool/nn/modules/torch/lif_torch.py and exp_syn_torch.py, which is written as an LI
            Convention(
                "rockpool",
                dt_s=1e-3,
                decay="exponential",
                gain="one",
                uses_r=False,
                decays_new_in_li=True,
                compare=">=",
                reset="subtract",
                several=True,
            ),
            # spyx 1.0.0, spyx/nir.py
            Convention(
                "spyx", tau_in_steps=True, gain="one", uses_r=False, integrates_r=False, reset="subtract", layer_delay=1
            ),
            # lava-dl 0.6.0, slayer/neuron/cuba.py: v >= v_threshold but for a 2^-12th
            Convention("lava-dl", reset="zero"),
        )
    }
)


def kept_and_gained(tau: Floats, convention: Convention) -> tuple[Floats, Floats]:
    """What a step keeps of x - leak, and what it adds of its drive, for a time constant each."""
    d = 1 / tau if convention.tau_in_steps else convention.dt_s / tau
    keep = 1 - d if convention.decay == "euler" else np.exp(-d)
    keep = np.clip(keep, 0, 1) if convention.clamped else keep
    return keep, {"euler": d, "exact": -np.expm1(-d), "one": np.ones_like(d)}[convention.gain]
