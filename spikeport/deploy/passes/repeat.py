"""Neurons that repeat the spikes that they hear, one step later on the chip."""

import numpy as np

from spikeport.deploy.network import Population
from spikeport.deploy.nodes import Shape


def repeater(name: str, shape: Shape) -> Population:
    """Fed by a map of ones, one source for each neuron."""
    zero = np.zeros(shape)
    return Population(name, shape, keep_v=zero, threshold=np.full(shape, 0.5), keep_u=zero, bias=zero, drive=zero)
