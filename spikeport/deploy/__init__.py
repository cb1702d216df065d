"""NIR -> Program -> targets: reader, passes, design rules, the Lava worker."""

from spikeport.deploy.calibration import Calibration as Calibration
from spikeport.deploy.pipeline import Compiled as Compiled
from spikeport.deploy.pipeline import compile_graph as compile_graph
from spikeport.deploy.pipeline import compiled as compiled
from spikeport.deploy.read import read_nir as read_nir
from spikeport.deploy.reader.brought import register_node as register_node
from spikeport.deploy.rules import Violation as Violation
from spikeport.deploy.rules import check as check
