"""spikeport: what you train is what runs, from PyTorch to Intel Loihi, bit for bit."""

from spikeport.program import Program as Program

__version__ = "0.1.0"
