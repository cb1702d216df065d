"""What the papers measure of a generative model. Each measure is a function of a model and gives a frozen record.

Images are integers `(N, c, h, w)`, as the model's source has them. Models are put into eval mode and back; the same
seed gives the same random numbers on every machine.
"""

from spikeport.train.measures.classification import Classification as Classification
from spikeport.train.measures.classification import Course as Course
from spikeport.train.measures.classification import Labelled as Labelled
from spikeport.train.measures.classification import classification as classification
from spikeport.train.measures.fad import SAMPLES as SAMPLES
from spikeport.train.measures.fad import Fad as Fad
from spikeport.train.measures.fad import fad as fad
from spikeport.train.measures.fad import fad_of as fad_of
from spikeport.train.measures.fad_file import read_fad_autoencoder as read_fad_autoencoder
from spikeport.train.measures.gaussians import Gaussian as Gaussian
from spikeport.train.measures.gaussians import frechet_distance as frechet_distance
from spikeport.train.measures.gaussians import gaussian_of as gaussian_of
from spikeport.train.measures.inception import InceptionMeasures as InceptionMeasures
from spikeport.train.measures.inception import inception_measures as inception_measures
from spikeport.train.measures.inception import inception_score as inception_score
from spikeport.train.measures.noise import NoiseCurve as NoiseCurve
from spikeport.train.measures.noise import noise_curve as noise_curve
from spikeport.train.measures.operations import Operations as Operations
from spikeport.train.measures.operations import ann_operations as ann_operations
from spikeport.train.measures.operations import generation_operations as generation_operations
from spikeport.train.measures.operations import reconstruction_operations as reconstruction_operations
from spikeport.train.measures.passes import generated as generated
from spikeport.train.measures.rates import RateDistribution as RateDistribution
from spikeport.train.measures.rates import Rates as Rates
from spikeport.train.measures.rates import firing_rates as firing_rates
from spikeport.train.measures.rates import raster as raster
from spikeport.train.measures.reconstruction import ReconstructionError as ReconstructionError
from spikeport.train.measures.reconstruction import reconstruction_error as reconstruction_error
from spikeport.train.measures.robustness import Disturbed as Disturbed
from spikeport.train.measures.robustness import Robustness as Robustness
from spikeport.train.measures.robustness import robustness as robustness
