"""spikeport: what you train is what runs, from PyTorch to Intel Loihi, bit for bit."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spikeport.program import Program as Program

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`Program`, when it is first asked for: it brings numpy, which `spikeport --help` does without."""
    if name == "Program":
        from spikeport.program import Program

        return Program
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
