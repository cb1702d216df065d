"""The chips' limits, each number with its source.

Where sources differ, the conservative number stands and the source says so.
Word widths that both chips share are the arithmetic itself and live in `fixed.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from spikeport.errors import InputError, UnknownName


@dataclass(frozen=True)
class Chip:
    """What one chip offers. Counts are per core unless the name says otherwise."""

    name: str
    generation: int
    chips_per_system: int
    """Of the largest system that there is public word of."""
    cores_per_chip: int
    cores_per_tile: int
    """Cores that share a router of the mesh."""
    mesh: tuple[int, int]
    """Tiles of a chip in x and y."""
    neurons_per_core: int
    axons_in_per_core: int
    axons_out_per_core: int
    synapse_words_per_core: int
    """Of 64 bits each."""
    memory_words_per_core: int
    """All tables of a core together: neurons, axons in and out, synapses."""
    neuron_settings_per_core: int
    """How many sets of decays and thresholds, or groups of neurons, a core tells apart."""
    max_decay: int
    min_threshold: int
    max_threshold: int
    max_bias: int
    """Largest mantissa; the least is one further from zero."""
    max_bias_exp: int
    max_weight: int
    """Largest magnitude of a mantissa; mixed signs have even ones, the least one further from zero."""
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
_LIF = "lava-nc 0.10.0, proc/lif/process.py and models.py"
_WORDS = {
    "max_decay": "12-bit registers; " + _LIF,
    "max_threshold": "17 bits; " + _LIF,
    "max_bias": "13 bits with the sign; " + _LIF,
    "max_bias_exp": "3 bits; " + _LIF,
    "max_weight": "8 bits; lava-nc 0.10.0, utils/weightutils.py",
}

LOIHI1 = Chip(
    name="loihi1",
    generation=1,
    chips_per_system=32,
    cores_per_chip=128,
    cores_per_tile=4,
    mesh=(8, 4),
    neurons_per_core=1024,
    axons_in_per_core=4096,
    axons_out_per_core=4096,
    synapse_words_per_core=16_384,
    memory_words_per_core=25_600,
    neuron_settings_per_core=16,
    max_decay=4095,
    min_threshold=1,
    max_threshold=131_071,
    max_bias=4095,
    max_bias_exp=7,
    max_weight=255,
    max_delay=62,
    min_weight_exp=-7,
    max_weight_exp=7,
    reset_interval_power_of_two=False,
    graded_spikes=False,
    programmable_neurons=False,
    sources=MappingProxyType(
        {
            "chips_per_system": _LAVA + " (Nahuku)",
            "cores_per_chip": _LAVA + "; Davies et al., IEEE Micro 38(1), 2018",
            "cores_per_tile": "Davies et al., IEEE Micro 38(1), 2018",
            "mesh": "SANA-FE 2.2.9, examples/loihi.yaml: 32 tiles, 8 x 4",
            "neurons_per_core": _NENGO + " (compartments)",
            "axons_in_per_core": _NENGO,
            "axons_out_per_core": _NENGO,
            "synapse_words_per_core": _NENGO + " (1,048,576 bits); NxTF, nxsdk_modules_ncl/dnn (16,384 words)",
            "memory_words_per_core": "the sum of the limits of its tables, for no limit of them together is published",
            "neuron_settings_per_core": _NENGO + " (16 thresholds; 32 sets of decays)",
            "min_threshold": _NENGO + " (vth > 0)",
            **_WORDS,
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
    chips_per_system=1152,
    cores_per_chip=120,
    cores_per_tile=4,
    mesh=(8, 4),
    neurons_per_core=4095,
    axons_in_per_core=16_000,
    axons_out_per_core=16_000,
    synapse_words_per_core=16_000,
    memory_words_per_core=20_000,
    neuron_settings_per_core=8,
    max_decay=4095,
    min_threshold=0,
    max_threshold=131_071,
    max_bias=4095,
    max_bias_exp=7,
    max_weight=255,
    max_delay=62,
    min_weight_exp=-8,
    max_weight_exp=7,
    reset_interval_power_of_two=True,
    graded_spikes=True,
    programmable_neurons=True,
    sources=MappingProxyType(
        {
            "chips_per_system": "Intel, press release on Hala Point, 2024; 8 in a Kapoho Point",
            "cores_per_chip": _LAVA,
            "cores_per_tile": "Timcheck et al., arXiv:2601.10035: 8 x 4 routers of 4 cores",
            "mesh": "Timcheck et al., arXiv:2601.10035: 8 x 4 routers",
            "neurons_per_core": "compile log of lava-dl's netx/yolo_kp (3584 are 87.52 %, 2688 are 65.64 %);"
            " Intel's technology brief of 2021 says up to 8192",
            "axons_in_per_core": _PARTITIONER,
            "axons_out_per_core": _PARTITIONER + " (axon map)",
            "synapse_words_per_core": "compile logs of lava-dl's netx/yolo_kp and mnist, shares of 16,000, where a core"
            " holds 13,824; those of oxford and pilotnet, of an earlier compiler, say 12,000;"
            " Intel's technology brief of 2021 says 128 KB, 16,384 words",
            "memory_words_per_core": "compile logs of lava-dl's netx/yolo_kp and slayer/state_space_models: their Total"
            " is the sum of all tables over 20,000, within 0.01 points in 13 rows",
            "neuron_settings_per_core": _PARTITIONER + " (neuron groups)",
            "min_threshold": _LIF,
            **_WORDS,
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
    """A chip by its name, `loihi1` or `loihi2`.

    Raises:
        InputError: there is no such chip; the message has the known names.
    """
    if name not in CHIPS:
        raise UnknownName("target", "chip", got=name, relation="is not one of", limit=", ".join(CHIPS))
    return CHIPS[name]
