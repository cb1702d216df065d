"""Counts -> energy and latency: what the counted operations cost by a profile's prices."""

from spikeport.sim.energy.estimate import CMOS45_FP32 as CMOS45_FP32
from spikeport.sim.energy.estimate import CMOS45_INT8 as CMOS45_INT8
from spikeport.sim.energy.estimate import INPUT_RATE_LIMIT as INPUT_RATE_LIMIT
from spikeport.sim.energy.estimate import PROFILES as PROFILES
from spikeport.sim.energy.estimate import SPIKES_PER_SYNAPSE_LIMITS as SPIKES_PER_SYNAPSE_LIMITS
from spikeport.sim.energy.estimate import Energy as Energy
from spikeport.sim.energy.estimate import estimate_energy as estimate_energy
from spikeport.sim.energy.estimate import profile_named as profile_named
