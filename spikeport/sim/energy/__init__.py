"""Counts -> energy and latency: what the counted operations cost by a profile's prices."""

from spikeport.sim.energy.bounds import Bounds as Bounds
from spikeport.sim.energy.estimate import estimate_energy as estimate_energy
from spikeport.sim.energy.estimated import Energy as Energy
from spikeport.sim.energy.profile import Profile as Profile
from spikeport.sim.energy.profile import profile_named as profile_named
from spikeport.sim.energy.profile import profile_names as profile_names
