"""Program, spikes -> Result: simulators, operation counts, energy, report."""

from spikeport.sim.address_events import Events as Events
from spikeport.sim.counting import Counts as Counts
from spikeport.sim.counting import count_operations as count_operations
from spikeport.sim.decide import decide as decide
from spikeport.sim.energy import Energy as Energy
from spikeport.sim.energy import estimate_energy as estimate_energy
from spikeport.sim.record import Recorded as Recorded
from spikeport.sim.record import record as record
from spikeport.sim.result import Result as Result
from spikeport.sim.result import Trace as Trace
from spikeport.sim.result import vote as vote
from spikeport.sim.saved import RunState as RunState
from spikeport.sim.saved import load_state as load_state
from spikeport.sim.saved import save_state as save_state
from spikeport.sim.session import Session as Session
from spikeport.sim.session import Streamed as Streamed
from spikeport.sim.simulate import simulate as simulate
