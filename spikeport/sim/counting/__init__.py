"""Program, Result -> counts: integers alone, and nothing of what they cost."""

from spikeport.sim.counting.core_activity import CoreActivity as CoreActivity
from spikeport.sim.counting.cores import count_cores as count_cores
from spikeport.sim.counting.count import count_operations as count_operations
from spikeport.sim.counting.counts import Counts as Counts
from spikeport.sim.counting.windows import sample_windows as sample_windows
