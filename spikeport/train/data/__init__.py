"""Data sets as integer images and labels."""

from spikeport.train.data.catalogue import data_sets as data_sets
from spikeport.train.data.catalogue import load_data as load_data
from spikeport.train.data.dataset import DataSet as DataSet
from spikeport.train.data.dataset import Files as Files
from spikeport.train.data.dataset import Memory as Memory
from spikeport.train.data.dataset import Pictures as Pictures
from spikeport.train.data.dataset import Split as Split
from spikeport.train.data.dataset import centred as centred
