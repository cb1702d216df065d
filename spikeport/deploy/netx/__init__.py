"""lava-dl's network files (`.net`, HDF5): reader, writer, and lava-dl itself as a witness."""

from spikeport.deploy.netx.arguments import NetxArguments as NetxArguments
from spikeport.deploy.netx.read import read_netx as read_netx
from spikeport.deploy.netx.write import write_netx as write_netx
