"""Data -> trained module: quantization-aware neurons and layers, models, recipes, the loop."""

from spikeport.train.checkpoint import load_run as load_run
from spikeport.train.checkpoint import save_run as save_run
from spikeport.train.data import load_data as load_data
from spikeport.train.group import SpikingGroup as SpikingGroup
from spikeport.train.image import Image as Image
from spikeport.train.image_group import ImageGroup as ImageGroup
from spikeport.train.layer import SpikingLayer as SpikingLayer
from spikeport.train.layer import Vote as Vote
from spikeport.train.layer import set_quantize as set_quantize
from spikeport.train.loop import Tuning as Tuning
from spikeport.train.loop import accuracy as accuracy
from spikeport.train.loop import fine_tune as fine_tune
from spikeport.train.loop import fit as fit
from spikeport.train.loop import model_of as model_of
from spikeport.train.loop import network_accuracy as network_accuracy
from spikeport.train.loop import predict as predict
from spikeport.train.network import SpikingNetwork as SpikingNetwork
from spikeport.train.neurons import ALIF as ALIF
from spikeport.train.neurons import DALIF as DALIF
from spikeport.train.neurons import IF as IF
from spikeport.train.recipe import Recipe as Recipe
from spikeport.train.recipe import load_recipe as load_recipe
from spikeport.train.recipe import shipped_recipes as shipped_recipes
from spikeport.train.synapses import QuantConv2d as QuantConv2d
from spikeport.train.synapses import QuantLinear as QuantLinear
from spikeport.train.synapses import QuantSparse as QuantSparse
