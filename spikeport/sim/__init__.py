"""Program, spikes -> Result: simulators, operation counts, energy, report."""

from spikeport.sim.result import Result as Result
from spikeport.sim.result import Trace as Trace
from spikeport.sim.result import vote as vote
from spikeport.sim.simulate import simulate as simulate
