"""What `netx.hdf5.Network` and `read_netx` must be told beside the file."""

from dataclasses import dataclass

from spikeport.deploy.netx.layers import SPIKE_EXP
from spikeport.errors import InputError
from spikeport.fixed import EXP_MAX, STATE_BITS

MAX_INPUT_BITS = 15


@dataclass(frozen=True)
class NetxArguments:
    """In lava-dl's names, but for `input_bits`."""

    reset_interval: int = 0
    """0: no reset; lava-dl calls that None. For networks of CUBA neurons only."""
    reset_offset: int = 0
    input_bits: int = 0
    """For `read_netx` only."""
    spike_exp: int = SPIKE_EXP
    """Of all SDNN neurons."""
    input_message_bits: int = 0
    """Of the payloads that enter the first layer with synapses; 0: spikes without payload."""

    def check(self) -> None:
        """Raises InputError if a value is out of range."""
        for name, high in (
            ("reset_interval", 2**30),
            ("reset_offset", 2**30),
            ("input_bits", MAX_INPUT_BITS),
            ("spike_exp", EXP_MAX),
            ("input_message_bits", STATE_BITS),
        ):
            check_argument(name, getattr(self, name), 0, high)


def check_argument(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InputError(name, "value", got=value, relation="is not in", limit=f"[{low}, {high}]")
