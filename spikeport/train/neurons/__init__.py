"""The papers' neurons: parameters, their legal ranges, and how they move.

A neuron holds one learnable pair of scalars per layer at most. What the chip cannot hold (a negative decay, a threshold
of 0 or less) is kept out by construction; `constrained=False` trains the paper's form instead, and export then refuses
illegal values.
"""

from spikeport.train.neurons.alif import ALIF as ALIF
from spikeport.train.neurons.base import AbstractNeuron as AbstractNeuron
from spikeport.train.neurons.dalif import DALIF as DALIF
from spikeport.train.neurons.lif import IF as IF
from spikeport.train.neurons.lif import LIF as LIF
from spikeport.train.neurons.plif import PLIF as PLIF
