"""Module -> nir.NIRGraph: the walk over modules, folding, the portable NIR form."""

from spikeport.export.to_nir import to_nir as to_nir
from spikeport.export.to_nir import write_nir as write_nir
