"""spikeport: what you train is what runs, from PyTorch to Intel Loihi, bit for bit."""

TYPE_CHECKING = False  # in place of typing's: until `main` is entered, Ctrl-C is a traceback, so nothing is imported
if TYPE_CHECKING:
    from typing import Any

    from spikeport.program import Program as Program

__version__ = "0.1.0"


def __getattr__(name: str) -> "Any":
    """`Program`, when it is first asked for: it brings numpy, which `spikeport --help` does without."""
    if name == "Program":
        from spikeport.program import Program

        return Program
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
