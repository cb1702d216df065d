"""Neurons that hand on what they hear, one step later on the chip."""

import numpy as np

from spikeport.deploy.network import Population
from spikeport.deploy.nodes import Shape


def repeater(name: str, shape: Shape) -> Population:
    """Repeats spikes; fed by a map of ones, one source for each neuron."""
    return _forgetful(name, shape, 0.5)


def adder(name: str, shape: Shape) -> Population:
    """Holds in v what arrives in a step, and never fires."""
    return _forgetful(name, shape, np.inf)


def _forgetful(name: str, shape: Shape, threshold: float) -> Population:
    zero = np.zeros(shape)
    full = np.full(shape, threshold)
    return Population(name, shape, zero, full, keep_u=zero, bias=zero, drive=zero, helper=True)
