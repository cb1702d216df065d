"""Module -> nir.NIRGraph, and Program -> module: the walk over modules, folding, the portable NIR form, the way back."""

from spikeport.export.from_program import from_program as from_program
from spikeport.export.to_nir import to_nir as to_nir
from spikeport.export.to_nir import write_nir as write_nir
