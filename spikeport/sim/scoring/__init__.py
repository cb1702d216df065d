"""A data set on a Program, shard by shard: each a file of its own, the same whoever computes it."""

from spikeport.sim.scoring.part import Part as Part
from spikeport.sim.scoring.plan import Plan as Plan
from spikeport.sim.scoring.shard import Shard as Shard
from spikeport.sim.scoring.shard import score as score
from spikeport.sim.scoring.shard_file import load_shard as load_shard
from spikeport.sim.scoring.shard_file import save_shard as save_shard
from spikeport.sim.scoring.summary import Summary as Summary
from spikeport.sim.scoring.summary import summarise as summarise
