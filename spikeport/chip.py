"""The chips' limits, each number with its source.

Where sources differ, the conservative number stands and the source says so.
Word widths that both chips share are the arithmetic itself and live in `fixed.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from spikeport.errors import InputError


@dataclass(frozen=True)
class Chip:
    """What one chip offers. Counts are per core unless the name says otherwise."""

    name: str
    generation: int
    cores_per_chip: int
    neurons_per_core: int
    axons_in_per_core: int
    axons_out_per_core: int
    synapse_memory_bits_per_core: int
    max_delay: int
    """Largest programmable delay in steps, beyond the one step that every connection takes."""
    min_weight_exp: int
    max_weight_exp: int
    reset_interval_power_of_two: bool
    graded_spikes: bool
    programmable_neurons: bool
    """Whether the neurons' rule is microcode, or one LIF that resets to zero."""
    sources: Mapping[str, str]

    def __post_init__(self) -> None:
        unsourced = {f.name for f in fields(self)} - set(self.sources) - {"name", "generation", "sources"}
        if unsourced:
            raise InputError(f"chip {self.name}", "limits without a source", got=sorted(unsourced))


_NENGO = "nengo-loihi 1.1, nengo_loihi/builder and hardware/validate.py"
_LAVA = "lava-nc 0.10.0, magma/core/resources.py and compiler/subcompilers/constants.py"
_PARTITIONER = "register percentages in the compile logs of lava-dl's netx tutorials (mnist, pilotnet, oxford)"

LOIHI1 = Chip(
    name="loihi1",
    generation=1,
    cores_per_chip=128,
    neurons_per_core=1024,
    axons_in_per_core=4096,
    axons_out_per_core=4096,
    synapse_memory_bits_per_core=1_048_576,
    max_delay=62,
    min_weight_exp=-7,
    max_weight_exp=7,
    reset_interval_power_of_two=False,
    graded_spikes=False,
    programmable_neurons=False,
    sources=MappingProxyType(
        {
            "cores_per_chip": _LAVA + "; Davies et al., IEEE Micro 38(1), 2018",
            "neurons_per_core": _NENGO + " (compartments)",
            "axons_in_per_core": _NENGO,
            "axons_out_per_core": _NENGO,
            "synapse_memory_bits_per_core": _NENGO + " (128 KiB)",
            "max_delay": "brian2_loihi, loihi_synapses.py (0..62)",
            "min_weight_exp": _NENGO + " (-7; brian2_loihi allows -8)",
            "max_weight_exp": _NENGO,
            "reset_interval_power_of_two": "stated for Loihi 2 only",
            "graded_spikes": "Davies et al., IEEE Micro 38(1), 2018: binary spikes",
            "programmable_neurons": "Davies et al., IEEE Micro 38(1), 2018: one kind of LIF",
        }
    ),
)

LOIHI2 = Chip(
    name="loihi2",
    generation=2,
    cores_per_chip=120,
    neurons_per_core=4096,
    axons_in_per_core=16_000,
    axons_out_per_core=16_000,
    synapse_memory_bits_per_core=1_048_576,
    max_delay=62,
    min_weight_exp=-8,
    max_weight_exp=7,
    reset_interval_power_of_two=True,
    graded_spikes=True,
    programmable_neurons=True,
    sources=MappingProxyType(
        {
            "cores_per_chip": _LAVA,
            "neurons_per_core": _PARTITIONER + "; Intel's technology brief of 2021 says up to 8192",
            "axons_in_per_core": _PARTITIONER,
            "axons_out_per_core": _PARTITIONER + " (axon map)",
            "synapse_memory_bits_per_core": "Intel, technology brief of Loihi 2, 2021 (128 KB)",
            "max_delay": "lava-dl 0.6.0, netx clips to 62; 6 bits in lava-nc's DelayDense",
            "min_weight_exp": "brian2_loihi, loihi_synapses.py; no other public figure for Loihi 2",
            "max_weight_exp": "brian2_loihi, loihi_synapses.py; no other public figure for Loihi 2",
            "reset_interval_power_of_two": "lava-dl tutorial netx/mnist/run.ipynb",
            "graded_spikes": "lava-nc 0.10.0, payloads of up to 24 bits in the N3 adapters",
            "programmable_neurons": "Intel, technology brief of Loihi 2, 2021",
        }
    ),
)

CHIPS: Mapping[str, Chip] = MappingProxyType({c.name: c for c in (LOIHI1, LOIHI2)})


def chip_named(name: str) -> Chip:
    """Raises InputError with the known names if there is no such chip."""
    if name not in CHIPS:
        raise InputError("target", "chip", got=name, relation="is not one of", limit=", ".join(CHIPS))
    return CHIPS[name]
