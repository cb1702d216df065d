"""Module -> nir.NIRGraph: the walk over modules, folding, the portable NIR form; and back, Program -> module."""

from spikeport.export.autoencoder import from_autoencoder as from_autoencoder
from spikeport.export.from_program import from_program as from_program
from spikeport.export.to_nir import to_nir as to_nir
from spikeport.export.to_nir import write_nir as write_nir
from spikeport.export.writers import register_layer as register_layer
